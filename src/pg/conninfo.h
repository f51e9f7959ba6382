// The text of a connection string, and where its secrets stand in it: for what is shown of a text that may hold one.
//
// There is one notion of a password in pana, and it is here: libpq's grammar of keywords and values (conninfo_parse in
// fe-connect.c: blanks round the sign, quotes, backslashes) and of URLs (the password before the @, options behind the
// ?), and libpq's own list of the keywords that are secret. What libpq would not take is read all the same, and rather
// too much of it is hidden than too little.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace pana {

struct TextRange {
  std::size_t begin = 0;
  std::size_t end = 0;
};

// Where secrets are, of the connection strings that a text holds: in order, none beside or in another.
std::vector<TextRange> find_secrets(std::string_view text);

// The text with *** for each secret.
std::string redacted(std::string_view text);

// Whether a text where a location is wanted is meant for a database: it begins as a URL of one, or holds a secret.
bool is_connection_string(std::string_view text);

// Whether it begins as libpq's URLs do.
bool is_database_url(std::string_view text);

// Of the library that this process runs with: "15.18".
std::string libpq_version();

}  // namespace pana
