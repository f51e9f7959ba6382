// Builds one frame after another from text and rows that arrive in pieces.
//
// What is added goes into the encoder as it comes, so a builder holds a small staging buffer and
// the encoded form, never a second copy of the text. One builder serves one thread.
#pragma once

#include <string>
#include <string_view>

#include "format/compression.h"
#include "format/frame.h"

namespace pana {

class FrameBuilder {
 public:
  explicit FrameBuilder(Compression compression) : encoder_(compression) {}

  // SQL text outside any table's rows.
  void add(std::string_view text);

  // A COPY section: its statement (with the newline), its rows, its end.
  void begin_copy(TableId table, std::string_view copy_statement);
  // `row` is one row's COPY text with its newline.
  void add_row(std::string_view row) {
    digest_->add(row.substr(0, row.size() - 1));
    add(row);
  }
  void end_copy();

  // One line of SQL, with its newline, that restores a piece of a large object; it is counted and digested as a row.
  void add_large_object_line(std::string_view line);

  std::uint64_t bytes() const { return bytes_; }
  bool empty() const { return bytes_ == 0; }

  // The frame with everything added since the last call; the builder is empty again.
  Frame finish(Phase phase);

  // Lets an empty builder put the next frame's encoded form where a former one's was: fresh memory costs the kernel as
  // much as a tenth of all that is done with the rows.
  void reuse(std::string storage);

 private:
  void flush();

  FrameEncoder encoder_;
  std::string staging_;
  std::uint64_t bytes_ = 0;
  Frame frame_;
  RowDigest* digest_ = nullptr;       // of the open COPY section's table
  std::uint64_t rows_before_ = 0;     // of that table in this frame, before the section began
};

}  // namespace pana
