// libFuzzer target: whatever a store answers.
#include <cstdint>
#include <cstdlib>

#include "store/s3_xml.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view xml(reinterpret_cast<const char*>(data), size);
  const auto error = pana::parse_s3_error(xml);
  const pana::S3ListPage page = pana::parse_list(xml);
  if (error && page.is_list) std::abort();  // a document has one root
  pana::parse_upload_id(xml);
  pana::parse_uploads(xml);
  pana::parse_parts(xml);
  return 0;
}
