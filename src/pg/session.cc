#include "pg/session.h"

#include <fmt/format.h>

#include "pg/text_array.h"

namespace pana {
namespace {

// A session of ours that is idle for so long in its transaction has lost us, and nobody else would end it: its locks
// and its snapshot would stay. A worker waits for its turn and for a slow store no longer than this.
constexpr int kIdleMinutes = 60;

std::string timeouts(int server_version, int idle_minutes) {
  std::string sql =
      fmt::format("SET statement_timeout = 0; SET lock_timeout = 0; SET idle_in_transaction_session_timeout = '{}min'",
                  idle_minutes);
  if (server_version >= 140000) sql += "; SET idle_session_timeout = 0";
  if (server_version >= 170000) sql += "; SET transaction_timeout = 0";
  return sql;
}

std::string common_settings(std::string_view encoding, int server_version, int idle_minutes) {
  return fmt::format(
      "SET client_encoding = '{}'; SET standard_conforming_strings = on; SET search_path = ''; {}; "
      "SET DateStyle = ISO; SET IntervalStyle = postgres; SET row_security = off; "
      "SET client_min_messages = warning; SET lc_monetary = 'C'; SET quote_all_identifiers = off; "
      "SET transform_null_equals = off; SET default_transaction_isolation = 'read committed'; "
      "SET jit = off",  // the catalog's queries are long to compile and short to run: 0.9 s in place of 0.03 of one, at
                        // 2,000 tables
      encoding, timeouts(server_version, idle_minutes));
}

}  // namespace

void lift_timeouts(Connection& connection) { connection.query(timeouts(connection.server_version(), kIdleMinutes)); }

void prepare_reading_session(Connection& connection, std::string_view encoding) {
  connection.query(common_settings(encoding, connection.server_version(), kIdleMinutes) +
                   "; SET extra_float_digits = 3; SET synchronize_seqscans = off; SET bytea_output = hex; "
                   "SET TimeZone = 'UTC'");
  // Set for a role or the database, these make a server pass over what it cannot read. Whoever may not set them is told
  // so.
  connection.query(
      "SELECT pg_catalog.set_config(name, 'off', false) FROM pg_catalog.pg_settings "
      "WHERE name IN ('zero_damaged_pages', 'ignore_checksum_failure') AND setting = 'on'");
}

void prepare_loading_session(Connection& connection, std::string_view encoding) {
  connection.query(
      common_settings(encoding, connection.server_version(), 0) +
      "; SET check_function_bodies = off; SET xmloption = content; SET array_nulls = on; SET synchronous_commit = off");
  // Since some minor version; materialized views are filled from views and foreign tables.
  connection.query(
      "SELECT pg_catalog.set_config(name, '', false) FROM pg_catalog.pg_settings WHERE name = "
      "'restrict_nonsystem_relation_kind'");
}

void use_money_of(Connection& connection, std::string_view lc_monetary) {
  if (lc_monetary.empty()) connection.query("RESET lc_monetary");
}

void raise_maintenance_memory(Connection& connection, std::size_t sessions) {
  // pg_settings gives shared_buffers in blocks of 8 kB, maintenance_work_mem in kB.
  connection.query(
      fmt::format("SELECT pg_catalog.set_config('maintenance_work_mem', greatest(memory.setting::bigint, "
                  "least(buffers.setting::bigint * 8 / 2 / {}, 1048576))::text, false) "
                  "FROM pg_catalog.pg_settings AS memory, pg_catalog.pg_settings AS buffers "
                  "WHERE memory.name = 'maintenance_work_mem' AND buffers.name = 'shared_buffers'",
                  sessions));
}

std::string backup_preamble(std::string_view encoding) {
  return fmt::format(
      "SET statement_timeout = 0;\n"
      "SET lock_timeout = 0;\n"
      "SET idle_in_transaction_session_timeout = 0;\n"
      "SET client_encoding = '{}';\n"
      "SET standard_conforming_strings = on;\n"
      "SELECT pg_catalog.set_config('search_path', '', false);\n"
      "SET DateStyle = ISO;\n"
      "SET IntervalStyle = postgres;\n"
      "SET check_function_bodies = false;\n"
      "SET xmloption = content;\n"
      "SET client_min_messages = warning;\n"
      "SET row_security = off;\n"
      "SET lc_monetary = 'C';\n"
      "SET array_nulls = on;\n"
      "SET transform_null_equals = off;\n"
      "SET default_transaction_isolation = 'read committed';\n"
      "SELECT pg_catalog.set_config(name, '0', false) FROM pg_catalog.pg_settings WHERE name IN "
      "('idle_session_timeout', 'transaction_timeout');\n"
      "SELECT pg_catalog.set_config(name, '', false) FROM pg_catalog.pg_settings WHERE name = "
      "'restrict_nonsystem_relation_kind';\n\n",
      encoding);
}

bool is_superuser(Connection& connection) {
  return connection.query("SELECT rolsuper FROM pg_catalog.pg_roles WHERE rolname = current_user").boolean(0, 0);
}

std::string system_identifier(Connection& connection) try {
  return connection.query("SELECT system_identifier FROM pg_catalog.pg_control_system()").string(0, 0);
} catch (const DatabaseError& error) {
  if (error.sqlstate().empty()) throw;  // the connection's failure, not the server's answer
  return "";
}

std::string database_locale(Connection& connection) {
  const int version = connection.server_version();
  const std::string provider =
      version >= 150000 ? "CASE datlocprovider WHEN 'i' THEN 'icu' WHEN 'b' THEN 'builtin' ELSE 'libc' END" : "'libc'";
  const std::string locale = version >= 170000 ? "datlocale" : version >= 150000 ? "daticulocale" : "NULL";
  return connection
      .query(fmt::format("SELECT pg_catalog.concat_ws(' ', {}, {}, datcollate, datctype) FROM pg_catalog.pg_database "
                         "WHERE datname = pg_catalog.current_database()",
                         provider, locale))
      .string(0, 0);
}

std::string database_name(Connection& connection, std::string_view encoding) {
  return to_unicode(connection, encoding, {connection.query("SELECT pg_catalog.current_database()").string(0, 0)})
      .front();
}

std::string database_encoding(Connection& connection) {
  return connection.query("SELECT pg_catalog.getdatabaseencoding()").string(0, 0);
}

}  // namespace pana
