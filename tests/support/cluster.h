// A throw-away PostgreSQL cluster: made from nothing, reachable by its URLs, stopped and removed by its destructor.
//
// PostgreSQL refuses to run as root: a test that is root gives the server to another account. Passwords are asked for
// and random, so that tests can look for a leaked secret. The server is started from a copy of its program in a tree
// of links, so that the extension of the tests can be offered to it without touching the system's own directories.
//
// The server's programs are those of the newest PostgreSQL of the system, or of the directory named by the environment
// variable PANA_TEST_SERVER, as scripts/get-postgresql makes it. The clients are those beside them, or else the
// system's newest.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "support/process.h"
#include "support/temporary_directory.h"

namespace pana::test {

// Whom the tests' servers run as: nobody in particular when the test's own account will do.
std::optional<Account> server_account();

class Cluster {
 public:
  // `settings` are lines of postgresql.conf. Throws std::runtime_error when PostgreSQL is missing or does not start.
  explicit Cluster(const std::vector<std::string>& settings = {});
  // One of a major version, which is there: find_server_programs().
  static std::unique_ptr<Cluster> of_major(int major);
  // One whose superuser is called supabase_admin, as on Supabase's platform: support/platform.h makes databases in it.
  static std::unique_ptr<Cluster> of_platform();
  // A hot standby of that cluster, with its databases and passwords, which follows it.
  static std::unique_ptr<Cluster> standby_of(const Cluster& primary);
  ~Cluster();
  Cluster(const Cluster&) = delete;
  Cluster& operator=(const Cluster&) = delete;

  // The reason why there can be no cluster on this machine; nothing when there can.
  static std::optional<std::string> missing();

  int port() const { return port_; }
  int version() const { return version_; }  // the major one
  const std::string& password() const { return password_; }
  const std::optional<Account>& account() const { return account_; }
  bool has_probe_extension() const { return has_probe_extension_; }

  // postgresql://user:password@127.0.0.1:port/database, percent-encoded. Of no user: the superuser, with its password.
  std::string url(const std::string& database) const;
  std::string url(const std::string& database, const std::string& user, const std::string& password) const;

  // An empty database of the C locale, replacing one that has this name.
  void create_database(const std::string& database, const std::string& encoding = "UTF8") const;
  void drop_database(const std::string& database) const;

  // What `psql -X -A -t` prints, without the last newline; throws what it says at the first error.
  std::string sql(const std::string& database, const std::string& text) const;
  void psql_file(const std::string& database, const std::filesystem::path& file) const;

  // A client program of PostgreSQL with the connection in its environment.
  Command client(const std::string& program, const std::vector<std::string>& arguments,
                 const std::string& database) const;

  // A script of pg_dump's for this cluster's psql: without the setting of newer servers that a newer pg_dump begins
  // with.
  std::string pg_dump(const std::vector<std::string>& arguments, const std::string& database) const;

  // Waits until the server takes connections again, as after the death of a backend.
  void wait_until_ready() const;

  // Takes an extension from this server, if that is a copy: as one where it is not installed.
  void hide_extension(const std::string& name);

  // Makes the role able to log in with this cluster's password.
  void allow_login(const std::string& role) const;

 private:
  struct Uninitialized {};
  Cluster(Uninitialized, const std::optional<std::filesystem::path>& server_programs);
  void initialize_and_start(const std::vector<std::string>& settings);
  void start();
  void pg_ctl(const std::vector<std::string>& arguments) const;

  TemporaryDirectory directory_;  // in memory where there is plenty
  std::filesystem::path server_programs_;
  std::optional<std::filesystem::path> client_programs_;
  std::optional<Account> account_;
  std::string superuser_ = "postgres";
  std::string password_;
  int port_ = 0;
  int version_ = 0;
  bool has_probe_extension_ = false;
};

// The cluster that all tests of the program share, started at first use.
Cluster& shared_cluster();

// Stops the shared cluster if it was started; main() calls it after the last test.
void stop_shared_cluster();

// "'" and '"' doubled: a literal and an identifier of SQL.
std::string sql_literal(const std::string& text);
std::string sql_identifier(const std::string& text);

std::filesystem::path fixture(const std::string& name);

}  // namespace pana::test
