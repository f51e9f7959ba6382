// What the user says of a database (a URL, a keyword string, nothing), completed with pana's defaults.
#pragma once

#include <chrono>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace pana {

constexpr std::chrono::seconds kConnectTimeout{30};

using ConnectionParameters = std::vector<std::pair<std::string, std::string>>;

// libpq's keywords and values for `conninfo`, and for what it leaves out:
//  - gssencmode=disable: poolers do not know the request;
//  - sslmode=require towards a host that is not this machine, unless one is given: libpq's own default would fall back
//    to no encryption without a word. An explicit sslmode is respected;
//  - keepalives and tcp_user_timeout, so that a half-open connection is noticed.
// libpq's environment variables (PGHOST ...) hold for what neither gives. Throws Error(usage) when the string cannot be
// parsed, without repeating it: it may hold a password.
ConnectionParameters connection_parameters(const std::string& conninfo);

// Whether a host, as libpq takes it, is this machine: nothing, a socket's directory or name, a loopback address.
bool is_local_host(std::string_view host);

// The connection string without its password, for messages.
std::string describe_target(const std::string& conninfo);

}  // namespace pana
