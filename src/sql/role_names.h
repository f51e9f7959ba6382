// Where the statements of a schema script name roles.
#pragma once

#include <string_view>
#include <vector>

#include "sql/schema_object.h"

namespace pana {

// The names of roles in a statement of the object, as written, views into it: of OWNER TO, of grants (their defaults'
// FOR ROLE and the SET SESSION AUTHORIZATION around them as well), of a policy's TO, of a user mapping. PUBLIC is none.
// Everything else in a statement may look like a name of a role and is something else.
std::vector<std::string_view> role_names_in(const SchemaObject& object, const SchemaStatement& statement);

}  // namespace pana
