#include "support/cluster.h"

#include <fmt/format.h>
#include <libpq-fe.h>
#include <pwd.h>
#include <unistd.h>

#include <fstream>
#include <memory>
#include <random>
#include <stdexcept>

#include "support/server_tree.h"

namespace pana::test {
namespace fs = std::filesystem;
namespace {

std::string random_password() {
  std::random_device source;
  return fmt::format("secret-{:08x}{:08x}{:08x}", source(), source(), source());
}

std::string percent_encoded(const std::string& text) {
  std::string result;
  for (const char c : text) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
    result += plain ? std::string(1, c) : fmt::format("%{:02X}", static_cast<unsigned char>(c));
  }
  return result;
}

std::string doubled(const std::string& text, char quote) {
  std::string result(1, quote);
  for (const char c : text) {
    if (c == quote) result += quote;
    result += c;
  }
  return result + quote;
}

// A server in memory takes a third less time for the tests. Some of them make a database of 1 GiB, and several run side
// by side.
fs::path parent_of_clusters() {
  constexpr std::uintmax_t kPlentyKiB = std::uintmax_t{10} << 20;
  const fs::path memory = "/dev/shm";
  std::uintmax_t available_kib = 0;
  std::ifstream lines("/proc/meminfo");
  for (std::string word; lines >> word;) {
    if (word == "MemAvailable:") lines >> available_kib;
  }
  std::error_code error;
  const fs::space_info space = fs::space(memory, error);
  const bool fits = !error && space.available / 1024 >= kPlentyKiB && available_kib >= kPlentyKiB;
  return fits && ::access(memory.c_str(), W_OK) == 0 ? memory : fs::temp_directory_path();
}

void give(const fs::path& path, const std::optional<Account>& account) {
  if (account && ::chown(path.c_str(), account->user_id, account->group_id) != 0) {
    throw std::runtime_error("cannot give away " + path.string());
  }
}

std::unique_ptr<Cluster>& shared_cluster_slot() {
  static std::unique_ptr<Cluster> slot;
  return slot;
}

}  // namespace

std::optional<Account> server_account() {
  if (::geteuid() != 0) return std::nullopt;
  for (const char* name : {"postgres", "nobody"}) {
    if (const passwd* entry = ::getpwnam(name)) return Account{entry->pw_uid, entry->pw_gid};
  }
  throw std::runtime_error("servers do not run as root, and there is neither a user postgres nor nobody");
}

Cluster::Cluster(Uninitialized, const std::optional<fs::path>& programs)
    : directory_(parent_of_clusters()), account_(server_account()), password_(random_password()) {
  if (!programs) throw std::runtime_error("PostgreSQL's initdb is not installed");
  fs::create_directory(directory_ / "data");
  give(directory_.path(), account_);
  give(directory_ / "data", account_);
  const auto moved = make_server_tree(*programs, directory_ / "server", fixture("extension"));
  has_probe_extension_ = moved.has_value();
  server_programs_ = moved.value_or(*programs);
  client_programs_ = find_client_programs(*programs);
}

Cluster::Cluster(const std::vector<std::string>& settings) : Cluster(Uninitialized(), find_server_programs()) {
  initialize_and_start(settings);
}

std::unique_ptr<Cluster> Cluster::of_major(int major) {
  std::unique_ptr<Cluster> cluster(new Cluster(Uninitialized(), find_server_programs(major)));
  cluster->initialize_and_start({});
  return cluster;
}

std::unique_ptr<Cluster> Cluster::of_platform() {
  std::unique_ptr<Cluster> cluster(new Cluster(Uninitialized(), find_server_programs()));
  cluster->superuser_ = "supabase_admin";
  cluster->initialize_and_start({});
  return cluster;
}

std::unique_ptr<Cluster> Cluster::standby_of(const Cluster& primary) {
  std::unique_ptr<Cluster> standby(new Cluster(Uninitialized(), find_server_programs()));
  standby->superuser_ = primary.superuser_;
  standby->password_ = primary.password_;
  standby->version_ = primary.version_;
  Command copy = primary.client(
      "pg_basebackup", {"--pgdata", standby->directory_ / "data", "--write-recovery-conf", "--checkpoint=fast"},
      "postgres");
  copy.account = standby->account_;
  run_successfully(copy);
  fs::permissions(standby->directory_ / "data", fs::perms::owner_all);
  std::ofstream(standby->directory_ / "data/postgresql.conf", std::ios::app)
      << "unix_socket_directories = '" << standby->directory_.path().string() << "'\n";
  standby->start();
  return standby;
}

