#include "cli/signals.h"

#include <csignal>
#include <ctime>

#include "base/log.h"

namespace pana {

Signals::Signals() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGINT);
  sigaddset(&signals, SIGTERM);
  ::pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  std::signal(SIGPIPE, SIG_IGN);
  thread_ = std::jthread([this, signals](const std::stop_token& end) {
    constexpr timespec kPeriod{.tv_sec = 0, .tv_nsec = 100'000'000};
    while (!end.stop_requested()) {
      if (::sigtimedwait(&signals, nullptr, &kPeriod) < 0) continue;
      log(LogLevel::warning, "stopping", "stopping on request");
      stop_.request_stop();
    }
  });
}

}  // namespace pana
