#include "command/load_plan.h"

#include <algorithm>
#include <iterator>
#include <map>
#include <optional>
#include <utility>

#include "command/sql_names.h"

namespace pana {
namespace {

class LoadPlan {
 public:
  LoadPlan(const Index& index, const RestoreSelection& selection, const LoadOrder& order)
      : index_(index), selection_(selection) {
    std::map<RelationName, TableId> ids;
    for (const TableInfo* const table : selection.tables) ids[sql_relation(index_.header, *table)] = table->id;
    const auto id_of = [&ids](const RelationName& name) {
      const auto found = ids.find(name);
      return found == ids.end() ? std::nullopt : std::optional(found->second);
    };
    for (const auto& [name, level] : order.levels) {
      if (const std::optional<TableId> id = id_of(name)) levels_[*id] = level;
    }
    for (const RelationName& name : order.refer_to_themselves) {
      if (const std::optional<TableId> id = id_of(name)) in_one_.insert(*id);
    }
    for (const RelationName& name : order.computed) {
      if (const std::optional<TableId> id = id_of(name)) computed_.insert(*id);
    }
    for (const RelationName& name : order.watched) {
      if (const std::optional<TableId> id = id_of(name)) watched_.insert(*id);
    }
  }

  std::vector<LoadStage> stages() {
    std::map<std::size_t, LoadStage> by_level;
    std::map<TableId, LoadUnit> whole_tables;
    std::map<std::size_t, std::vector<LoadStage>> behind;  // of each level
    std::vector<LoadStage> last;
    for (const std::size_t frame : selection_.frames) {
      std::map<std::size_t, std::set<TableId>> parts;
      std::map<std::size_t, std::set<TableId>> watched;
      std::set<TableId> computed;
      for (const FrameRows& rows : index_.frames[frame].tables) {
        const TableId table = rows.table;
        if (!selection_.table_ids.contains(table)) continue;
        if (computed_.contains(table)) {
          computed.insert(table);
        } else if (watched_.contains(table)) {
          watched[level_of(table)].insert(table);
        } else if (in_one_.contains(table)) {
          whole_tables[table].frames.push_back(frame);
        } else {
          parts[level_of(table)].insert(table);
        }
      }
      for (auto& [level, tables] : parts) by_level[level].push_back({.frames = {frame}, .tables = std::move(tables)});
      for (auto& [level, tables] : watched) add_in_turn(behind[level], frame, std::move(tables));
      if (!computed.empty()) add_in_turn(last, frame, std::move(computed));
    }
    for (auto& [table, unit] : whole_tables) {
      unit.tables = {table};
      by_level[level_of(table)].push_back(std::move(unit));
    }
    for (auto& [level, stage] : by_level) {
      std::vector<LoadStage>& of_level = behind[level];
      of_level.insert(of_level.begin(), std::move(stage));
    }
    std::vector<LoadStage> stages;
    for (auto& [level, of_level] : behind) std::ranges::move(of_level, std::back_inserter(stages));
    std::ranges::move(last, std::back_inserter(stages));
    return stages;
  }

 private:
  std::size_t level_of(TableId table) const {
    const auto found = levels_.find(table);
    return found == levels_.end() ? 0 : found->second;
  }

  // In the file's order one table after the other: frames of one table alone go side by side.
  void add_in_turn(std::vector<LoadStage>& stages, std::size_t frame, std::set<TableId> tables) const {
    const bool goes_on = !stages.empty() && tables.size() == 1 && stages.back().front().tables == tables;
    if (!goes_on) {
      stages.push_back({{.frames = {frame}, .tables = std::move(tables)}});
    } else if (in_one_.contains(*tables.begin())) {
      stages.back().front().frames.push_back(frame);
    } else {
      stages.back().push_back({.frames = {frame}, .tables = std::move(tables)});
    }
  }

  const Index& index_;
  const RestoreSelection& selection_;
  std::map<TableId, std::size_t> levels_;
  std::set<TableId> in_one_;
  std::set<TableId> computed_;
  std::set<TableId> watched_;
};

}  // namespace

std::vector<LoadStage> plan_loading(const Index& index, const RestoreSelection& selection, const LoadOrder& order) {
  return LoadPlan(index, selection, order).stages();
}

}  // namespace pana