Cluster::~Cluster() {
  try {
    pg_ctl({"stop", "-m", "immediate"});
  } catch (const std::exception&) {
    // Never started, or already gone.
  }
}

std::optional<std::string> Cluster::missing() {
  const auto server_programs = find_server_programs();
  if (!server_programs) return "PostgreSQL's server is not installed (package postgresql)";
  if (const auto closed = closed_to_others(*server_programs)) {
    return fmt::format("the server's account may not pass {} (run the tests as somebody else than root, or elsewhere)",
                       closed->string());
  }
  if (!find_client_programs(*server_programs) && !find_program("psql"))
    return "psql is not installed (package postgresql-client)";
  return std::nullopt;
}

void Cluster::initialize_and_start(const std::vector<std::string>& settings) {
  const fs::path password_file = directory_ / "password";
  std::ofstream(password_file) << password_ << "\n";
  give(password_file, account_);
  run_successfully(
      {.argv = {server_programs_ / "initdb", "--pgdata", directory_ / "data", "--username", superuser_, "--auth",
                "scram-sha-256", "--pwfile", password_file, "--encoding", "UTF8", "--locale", "C", "--no-sync"},
       .account = account_});
  fs::remove(password_file);

  std::ofstream configuration(directory_ / "data/postgresql.conf", std::ios::app);
  configuration << "listen_addresses = '127.0.0.1'\n"
                << "unix_socket_directories = '" << directory_.path().string() << "'\n"
                << "fsync = off\n"  // a test's data need not survive the machine
                << "max_connections = 200\n"
                << "max_prepared_transactions = 5\n"
                << "wal_level = logical\n"  // or publications warn
                << "max_wal_size = 4GB\n"
                << "shared_buffers = 128MB\n"
                << "jit = off\n"  // as pana has it: the tests' own questions to the catalog are compiled at each asking
                << "autovacuum = off\n"  // pages and statistics change when a test says so
                << "lc_messages = 'C'\n";
  for (const std::string& line : settings) configuration << line << "\n";
  configuration.close();
  start();
  version_ = std::stoi(sql("postgres", "SHOW server_version_num")) / 10000;
}

void Cluster::start() {
  constexpr int kAttempts = 3;  // somebody else may take the port between looking and listening
  for (int attempt = 1;; ++attempt) {
    port_ = free_port();
    try {
      pg_ctl({"start", "-w", "-t", "120", "-l", directory_ / "log", "-o", fmt::format("-p {}", port_)});
      return;
    } catch (const std::exception& error) {
      std::ifstream log(directory_ / "log");
      const std::string said((std::istreambuf_iterator<char>(log)), {});
      if (attempt == kAttempts) throw std::runtime_error(fmt::format("{}\n{}", error.what(), said));
    }
  }
}

void Cluster::pg_ctl(const std::vector<std::string>& arguments) const {
  std::vector<std::string> argv = {server_programs_ / "pg_ctl", "-D", directory_ / "data"};
  argv.insert(argv.end(), arguments.begin(), arguments.end());
  run_successfully({.argv = argv, .account = account_});
}

std::string Cluster::url(const std::string& database) const { return url(database, superuser_, password_); }

std::string Cluster::url(const std::string& database, const std::string& user, const std::string& password) const {
  return fmt::format("postgresql://{}:{}@127.0.0.1:{}/{}", percent_encoded(user), percent_encoded(password), port_,
                     percent_encoded(database));
}

void Cluster::create_database(const std::string& database, const std::string& encoding) const {
  drop_database(database);
  sql("postgres", fmt::format("CREATE DATABASE {} TEMPLATE template0 ENCODING {} LC_COLLATE 'C' LC_CTYPE 'C'",
                              sql_identifier(database), sql_literal(encoding)));
}

