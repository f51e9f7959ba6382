// The names of an index as SQL.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <string_view>

#include "format/index.h"
#include "pg/connection.h"
#include "sql/schema_names.h"

namespace pana {

// Runs `action` while the session's client encoding is that of the index's names, then makes it the backup's again. An
// error leaves the session as it is: it can no longer be used for the backup's text.
void with_index_encoding(Connection& connection, const IndexHeader& header, const std::function<void()>& action);

// A text of the index, as such an action has it: of a SQL_ASCII database, its bytes.
std::string sql_text(const IndexHeader& header, std::string_view text);

// A table of the index, as such an action gives it.
RelationName sql_relation(const IndexHeader& header, const TableInfo& table);

// What the rows of a table of the index are copied into, quoted, in such an action: it, or the root of its partition
// tree where they may change places.
std::string sql_name_of_load(Connection& connection, const IndexHeader& header, const TableInfo& table);

// Names of the backup's script, which are in its encoding, as its index and the user's patterns have them: in Unicode.
// Each is converted once, by the server.
class ScriptNames {
 public:
  // `connection`, outside of with_index_encoding(), must outlive this.
  ScriptNames(Connection& connection, const IndexHeader& header)
      : connection_(connection), encoding_(header.encoding) {}

  std::string unicode(const std::string& name) const;
  // The inverse. Throws DatabaseError for what the script's encoding cannot express.
  std::string in_script(const std::string& unicode) const;
  RelationName unicode(const RelationName& name) const {
    return {.schema = unicode(name.schema), .name = unicode(name.name)};
  }

 private:
  Connection& connection_;
  const std::string encoding_;
  mutable std::map<std::string, std::string> converted_;
};

// A qualified name, quoted: of the script, in its encoding, or of the index, in such an action.
std::string sql_name(Connection& connection, const RelationName& name);
std::string sql_name(Connection& connection, const IndexHeader& header, std::string_view schema, std::string_view name);

}  // namespace pana
