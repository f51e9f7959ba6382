// libFuzzer target: the text of a row frame. What comes out must be what went in, wherever it was cut.
#include <cstdint>
#include <cstdlib>
#include <optional>

#include "base/error.h"
#include "format/row_frame_reader.h"

namespace {

// What the handler was given, put together again; nothing when the text was refused.
std::optional<std::string> read(std::string_view text, std::size_t cut) try {
  std::string all;
  const pana::RowFrameHandler handler{
      .begin_copy = [&all](std::string_view statement) { all.append("C<").append(statement).append(">"); },
      .row = [&all](std::string_view row) { all.append("R<").append(row).append(">"); },
      .end_copy = [&all] { all.append("E"); },
      .large_object_line = [&all](std::string_view line) { all.append("L<").append(line).append(">"); }};
  pana::RowFrameReader reader(handler);
  reader.feed(text.substr(0, cut));
  reader.feed(text.substr(cut));
  reader.finish();
  return all;
} catch (const pana::Error&) {
  return std::nullopt;
}

}  // namespace

// The first two bytes say where the rest is cut.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return 0;
  const std::string_view text(reinterpret_cast<const char*>(data) + 2, size - 2);
  if (read(text, (data[0] * 256u + data[1]) % (text.size() + 1)) != read(text, text.size())) std::abort();
  return 0;
}