void Cluster::drop_database(const std::string& database) const {
  const std::string found =
      sql("postgres", "SELECT count(*) FROM pg_database WHERE datname = " + sql_literal(database));
  if (found == "0") return;
  // A database with subscriptions cannot be dropped.
  sql(database,
      "SELECT format('DROP SUBSCRIPTION %I', subname) FROM pg_subscription WHERE subdbid = "
      "(SELECT oid FROM pg_database WHERE datname = current_database()) \\gexec");
  sql("postgres", fmt::format("DROP DATABASE {} WITH (FORCE)", sql_identifier(database)));
}

std::string Cluster::sql(const std::string& database, const std::string& text) const {
  Command command = client("psql", {"-X", "-A", "-t", "-q", "-v", "ON_ERROR_STOP=1", "-f", "-"}, database);
  command.input = text;
  std::string out = run_successfully(command);
  if (out.ends_with('\n')) out.pop_back();
  return out;
}

void Cluster::psql_file(const std::string& database, const fs::path& file) const {
  run_successfully(client("psql", {"-X", "-q", "-o", "/dev/null", "-v", "ON_ERROR_STOP=1", "-f", file}, database));
}

Command Cluster::client(const std::string& program, const std::vector<std::string>& arguments,
                        const std::string& database) const {
  Command command{.argv = {client_programs_ ? (*client_programs_ / program).string() : program},
                  .environment = {{"PGHOST", "127.0.0.1"},
                                  {"PGPORT", std::to_string(port_)},
                                  {"PGUSER", superuser_},
                                  {"PGPASSWORD", password_},
                                  {"PGDATABASE", database},
                                  {"PGCLIENTENCODING", ""},
                                  {"PGOPTIONS", "-c client_min_messages=warning"}}};
  command.argv.insert(command.argv.end(), arguments.begin(), arguments.end());
  return command;
}

std::string Cluster::pg_dump(const std::vector<std::string>& arguments, const std::string& database) const {
  std::string script = run_successfully(client("pg_dump", arguments, database));
  constexpr std::string_view kNewer = "SET transaction_timeout = 0;\n";
  if (const std::size_t found = script.find(kNewer); found != std::string::npos) script.erase(found, kNewer.size());
  return script;
}

void Cluster::wait_until_ready() const {
  const std::string connection = fmt::format("{}?connect_timeout=10", url("postgres"));
  for (int attempt = 0; attempt < 600; ++attempt) {
    // A dead backend takes the others with it a moment later: only a server that also answers is back.
    const std::unique_ptr<PGconn, decltype(&PQfinish)> session(PQconnectdb(connection.c_str()), &PQfinish);
    const std::unique_ptr<PGresult, decltype(&PQclear)> result(PQexec(session.get(), "SELECT 1"), &PQclear);
    if (PQresultStatus(result.get()) == PGRES_TUPLES_OK) return;
    ::usleep(50'000);  // a server that is starting offers nothing to wait on
  }
  throw std::runtime_error("the server did not come back");
}

void Cluster::allow_login(const std::string& role) const {
  sql("postgres", fmt::format("ALTER ROLE {} LOGIN PASSWORD {}", sql_identifier(role), sql_literal(password_)));
}

void Cluster::hide_extension(const std::string& name) {
  for (const auto& entry : fs::recursive_directory_iterator(directory_ / "server")) {
    if (entry.path().filename() == name + ".control") {
      fs::remove(entry.path());
      break;
    }
  }
}

Cluster& shared_cluster() {
  auto& slot = shared_cluster_slot();
  if (!slot) slot = std::make_unique<Cluster>();
  return *slot;
}

void stop_shared_cluster() { shared_cluster_slot().reset(); }

std::string sql_literal(const std::string& text) {
  // The E form, so that a backslash means the same whatever standard_conforming_strings says.
  std::string escaped;
  for (const char c : text) escaped += c == '\\' ? "\\\\" : std::string(1, c);
  return "E" + doubled(escaped, '\'');
}

std::string sql_identifier(const std::string& text) { return doubled(text, '"'); }

fs::path fixture(const std::string& name) { return fs::path(PANA_SOURCE_DIR) / "tests/fixtures" / name; }

}  // namespace pana::test
