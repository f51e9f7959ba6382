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

  // A COPY section: its statement (with the newline), its rows, its end. It is whole or there is no frame: while one is
  // open, and after one was given up, nothing can be added to the builder and no frame comes out of it.
  class Section {
   public:
    Section(FrameBuilder& frame, TableId table, std::string_view copy_statement);
    Section(const Section&) = delete;
    Section& operator=(const Section&) = delete;

    // A row's COPY text, or a piece of it of which `more` bytes are still to come; the last piece ends with the
    // newline.
    void add(std::string_view piece, std::size_t more = 0) {
      frame_.rows_.add(digest_, piece, more);
      if (more > 0) frame_.expect(piece.size() + more);
      frame_.put(piece);
    }

    void end();

   private:
    FrameBuilder& frame_;
    RowDigest& digest_;                // of the table in this frame
    const std::uint64_t rows_before_;  // of the table in this frame, before the section began
  };

  // SQL text outside any table's rows.
  void add(std::string_view text);

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
  void put(std::string_view text);
  void flush();
  // Makes room for a row that is known to be long: text that grows by and by would be held twice.
  void expect(std::size_t bytes);

  FrameEncoder encoder_;
  std::string staging_;
  std::uint64_t bytes_ = 0;
  Frame frame_;
  RowDigester rows_;
  bool in_section_ = false;
};

}  // namespace pana
