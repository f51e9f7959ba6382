#include "pg/character.h"

#include <libpq-fe.h>

#include <algorithm>

namespace pana {

std::size_t byte_of_character(const std::string& text, std::size_t character, const std::string& encoding) {
  const int number = pg_char_to_encoding(encoding.c_str());
  std::size_t byte = 0;
  for (std::size_t count = 1; count < character && byte < text.size(); ++count)
    byte += static_cast<std::size_t>(std::max(1, PQmblenBounded(text.c_str() + byte, number)));
  return byte;
}

}  // namespace pana
