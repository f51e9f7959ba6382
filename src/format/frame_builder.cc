#include "format/frame_builder.h"

#include <cassert>
#include <utility>

namespace pana {
namespace {

// Large enough that a call of zstd and of the checksum costs nothing per row, small enough to stay in the cache.
constexpr std::size_t kStagingBytes = 64 * 1024;

}  // namespace

void FrameBuilder::add(std::string_view text) {
  bytes_ += text.size();
  if (staging_.size() + text.size() > kStagingBytes) flush();
  if (text.size() > kStagingBytes) {
    encoder_.append(text, frame_.encoded);
  } else {
    staging_.append(text);
  }
}

void FrameBuilder::flush() {
  encoder_.append(staging_, frame_.encoded);
  staging_.clear();
}

void FrameBuilder::begin_copy(TableId table, std::string_view copy_statement) {
  digest_ = &frame_.digests[table];
  rows_before_ = digest_->rows;
  frame_.info.tables.push_back({.table = table, .rows = 0});
  add(copy_statement);
}

void FrameBuilder::end_copy() {
  add(kCopyEnd);
  frame_.info.tables.back().rows = digest_->rows - rows_before_;
  digest_ = nullptr;
}

void FrameBuilder::add_large_object_line(std::string_view line) {
  if (frame_.info.tables.empty()) frame_.info.tables.push_back({.table = kLargeObjects, .rows = 0});
  frame_.digests[kLargeObjects].add(line.substr(0, line.size() - 1));
  ++frame_.info.tables.back().rows;
  add(line);
}

void FrameBuilder::reuse(std::string storage) {
  assert(empty());
  storage.clear();
  frame_.encoded = std::move(storage);
}

Frame FrameBuilder::finish(Phase phase) {
  flush();
  frame_.info.xxh64 = encoder_.end_frame(frame_.encoded);
  frame_.info.phase = phase;
  frame_.info.bytes = std::exchange(bytes_, 0);
  return std::exchange(frame_, {});
}

}  // namespace pana
