#include "deployment/notification.h"

#include <fmt/format.h>

#include "base/human.h"
#include "base/unicode.h"
#include "net/aws_service.h"
#include "net/uri.h"

namespace pana {
namespace {

constexpr std::size_t kLongestSubject = 100;
constexpr std::size_t kLongestReason = 8000;  // SNS takes 256 KiB; nobody reads as much

// Cut between characters: half a one would be no UTF-8, and nothing that SNS takes.
std::string shortened(std::string text) {
  if (text.size() <= kLongestReason) return text;
  std::size_t end = kLongestReason;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) --end;
  return text.substr(0, end) + " ... (the log has all of it)";
}

std::string subject_for(const std::string& database) {
  std::string subject = fmt::format("pana: the backup of {} failed", database);
  const bool is_allowed =
      is_ascii(subject) && without_controls(subject) == subject && subject.size() <= kLongestSubject;
  return is_allowed ? subject : "pana: a database backup failed";
}

}  // namespace

Notification describe(const FailedBackup& backup, const Error& error) {
  const std::string database = backup.database.empty() ? "the database" : backup.database;
  std::string text = fmt::format("The backup of {} failed. It began at {} and ended after {}.\n\n", database,
                                 rfc3339(backup.started), human_seconds(backup.seconds));
  text += fmt::format("What failed:\n  {}\n\n", shortened(error.what()));
  if (!error.hint().empty()) text += fmt::format("What to do:\n  {}\n\n", shortened(error.hint()));
  text += "What there is:\n  Earlier backups are untouched. ";
  // What the store gives back, or says of itself, was something else: its word is not to be relied on.
  text +=
      error.kind() == ErrorKind::damaged
          ? fmt::format("Look at those under {}/\n  with \"pana verify\" before you rely on them.\n\n", backup.location)
          : fmt::format(
                "Uploads become visible only when they are complete, so every backup under\n"
                "  {}/ with a name like backup_YYYYMMDD_HHMMSS.sql or .sql.zst is whole; \"pana verify\" "
                "proves it.\n\n",
                backup.location);
  return {.subject = subject_for(database), .message = text + backup.next_steps};
}

void publish(const std::string& topic, const Notification& notification, std::chrono::seconds patience) {
  const std::string body = query_string({{"Action", "Publish"},
                                         {"Version", "2010-03-31"},
                                         {"TopicArn", topic},
                                         {"Subject", notification.subject},
                                         {"Message", notification.message}});
  AwsService("sns").post({.action = fmt::format("publish to {}", topic),
                          .permission = fmt::format("sns:Publish on {}, and the topic's key", topic),
                          .headers = {{"content-type", "application/x-www-form-urlencoded"}},
                          .body = body,
                          .patience = patience},
                         {});
}

}  // namespace pana
