#include "support/session.h"

#include <stdexcept>

namespace pana::test {
namespace {

using Result = std::unique_ptr<PGresult, decltype(&PQclear)>;

void require_success(const Result& result) {
  const ExecStatusType status = PQresultStatus(result.get());
  if (status != PGRES_TUPLES_OK && status != PGRES_COMMAND_OK) {
    throw std::runtime_error(PQresultErrorMessage(result.get()));
  }
}

}  // namespace

Session::Session(const std::string& url) : connection_(PQconnectdb(url.c_str()), &PQfinish) {
  if (PQstatus(connection_.get()) != CONNECTION_OK) throw std::runtime_error(PQerrorMessage(connection_.get()));
  PQsetNoticeProcessor(
      connection_.get(), [](void*, const char*) {}, nullptr);
}

std::string Session::execute(const std::string& sql) {
  const Result result(PQexec(connection_.get(), sql.c_str()), &PQclear);
  require_success(result);
  if (PQntuples(result.get()) == 0 || PQnfields(result.get()) == 0) return {};
  return PQgetvalue(result.get(), 0, 0);
}

void Session::send(const std::string& sql) {
  if (!PQsendQuery(connection_.get(), sql.c_str())) throw std::runtime_error(PQerrorMessage(connection_.get()));
}

void Session::finish() {
  while (PGresult* next = PQgetResult(connection_.get())) {
    const Result result(next, &PQclear);
    require_success(result);
  }
}

}  // namespace pana::test
