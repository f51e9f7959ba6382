#include "pg/database_address.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <libpq-fe.h>

#include <algorithm>
#include <array>
#include <map>
#include <memory>
#include <new>

#include "base/environment.h"
#include "base/error.h"
#include "pg/conninfo.h"

namespace pana {
namespace {

bool has_stray_percent(std::string_view text) {
  constexpr std::string_view kHex = "0123456789abcdefABCDEF";
  for (std::size_t at = text.find('%'); at != std::string_view::npos; at = text.find('%', at + 1)) {
    const std::string_view digits = text.substr(at + 1, 2);
    if (digits.size() < 2 || digits.find_first_not_of(kHex) != std::string_view::npos) return true;
  }
  return false;
}

// Which part of a URL does not parse, told without repeating any of it.
std::string url_hint(std::string_view url) {
  const std::string_view rest = url.substr(url.find("://") + 3);
  const std::size_t at = rest.rfind('@');
  if (at == std::string_view::npos) return "a URL looks like postgresql://user:password@host:5432/database";
  const std::string_view user_part = rest.substr(0, at);
  if (user_part.find_first_of("@/?#[] ") != std::string_view::npos || has_stray_percent(user_part)) {
    return "user name or password hold characters that must be percent-encoded in a URL: @ is %40, / is %2F, ? is "
           "%3F, # is %23, % is %25; or leave the password out and set PGPASSWORD";
  }
  return "user and password parse; check host, port, database and the options behind the ?";
}

// libpq ends the password at the first @ or /, and would take its rest for a host name.
bool has_unencoded_password(std::string_view url) {
  const std::string_view rest = url.substr(url.find("://") + 3);
  const std::string_view authority_and_path = rest.substr(0, rest.find('?'));
  const std::string_view path =
      authority_and_path.substr(std::min(authority_and_path.find('/'), authority_and_path.size()));
  return std::count(authority_and_path.begin(), authority_and_path.end(), '@') > 1 ||
         path.find('@') != std::string_view::npos;
}

using Values = std::map<std::string, std::string>;
using Options = std::unique_ptr<PQconninfoOption, decltype(&PQconninfoFree)>;

Values parse(const std::string& conninfo) {
  const bool is_url = is_database_url(conninfo);
  char* message = nullptr;
  const Options options(
      is_url && has_unencoded_password(conninfo) ? nullptr : PQconninfoParse(conninfo.c_str(), &message),
      &PQconninfoFree);
  PQfreemem(message);  // not shown: it quotes the string, password and all
  if (!options && is_url) throw Error(ErrorKind::usage, "the database URL cannot be parsed", url_hint(conninfo));
  if (!options) {
    throw Error(ErrorKind::usage, "the connection string cannot be parsed",
                "use a URL (postgresql://user:password@host:5432/database) or keywords (host=... dbname=...)");
  }
  Values values;
  for (const PQconninfoOption* option = options.get(); option->keyword != nullptr; ++option) {
    if (option->val == nullptr) continue;
    if (*option->val != '\0') {
      values[option->keyword] = option->val;
    } else if (option->envvar != nullptr &&
               !environment_value(option->envvar).empty()) {  // libpq would pass over it here
      throw Error(ErrorKind::usage,
                  fmt::format("{} is empty in the connection string, and {} would decide in its place", option->keyword,
                              option->envvar),
                  "give it a value, or leave it out");
    }
  }
  return values;
}

// What libpq makes of the values, with its environment, service file and own defaults. It only tells that of a
// connection, so one is begun that it gives up for its last value, before it reaches for the network.
Options resolve(Values values) {
  values["target_session_attrs"] = "none: only to see what would be done";
  std::vector<const char*> keywords;
  std::vector<const char*> texts;
  for (const auto& [keyword, value] : values) {
    keywords.push_back(keyword.c_str());
    texts.push_back(value.c_str());
  }
  keywords.push_back(nullptr);
  texts.push_back(nullptr);
  const std::unique_ptr<PGconn, decltype(&PQfinish)> connection(
      PQconnectStartParams(keywords.data(), texts.data(), /*expand_dbname=*/0), &PQfinish);
  Options options(connection ? PQconninfo(connection.get()) : nullptr, &PQconninfoFree);
  if (!options) throw std::bad_alloc();
  return options;
}

struct Default {
  std::string_view libpq;  // what libpq would do when nobody says anything
  const char* pana;
};

const std::map<std::string_view, Default>& defaults() {
  static const std::map<std::string_view, Default> all = {
      {"gssencmode", {"prefer", "disable"}}, {"fallback_application_name", {"", "pana"}},
      {"keepalives_idle", {"", "30"}},       {"keepalives_interval", {"", "10"}},
      {"keepalives_count", {"", "3"}},       {"tcp_user_timeout", {"", "60000"}},
      {"sslmode", {"prefer", "require"}},
  };
  return all;
}

}  // namespace

bool is_local_host(std::string_view hosts) {
  if (const std::size_t comma = hosts.find(','); comma != std::string_view::npos) {
    return is_local_host(hosts.substr(0, comma)) && is_local_host(hosts.substr(comma + 1));
  }
  if (hosts.empty() || hosts.starts_with('/') || hosts.starts_with('@') || hosts == "localhost") return true;
  const std::string host(hosts);
  std::array<unsigned char, sizeof(in6_addr)> address{};
  constexpr unsigned char kLoopbackNetwork = 127;
  if (::inet_pton(AF_INET, host.c_str(), address.data()) == 1) return address[0] == kLoopbackNetwork;
  return ::inet_pton(AF_INET6, host.c_str(), address.data()) == 1 &&
         std::equal(address.begin(), address.end(), in6addr_loopback.s6_addr);
}

DatabaseAddress::DatabaseAddress(const std::string& conninfo) {
  Values values = parse(conninfo);
  const Options resolved = resolve(values);
  Values known;
  for (const PQconninfoOption* option = resolved.get(); option->keyword != nullptr; ++option) {
    known[option->keyword] = option->val == nullptr ? "" : option->val;
  }
  const auto is_said = [&values](const char* keyword, const char* variable) {
    return (values.contains(keyword) && !values.at(keyword).empty()) || !environment_value(variable).empty();
  };
  names_database_ = is_said("dbname", "PGDATABASE") || is_said("service", "PGSERVICE");
  is_local_ = is_local_host(known["host"]) && is_local_host(known["hostaddr"]);
  for (const PQconninfoOption* option = resolved.get(); option->keyword != nullptr; ++option) {
    const auto found = defaults().find(option->keyword);
    if (found == defaults().end() || known[option->keyword] != found->second.libpq) continue;
    const bool is_chosen =
        values.contains(option->keyword) || (option->envvar != nullptr && !environment_value(option->envvar).empty());
    const bool is_needless = is_local_ && found->first == "sslmode";
    if (!is_chosen && !is_needless) known[option->keyword] = values[option->keyword] = found->second.pana;
  }
  sslmode_ = known["sslmode"];
  description_ = redacted(fmt::format("{}:{}/{}", known["host"].empty() ? "local socket" : known["host"],
                                      known["port"].empty() ? "5432" : known["port"], known["dbname"]));
  parameters_.assign(values.begin(), values.end());
}

}  // namespace pana
