#include "pg/conninfo.h"

#include <fmt/format.h>
#include <libpq-fe.h>

#include <algorithm>
#include <cstdlib>
#include <map>
#include <memory>
#include <string_view>

#include "base/environment.h"
#include "base/error.h"

namespace pana {
namespace {

bool is_url(std::string_view conninfo) {
  return conninfo.starts_with("postgresql://") || conninfo.starts_with("postgres://");
}

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

using Options = std::unique_ptr<PQconninfoOption, decltype(&PQconninfoFree)>;

// libpq ends the password at the first @ or /, and would take its rest for a host name.
bool has_unencoded_password(std::string_view url) {
  const std::string_view rest = url.substr(url.find("://") + 3);
  const std::string_view authority_and_path = rest.substr(0, rest.find('?'));
  const std::string_view path = authority_and_path.substr(std::min(authority_and_path.find('/'), authority_and_path.size()));
  return std::count(authority_and_path.begin(), authority_and_path.end(), '@') > 1 || path.find('@') != std::string_view::npos;
}

Options parse(const std::string& conninfo) {
  if (is_url(conninfo) && has_unencoded_password(conninfo)) {
    throw Error(ErrorKind::usage, "the database URL cannot be parsed", url_hint(conninfo));
  }
  char* message = nullptr;
  Options options(PQconninfoParse(conninfo.c_str(), &message), &PQconninfoFree);
  PQfreemem(message);  // not shown: it quotes the string, password and all
  if (options) return options;
  if (is_url(conninfo)) throw Error(ErrorKind::usage, "the database URL cannot be parsed", url_hint(conninfo));
  throw Error(ErrorKind::usage, "the connection string cannot be parsed",
              "use a URL (postgresql://user:password@host:5432/database) or keywords (host=... dbname=...)");
}

std::map<std::string, std::string> given_values(const std::string& conninfo) {
  std::map<std::string, std::string> values;
  const Options options = parse(conninfo);
  for (const PQconninfoOption* option = options.get(); option->keyword != nullptr; ++option) {
    if (option->val != nullptr) values[option->keyword] = option->val;
  }
  return values;
}

std::string value_or_environment(const std::map<std::string, std::string>& values, const std::string& keyword,
                                 const char* variable) {
  const auto found = values.find(keyword);
  return found != values.end() ? found->second : environment_value(variable);
}

}  // namespace

bool is_local_host(std::string_view host) {
  return host.empty() || host.starts_with('/') || host.starts_with('@') || host == "localhost" || host == "::1" ||
         host.starts_with("127.");
}

ConnectionParameters connection_parameters(const std::string& conninfo) {
  std::map<std::string, std::string> values = given_values(conninfo);
  const auto set_default = [&values](const char* keyword, const char* variable, const char* value) {
    if (variable == nullptr || environment_value(variable).empty()) values.emplace(keyword, value);
  };
  set_default("gssencmode", "PGGSSENCMODE", "disable");
  set_default("fallback_application_name", nullptr, "pana");
  set_default("keepalives_idle", nullptr, "30");
  set_default("keepalives_interval", nullptr, "10");
  set_default("keepalives_count", nullptr, "3");
  set_default("tcp_user_timeout", nullptr, "60000");
  const bool has_service = values.contains("service") || !environment_value("PGSERVICE").empty();
  const bool local = is_local_host(value_or_environment(values, "hostaddr", "PGHOSTADDR")) &&
                     is_local_host(value_or_environment(values, "host", "PGHOST"));
  if (!has_service && !local) {
    set_default("sslmode", "PGSSLMODE", "require");
  }
  return {values.begin(), values.end()};
}

std::string describe_target(const std::string& conninfo) {
  const std::map<std::string, std::string> values = given_values(conninfo);
  const std::string host = value_or_environment(values, "host", "PGHOST");
  const std::string port = value_or_environment(values, "port", "PGPORT");
  const std::string database = value_or_environment(values, "dbname", "PGDATABASE");
  return fmt::format("{}:{}/{}", host.empty() ? "local socket" : host, port.empty() ? "5432" : port, database);
}

}  // namespace pana
