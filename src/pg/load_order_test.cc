#include "pg/load_order.h"

#include <gtest/gtest.h>

#include <random>

namespace pana {
namespace {

RelationName table(const std::string& name) { return {.schema = "public", .name = name}; }

TEST(LoadOrder, PutsTablesBehindThoseTheyReferTo) {
  LoadOrder order;
  find_levels({{table("a"), {table("b"), table("d")}}, {table("b"), {table("c")}}, {table("e"), {table("d")}}}, order);
  EXPECT_EQ(order.levels, (std::map<RelationName, std::size_t>{{table("a"), 2}, {table("b"), 1}, {table("e"), 1}}));
  EXPECT_TRUE(order.in_circles.empty());
}

TEST(LoadOrder, NamesThoseInCirclesAndNotThoseBehindThem) {
  LoadOrder order;
  find_levels({{table("a"), {table("b")}}, {table("b"), {table("c")}}, {table("c"), {table("b"), table("free")}}},
              order);
  EXPECT_EQ(order.in_circles, (std::set<RelationName>{table("b"), table("c")}));
  EXPECT_EQ(order.levels, (std::map<RelationName, std::size_t>{{table("a"), 2}, {table("b"), 1}, {table("c"), 1}}));
}

TEST(LoadOrder, KnowsATableBetweenTwoCirclesFromThoseInThem) {
  LoadOrder order;
  find_levels({{table("a"), {table("b")}},
               {table("b"), {table("a"), table("between")}},
               {table("between"), {table("y")}},
               {table("y"), {table("z")}},
               {table("z"), {table("y")}}},
              order);
  EXPECT_EQ(order.in_circles, (std::set<RelationName>{table("a"), table("b"), table("y"), table("z")}));
  EXPECT_EQ(order.levels,
            (std::map<RelationName, std::size_t>{
                {table("a"), 3}, {table("b"), 3}, {table("between"), 2}, {table("y"), 1}, {table("z"), 1}}));
}

// The time of the square of their number would be half an hour.
TEST(LoadOrder, IsFoundForManyTablesInAChainAndInACircle) {
  constexpr std::size_t kTables = 20'000;
  References references;
  for (std::size_t i = 1; i < kTables; ++i) references[table(std::to_string(i))] = {table(std::to_string(i - 1))};
  LoadOrder chain;
  find_levels(references, chain);
  EXPECT_EQ(chain.levels.at(table(std::to_string(kTables - 1))), kTables - 1);
  references[table("0")] = {table(std::to_string(kTables - 1))};
  LoadOrder circle;
  find_levels(references, circle);
  EXPECT_EQ(circle.in_circles.size(), kTables);
}

TEST(LoadOrder, IsRightForAnyGraphWithoutCircles) {
  std::mt19937 random(18);
  for (int round = 0; round < 500; ++round) {
    std::map<RelationName, std::set<RelationName>> references;
    for (int from = 1; from < 20; ++from) {
      for (int to = 0; to < from; ++to) {
        if (random() % 5 == 0) references[table(std::to_string(from))].insert(table(std::to_string(to)));
      }
    }
    LoadOrder order;
    find_levels(references, order);
    EXPECT_TRUE(order.in_circles.empty());
    for (const auto& [from, others] : references) {
      for (const RelationName& to : others) EXPECT_GT(order.levels[from], order.levels[to]);
    }
  }
}

}  // namespace
}  // namespace pana
