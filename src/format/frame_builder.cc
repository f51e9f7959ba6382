#include "format/frame_builder.h"

#include <utility>

#include "base/require.h"

namespace pana {
namespace {

// Large enough that a call of zstd and of the checksum costs nothing per row, small enough to stay in the cache.
constexpr std::size_t kStagingBytes = 64 * 1024;

constexpr const char* kNoSectionIsOpen = "a frame's COPY section is whole before anything else is done with the frame";

}  // namespace

FrameBuilder::Section::Section(FrameBuilder& frame, TableId table, std::string_view copy_statement)
    : frame_(frame), digest_(frame.frame_.digests[table]), rows_before_(digest_.rows) {
  require(!frame_.in_section_, kNoSectionIsOpen);
  frame_.in_section_ = true;
  frame_.frame_.info.tables.push_back({.table = table, .rows = 0});
  frame_.put(copy_statement);
}

void FrameBuilder::Section::end() {
  frame_.put(kCopyEnd);
  frame_.frame_.info.tables.back().rows = digest_.rows - rows_before_;
  frame_.in_section_ = false;
}

void FrameBuilder::add(std::string_view text) {
  require(!in_section_, kNoSectionIsOpen);
  put(text);
}

void FrameBuilder::put(std::string_view text) {
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

void FrameBuilder::expect(std::size_t bytes) {
  if (encoder_.compresses()) return;
  const std::size_t needed = frame_.encoded.size() + staging_.size() + bytes + kCopyEnd.size();
  if (needed > frame_.encoded.capacity()) frame_.encoded.reserve(needed);
}

void FrameBuilder::add_large_object_line(std::string_view line) {
  if (frame_.info.tables.empty()) frame_.info.tables.push_back({.table = kLargeObjects, .rows = 0});
  rows_.add(frame_.digests[kLargeObjects], line);
  ++frame_.info.tables.back().rows;
  add(line);
}

void FrameBuilder::reuse(std::string storage) {
  require(empty(), "only an empty builder takes other storage");
  storage.clear();
  frame_.encoded = std::move(storage);
}

Frame FrameBuilder::finish(Phase phase) {
  require(!in_section_, kNoSectionIsOpen);
  flush();
  frame_.info.xxh64 = encoder_.end_frame(frame_.encoded);
  frame_.info.phase = phase;
  frame_.info.bytes = std::exchange(bytes_, 0);
  return std::exchange(frame_, {});
}

}  // namespace pana
