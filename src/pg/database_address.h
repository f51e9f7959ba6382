// Where a database is and how it is reached: what the user says of it (a URL, a keyword string, nothing), parsed once
// and completed with pana's defaults.
#pragma once

#include <chrono>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace pana {

constexpr std::chrono::seconds kConnectTimeout{30};

using ConnectionParameters = std::vector<std::pair<std::string, std::string>>;

// Whether a host, as libpq takes it, is this machine: nothing, a socket's directory or name, localhost, a loopback
// address. Of a list, separated by commas, whether each of them is.
bool is_local_host(std::string_view hosts);

class DatabaseAddress {
 public:
  // `conninfo` is a URL or a keyword/value string as libpq takes them; empty means libpq's environment, service and
  // password files. What those say is known here, too: libpq itself is asked, without a word to the network. Throws
  // Error(usage) when it cannot be parsed, without repeating it: it may hold a password.
  explicit DatabaseAddress(const std::string& conninfo);

  // libpq's keywords and values, the password among them, with pana's defaults where nobody has said anything:
  //  - sslmode=require towards any host that is not this machine: libpq's own default would fall back to no encryption
  //    without a word. (A service file's sslmode=prefer cannot be told from libpq's default, and is taken for it.)
  //  - gssencmode=disable: poolers do not know the request;
  //  - keepalives and tcp_user_timeout, so that a half-open connection is noticed.
  const ConnectionParameters& parameters() const& { return parameters_; }
  const ConnectionParameters& parameters() && = delete;  // of a temporary: they would not outlive it

  // "host:port/database", for messages. There is never a password in it.
  const std::string& description() const { return description_; }

  // Whether anybody has said which database: otherwise libpq takes the one that is called like the user.
  bool names_database() const { return names_database_; }
  bool is_local() const { return is_local_; }
  const std::string& sslmode() const { return sslmode_; }

 private:
  ConnectionParameters parameters_;
  std::string description_;
  std::string sslmode_;
  bool is_local_ = false;
  bool names_database_ = false;
};

}  // namespace pana
