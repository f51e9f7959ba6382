// libFuzzer target: what comes from files and services of the machine: profiles, credentials, encoded keys.
#include <cstdint>
#include <cstdlib>

#include "base/error.h"
#include "net/aws_profile.h"
#include "net/credentials.h"
#include "net/uri.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  pana::parse_profile(text, "default");
  pana::parse_profile(text, "profile work");
  if (pana::percent_decode(pana::percent_encode(text)) != text) std::abort();
  if (pana::percent_decode(pana::percent_encode_path(text)) != text) std::abort();
  pana::percent_decode(text);
  try {
    pana::parse_credentials(text);
  } catch (const pana::Error&) {
    // Not credentials.
  }
  return 0;
}
