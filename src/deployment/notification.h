// The message about a backup that failed, written for the person who gets the e-mail.
#pragma once

#include <chrono>
#include <string>

#include "base/error.h"
#include "base/time.h"

namespace pana {

struct FailedBackup {
  std::string database;  // host:port/name, without a password; empty when it is not known
  std::string location;
  TimePoint started;
  double seconds = 0;
  std::string next_steps;  // Host::next_steps()
};

struct Notification {
  std::string subject;  // printable ASCII, at most 100 characters, as SNS wants it
  std::string message;
};
Notification describe(const FailedBackup& backup, const Error& error);

// https://docs.aws.amazon.com/sns/latest/api/API_Publish.html. Throws Error when SNS does not take it in the time
// given.
void publish(const std::string& topic, const Notification& notification, std::chrono::seconds patience);

}  // namespace pana
