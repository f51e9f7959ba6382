// What a restore was to make and could not, because the server refused it.
#pragma once

#include <set>

#include "pg/large_objects.h"
#include "sql/named_object.h"
#include "sql/schema_object.h"

namespace pana {

// What the target has of these names is somebody else's: nothing of the backup's goes into it, or is put on it.
class NotMade {
 public:
  void add(const SchemaObject& object);

  // Whether the object changes one of these, or is said of one: its default, key, trigger, policy, grant, comment, a
  // table that inherits from it. Functions are told apart by their names alone: what is said of one with other
  // arguments counts as well.
  bool is_of_one(const SchemaObject& object) const;

  // Tables, views and sequences, by their names in the script.
  const std::set<RelationName>& relations() const { return relations_; }
  const std::set<LargeObjectId>& large_objects() const { return large_objects_; }

 private:
  std::set<RelationName> relations_;
  std::set<NamedObject> named_;
  std::set<LargeObjectId> large_objects_;
};

}  // namespace pana
