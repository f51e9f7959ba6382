// The settings of pana's own sessions, set by SET after connecting: poolers drop what a startup packet asks for.
#pragma once

#include <string>
#include <string_view>

#include "pg/connection.h"

namespace pana {

// What the role or the database has set shall not end a session that waits for its turn. Part of what prepares a
// session, and the first thing to do as soon as it is known that no pooler would give the session to others.
void lift_timeouts(Connection& connection);

// Settings under which rows read out of a database have one form everywhere, under which no timeout of the role or
// database ends a long backup, and damaged pages are errors. The client encoding becomes `encoding`, so that text
// passes unconverted.
void prepare_reading_session(Connection& connection, std::string_view encoding);

// Settings for loading: as in the preamble of a backup, and without waiting for the disk at every commit.
void prepare_loading_session(Connection& connection, std::string_view encoding);

// For a backup whose amounts of money are written as IndexHeader::lc_monetary says: where that is empty, by the
// session's own setting.
void use_money_of(Connection& connection, std::string_view lc_monetary);

// Lets each of so many sessions that build indexes at the same time sort in its share of half the server's
// shared_buffers, up to 1 GB, if that is more than maintenance_work_mem: a sort that fits needs no temporary files.
void raise_maintenance_memory(Connection& connection, std::size_t sessions);

// The preamble that a backup begins with: SETs that every supported server accepts.
std::string backup_preamble(std::string_view encoding);

// Whether the session's role is one.
bool is_superuser(Connection& connection);

// Which cluster it is, the same on its standbys and after a restart; empty where the server keeps it to itself. Not in
// a transaction, which a refusal would end.
std::string system_identifier(Connection& connection);

// How the database sorts and compares text: "libc C C", "icu de-DE en_US.utf8 en_US.utf8".
std::string database_locale(Connection& connection);

// The database's name in Unicode; the session's client encoding must be `encoding`, the database's.
std::string database_name(Connection& connection, std::string_view encoding);

// The database's encoding by PostgreSQL's name ("UTF8", "EUC_JP", "SQL_ASCII").
std::string database_encoding(Connection& connection);

}  // namespace pana
