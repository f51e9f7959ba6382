// libFuzzer target: the tail reader, the index parser, and every frame of whatever opens.
#include <fmt/format.h>
#include <xxhash.h>

#include <cstring>
#include <string>

#include "base/error.h"
#include "format/backup_reader.h"
#include "format/row_frame_reader.h"

namespace {

class Bytes : public pana::ObjectReader {
 public:
  explicit Bytes(std::string_view bytes) : bytes_(bytes) {}
  std::uint64_t size() const override { return bytes_.size(); }
  void read(std::uint64_t offset, std::span<char> into, const std::stop_token&) const override {
    if (offset > bytes_.size() || into.size() > bytes_.size() - offset) __builtin_trap();  // a read outside the object
    std::memcpy(into.data(), bytes_.data() + offset, into.size());
  }

 private:
  std::string_view bytes_;
};

void read_all(std::string_view bytes) {
  const Bytes object(bytes);
  pana::read_summary(object, {});
  const pana::BackupReader backup(object, {});
  const pana::RowFrameHandler handler{.begin_copy = [](std::string_view) {},
                                      .row = [](std::string_view) {},
                                      .end_copy = [] {},
                                      .large_object_line = [](std::string_view) {}};
  pana::BackupReader::Memory memory;
  for (std::size_t i = 0; i < backup.index().frames.size(); ++i) {
    pana::RowFrameReader rows(handler);
    backup.read_frame(i, [&rows](std::string_view text) { rows.feed(text); }, memory, {});
  }
}

// Past the checksums that keep random input away from the lines of an index. What is taken is read as it would be
// written.
void parse_sealed(std::string_view bytes) {
  const std::string text(bytes);
  const std::string end = fmt::format("-- pana:end {:020} {}\n", 0, pana::hex64(XXH64(text.data(), text.size(), 0)));
  try {
    const std::string written = pana::write_index(pana::parse_index(text + end));
    if (pana::write_index(pana::parse_index(written)) != written) __builtin_trap();
  } catch (const pana::Error&) {
  }
  try {
    pana::parse_index_head(bytes);
  } catch (const pana::Error&) {
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  try {
    read_all(bytes);
  } catch (const pana::Error&) {
    // A refusal is what most inputs deserve.
  }
  parse_sealed(bytes);
  return 0;
}
