#include "pg/copy.h"

namespace pana {
namespace {

// One message of this size costs little beside its rows, and little memory.
constexpr std::size_t kRowBufferBytes = 128 * 1024;

}  // namespace

CopyOut::CopyOut(Connection& connection, const std::string& statements) : wire_(connection) {
  wire_.send_query(statements);
}

bool CopyOut::next_copy() {
  Wire::Message message = wire_.next();
  while (message.type == Wire::kCommandComplete) message = wire_.next();
  if (message.type == Wire::kReadyForQuery) return false;
  if (message.type == Wire::kCopyOutResponse) return true;
  throw DatabaseError("the server did not answer COPY with rows", "");
}

void CopyOut::expect_end(const Wire::Message& message) {
  if (message.type == Wire::kCopyDone && wire_.next().type == Wire::kCommandComplete) return;
  throw DatabaseError("the server did not end COPY", "");
}

CopyIn::CopyIn(Connection& connection, const std::string& statement) : connection_(connection) {
  connection_.send(statement);
  const std::optional<QueryResult> result = connection_.next_result();
  if (!result || result->status() != PGRES_COPY_IN) {
    connection_.give_up();
    throw DatabaseError("the server did not accept COPY", "");
  }
  buffer_.reserve(kRowBufferBytes);
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
  if (buffer_.size() + text.size() > kRowBufferBytes) flush();
  if (text.size() > kRowBufferBytes) {
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
