// How far a command has come: written by its workers, read by whoever shows it.
#pragma once

#include <atomic>
#include <cstdint>
#include <string>

#include "base/guarded.h"

namespace pana {

struct Progress {
  std::atomic<std::uint64_t> total{0};  // the size of the work, in the same unit as `done`; 0 while unknown
  std::atomic<std::uint64_t> done{0};   // bytes of tables, as the server or the index counts them
  std::atomic<std::uint64_t> bytes{0};  // of text that went through, for the rate
  std::atomic<std::uint64_t> rows{0};
  Guarded<std::string> activity;        // what is being done, for a person: "reading public.orders"

  void set_activity(std::string text) {
    activity.with([&text](std::string& current) { current = std::move(text); });
  }
};

}  // namespace pana
