// libFuzzer target: connection strings. What is shown of one must not hold its password.
#include <cstdint>
#include <cstdlib>
#include <map>

#include "base/error.h"
#include "pg/conninfo.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string conninfo(reinterpret_cast<const char*>(data), size);
  try {
    std::map<std::string, std::string> values;
    for (const auto& [keyword, value] : pana::connection_parameters(conninfo)) values[keyword] = value;
    const auto value_or = [&values](const char* keyword, const std::string& otherwise) {
      return values[keyword].empty() ? otherwise : values[keyword];
    };
    const std::string allowed = value_or("host", "local socket") + ":" + value_or("port", "5432") + "/" + values["dbname"];
    if (pana::describe_target(conninfo) != allowed) std::abort();
  } catch (const pana::Error& error) {
    const std::string_view said = error.what();  // nothing of what could not be parsed
    if (said != "the database URL cannot be parsed" && said != "the connection string cannot be parsed") std::abort();
  }
  return 0;
}
