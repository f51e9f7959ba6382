// Where the function's database is: a URL in the environment, or in a parameter of AWS Systems Manager.
#pragma once

#include <stop_token>
#include <string>

namespace pana {

// DATABASE_URL, or the SecureString that PANA_DATABASE_URL_PARAMETER names; with PANA_SSL_ROOT_CERT (certificates in
// PEM) completed so that the server must prove its identity. Throws Error(refused) when it allows a connection to
// another machine without encryption.
std::string database_url(const std::stop_token& stop);

// Throws Error(usage) when neither variable is set.
void require_database_url();

}  // namespace pana
