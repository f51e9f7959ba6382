#include "command/backup_rows.h"

#include <optional>
#include <utility>

namespace pana {
namespace {

// A frame that holds less at the end of a table goes on with the next one. Larger ones end there: who restores one
// table reads little of its neighbours.
constexpr std::uint64_t kSharedFrameBytes = 128 * 1024;

// One session's frame under construction. A frame goes into the backup when all of its sections are whole; what is
// thrown before that takes the frame along.
class RowFrames {
 public:
  RowFrames(const RowTarget& target, const std::stop_token& stop)
      : target_(target), stop_(stop), frame_(target.compression) {}

  void begin_chunk(const Chunk& chunk) {
    if (!holds_tables_) flush();  // the lines of large objects do not share a frame with a table's rows
    holds_tables_ = true;
    chunk_ = &chunk;
  }

  void add(const RowPiece& piece) {
    if (!section_) section_.emplace(frame_, chunk_->table, chunk_->copy_in);
    section_->add(piece.text, piece.more);
    if (!piece.ends_row() || frame_.bytes() < bytes_at_most()) return;
    end_section();
    flush();
  }

  void end_chunk() {
    if (section_) end_section();
    if (frame_.bytes() >= kSharedFrameBytes) flush();
  }

  void add_large_object_line(std::string_view line) {
    if (holds_tables_ || frame_.bytes() >= target_.frame_bytes) flush();
    holds_tables_ = false;
    frame_.add_large_object_line(line);
  }

  void flush() {
    if (frame_.empty()) return;
    Frame frame = frame_.finish(Phase::rows);
    target_.backup.append(frame, stop_);
    const bool is_usual =
        frame.encoded.capacity() <= 2 * target_.frame_bytes;  // no row of hundreds of megabytes stood in it
    if (is_usual) frame_.reuse(std::move(frame.encoded));
  }

 private:
  // What must stand in one section makes a frame as large as frames may be.
  std::uint64_t bytes_at_most() const { return chunk_->in_one_section ? kLargestFrameBytes : target_.frame_bytes; }

  void end_section() {
    section_->end();
    section_.reset();
  }

  const RowTarget& target_;
  const std::stop_token& stop_;
  FrameBuilder frame_;
  const Chunk* chunk_ = nullptr;
  std::optional<FrameBuilder::Section> section_;  // of the chunk; none before its first row in the frame
  bool holds_tables_ = false;
};

}  // namespace

void back_up_rows(Connection& connection, RowReading& reading, const RowTarget& target, const std::stop_token& stop) {
  RowFrames frames(target, stop);
  RowReader(connection, reading, frames, stop).read_items();
  frames.flush();
}

void back_up_left_over(Connection& control, RowReading& reading, const RowTarget& target, const std::stop_token& stop) {
  RowFrames frames(target, stop);
  RowReader(control, reading, frames, stop).read_left_over();
  frames.flush();
}

}  // namespace pana
