#include "cli/signals.h"

#include <pthread.h>

#include <csignal>

#include "base/log.h"

namespace pana {

Signals::Signals() {
  // SIGUSR1 is only sent by ourselves, to wake the thread when the program ends.
  sigset_t signals;
  sigemptyset(&signals);
  for (const int signal : {SIGINT, SIGTERM, SIGHUP, SIGUSR1}) sigaddset(&signals, signal);
  struct sigaction hangup {};
  ::sigaction(SIGHUP, nullptr, &hangup);
  if (hangup.sa_handler == SIG_IGN) sigdelset(&signals, SIGHUP);  // nohup
  ::pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  // What they tell is told by the errors of write() as well.
  for (const int signal : {SIGPIPE, SIGXFSZ}) std::signal(signal, SIG_IGN);
  thread_ = std::jthread([this, signals](const std::stop_token& end) {
    const std::stop_callback wake(end, [thread = ::pthread_self()] { ::pthread_kill(thread, SIGUSR1); });
    while (!end.stop_requested()) {
      int signal = 0;
      if (::sigwait(&signals, &signal) != 0 || signal == SIGUSR1) continue;
      stop_.request_stop();
      log(LogLevel::warning, "stopping", "stopping on request");
    }
  });
}

}  // namespace pana
