// The sequence of an identity column as pg_dump makes it, in words that servers before 15 understand.
//
// That of an unlogged table may be logged, and before 15 always is. For it pg_dump writes, whatever server it reads,
//
//     ALTER TABLE t ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
//         SEQUENCE NAME t_id_seq
//         LOGGED
//         ...
//
// which is a syntax error up to 14, where nothing else exists.
#pragma once

#include <string>
#include <string_view>

namespace pana {

// The text of a SEQUENCE entry with such a LOGGED in a statement of its own, which has servers before 15 do nothing.
std::string with_persistence_apart(std::string_view entry_text);

}  // namespace pana
