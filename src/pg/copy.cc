#include "pg/copy.h"

namespace pana {
namespace {

// One message of this size costs little beside its rows, and little memory.
constexpr std::size_t kBufferBytes = 128 * 1024;

}  // namespace

CopyOut::CopyOut(Connection& connection, const std::string& statements) : connection_(connection) {
  connection_.send(statements);
}

bool CopyOut::next_copy() {
  const std::optional<QueryResult> result = connection_.next_result();
  if (!result) return false;
  if (result->status() == PGRES_COPY_OUT) return true;
  throw DatabaseError("the server did not answer COPY with rows", "");
}

std::optional<std::string_view> CopyOut::next_row() {
  PGconn* const handle = connection_.handle();
  char* row = nullptr;
  int length = 0;
  while ((length = PQgetCopyData(handle, &row, /*async=*/1)) == 0) connection_.wait();
  if (length > 0) {
    row_.reset(row);
    return std::string_view(row, static_cast<std::size_t>(length));
  }
  row_.reset();
  if (length < -1) connection_.throw_error();
  const std::optional<QueryResult> end = connection_.next_result();
  if (!end || end->status() != PGRES_COMMAND_OK) throw DatabaseError("the server did not end COPY", "");
  return std::nullopt;
}

CopyIn::CopyIn(Connection& connection, const std::string& statement) : connection_(connection) {
  connection_.send(statement);
  const std::optional<QueryResult> result = connection_.next_result();
  if (!result || result->status() != PGRES_COPY_IN) throw DatabaseError("the server did not accept COPY", "");
  buffer_.reserve(kBufferBytes);
}

CopyIn::~CopyIn() {
  if (ended_ || !connection_.is_alive()) return;
  try {
    send_end("the rest of the rows did not come");
    while (connection_.next_result()) {
    }
  } catch (const Error&) {
    // The rows are gone either way, which is all that is wanted here.
  }
}

void CopyIn::add(std::string_view text) {
  if (buffer_.size() + text.size() > kBufferBytes) flush();
  if (text.size() > kBufferBytes) {
    buffer_.assign(text);
    flush();
  } else {
    buffer_.append(text);
  }
}

void CopyIn::flush() {
  PGconn* const handle = connection_.handle();
  if (buffer_.empty()) return;
  int queued = 0;
  while ((queued = PQputCopyData(handle, buffer_.data(), static_cast<int>(buffer_.size()))) == 0) {
    connection_.wait(/*for_write=*/true);
  }
  if (queued < 0) connection_.throw_error();
  connection_.flush();
  buffer_.clear();
}

void CopyIn::send_end(const char* error) {
  PGconn* const handle = connection_.handle();
  ended_ = true;
  int queued = 0;
  while ((queued = PQputCopyEnd(handle, error)) == 0) connection_.wait(/*for_write=*/true);
  if (queued < 0) connection_.throw_error();
  connection_.flush();
}

std::uint64_t CopyIn::finish() {
  flush();
  send_end(nullptr);
  std::uint64_t rows = 0;
  while (const std::optional<QueryResult> result = connection_.next_result()) rows = result->affected_rows();
  return rows;
}

}  // namespace pana
