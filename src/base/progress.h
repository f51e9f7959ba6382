// How far a command has come: written by its workers, read by whoever shows it.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <string>

#include "base/guarded.h"

namespace pana {

struct Progress {
  std::atomic<std::uint64_t> total{0};  // the size of the work, in the same unit as `done`; 0 while unknown
  std::atomic<std::uint64_t> done{0};   // bytes of tables, as the server or the index counts them
  std::atomic<std::uint64_t> bytes{0};  // of text that went through, for the rate
  std::atomic<std::uint64_t> rows{0};
  Guarded<std::string> activity;  // what is being done, for a person: "reading public.orders"

  // Also an event of the log, for who wants to know each.
  void set_activity(std::string text);
};

// The progress at one moment, in figures.
struct ProgressReading {
  double seconds = 0;  // since the beginning
  std::uint64_t total = 0;
  std::uint64_t done = 0;
  std::uint64_t bytes = 0;
  std::uint64_t rows = 0;
  std::string activity;

  double fraction() const { return total == 0 ? 0 : static_cast<double>(done) / static_cast<double>(total); }
  double bytes_per_second() const { return seconds > 0 ? static_cast<double>(bytes) / seconds : 0; }
  double seconds_left() const { return fraction() > 0.01 ? seconds * (1 - fraction()) / fraction() : 0; }
  // One line for a person; `verb` says what is done: "backing up".
  std::string text(const std::string& verb) const;
};

ProgressReading read_progress(Progress& progress, std::chrono::steady_clock::time_point started);

// As an event of the log.
void log_progress(const std::string& verb, const ProgressReading& reading);

}  // namespace pana
