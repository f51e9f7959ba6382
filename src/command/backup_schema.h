// The schema's way into a backup: pg_dump's script cut into frames.
#pragma once

#include <set>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "format/backup_writer.h"
#include "format/database_object.h"
#include "format/frame_builder.h"
#include "sql/schema_script.h"

namespace pana {

// Takes pg_dump's script as it comes. What makes the tables goes into the backup at once; what comes after the rows is
// kept, encoded, until they are complete.
class SchemaFrames {
 public:
  // `drops` are statements that undo what does not come from pg_dump; its own are added to them.
  SchemaFrames(BackupWriter& backup, Compression compression, std::vector<std::string> drops,
               const std::stop_token& stop);

  void feed(std::string_view script);

  // Says that the script has been fed: throws when it was cut short.
  void end_script();

  // Definitions that do not come from pg_dump, as SQL in the form of its script.
  void add_pre_data(std::string_view script);

  // What the script has made so far and has an OID; large objects, which have no names, are not among it.
  const std::set<ObjectId>& objects() const { return objects_; }

  // Ends the pre-data phase and opens the next one to the workers' rows.
  void end_pre_data();

  // Writes what was kept. The backup's post-data phase must be open.
  void append_post_data();

 private:
  void take(const SchemaEntry& entry);
  void append_drops();

  BackupWriter& backup_;
  std::vector<std::string> drops_;
  const std::stop_token& stop_;
  SchemaScriptReader script_;
  FrameBuilder pre_data_;
  FrameBuilder post_data_;
  std::vector<Frame> kept_;
  std::set<ObjectId> objects_;
  bool in_entries_ = false;
  bool in_post_data_ = false;
};

// A statement as the one-line comment of the clean phase, and back: psql must not see the statement, and a newline in a
// name must not end the comment.
std::string drop_comment(std::string_view statement);
std::vector<std::string> parse_drop_comments(std::string_view text);

}  // namespace pana
