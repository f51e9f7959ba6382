// In which order and in what transactions the rows of a restore are loaded.
#pragma once

#include <cstddef>
#include <set>
#include <vector>

#include "command/restore_selection.h"
#include "format/index.h"
#include "pg/load_order.h"

namespace pana {

// What is loaded in one transaction: these tables' rows out of a frame; out of several, in one COPY, where the rows of
// a table refer to each other.
struct LoadUnit {
  std::vector<std::size_t> frames;
  std::set<TableId> tables;
};

// Units that may be loaded side by side. Stages follow one another.
using LoadStage = std::vector<LoadUnit>;

// The selected frames in the order that the target asks for: most in the first stage. A frame whose tables are of
// several stages is in each of these.
std::vector<LoadStage> plan_loading(const Index& index, const RestoreSelection& selection, const LoadOrder& order);

}  // namespace pana
