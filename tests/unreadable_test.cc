// What the role may not read is listed before a backup begins, or left out by name.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/pana.h"

namespace pana::test {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;

constexpr int kPartial = 7;

class Unreadable : public EndToEnd {
 protected:
  // A role that may read nearly everything, and all kinds of things that it may not.
  std::string limited_role() const {
    fresh_database("limited");
    cluster().sql("limited", R"(
      DROP ROLE IF EXISTS pana_limited; CREATE ROLE pana_limited;
      CREATE TABLE public.open AS SELECT 1 AS id;
      CREATE TABLE public.closed AS SELECT 2 AS id;
      CREATE TABLE public."Closed ""too" AS SELECT 3 AS id;
      CREATE TABLE public.guarded AS SELECT 4 AS id; ALTER TABLE guarded ENABLE ROW LEVEL SECURITY;
      CREATE SEQUENCE public.counter; CREATE SEQUENCE public.secret_counter;
      CREATE TABLE public.of_extension (); ALTER EXTENSION plpgsql ADD TABLE public.of_extension;
      CREATE TABLE public.closed_tree (id int) PARTITION BY LIST (id);
      CREATE SCHEMA vault; CREATE TABLE vault.keys AS SELECT 5 AS id; GRANT SELECT ON vault.keys TO pana_limited;
      SELECT lo_create(424242);
      GRANT SELECT ON public.open, public.guarded, public.counter TO pana_limited)");
    cluster().allow_login("pana_limited");
    return cluster().url("limited", "pana_limited", cluster().password());
  }

  Outcome back_up_as_limited(const std::vector<std::string>& options = {}) const {
    std::vector<std::string> arguments = {"backup", cluster().url("limited", "pana_limited", cluster().password()),
                                          "--to", backups_.path(), "--json"};
    arguments.insert(arguments.end(), options.begin(), options.end());
    return pana(arguments);
  }
};

TEST_F(Unreadable, NamesEverythingThatItMayNotReadAndTheGrantsThatMendIt) {
  limited_role();
  const Outcome refused = back_up_as_limited();
  EXPECT_TRUE(ends_with(kRefused, refused));
  const nlohmann::json error = nlohmann::json::parse(refused.err.substr(0, refused.err.find('\n')));
  EXPECT_THAT(error.at("message").get<std::string>(),
              AllOf(HasSubstr("table public.closed"), HasSubstr(R"(table public."Closed ""too")"),
                    HasSubstr("table vault.keys"), HasSubstr("table public.closed_tree"),
                    HasSubstr("rows of table public.guarded"), HasSubstr("value of sequence public.secret_counter"),
                    HasSubstr("large object 424242"), Not(HasSubstr("public.open")), Not(HasSubstr("of_extension"))));
  EXPECT_THAT(backups_in(backups_.path()), IsEmpty());
  const Outcome checked = pana({"check", cluster().url("limited", "pana_limited", cluster().password())});
  EXPECT_TRUE(ends_with(kRefused, checked));
  EXPECT_THAT(checked.out, HasSubstr("large object 424242"));

  // What the hint says is SQL that mends it.
  std::string hint = error.at("hint");
  for (const char* words :
       {"have their owner run:",
        "row level security hides rows from all but roles with BYPASSRLS and the owner (unless it is forced):"}) {
    const std::size_t found = hint.find(words);
    ASSERT_NE(std::string::npos, found) << hint;
    hint.erase(found, std::string(words).size());
  }
  cluster().sql("limited", hint.substr(0, hint.find(" or leave them out")));
  ASSERT_TRUE(ends_with(kOk, back_up_as_limited()));
  EXPECT_TRUE(ends_with(kOk, pana({"verify", backups_.path(), "--against", cluster().url("limited")})));
}

// No pattern names large objects.
TEST_F(Unreadable, NamesTheOnlyWayAroundLargeObjects) {
  limited_role();
  cluster().sql("limited", "GRANT pg_read_all_data TO pana_limited; ALTER ROLE pana_limited BYPASSRLS");
  const Outcome refused = back_up_as_limited();
  EXPECT_TRUE(ends_with(kRefused, refused));
  EXPECT_THAT(refused.err,
              AllOf(HasSubstr("; or leave them out with --skip-unreadable"), Not(HasSubstr("--exclude-table"))));
}

TEST_F(Unreadable, SkipsWhatItMayNotReadWhenToldToAndSaysSo) {
  limited_role();
  const Outcome partial = back_up_as_limited({"--skip-unreadable"});
  EXPECT_TRUE(ends_with(kPartial, partial));
  EXPECT_THAT(nlohmann::json::parse(partial.out).at("skipped"), SizeIs(7));
  EXPECT_THAT(partial.err, HasSubstr("lacks what the role may not read"));
  const Outcome checked = pana({"check", cluster().url("limited", "pana_limited", cluster().password()), "--to",
                                backups_.path(), "--skip-unreadable"});
  ASSERT_TRUE(ends_with(kOk, checked));
  EXPECT_THAT(checked.out, AllOf(HasSubstr("a backup lacks what the role may not read: table public."),
                                 HasSubstr("large object 424242"), HasSubstr("the newest complete backup is ")));
  const Outcome shown = pana({"show", backups_.path()});
  EXPECT_THAT(shown.out, AllOf(HasSubstr("--skip-unreadable"), HasSubstr("left out    table vault.keys"),
                               HasSubstr("left out    large object 424242")));

  fresh_database("part");
  ASSERT_TRUE(ends_with(kOk, pana({"restore", backups_.path(), "--into", cluster().url("part"), "--verify"})));
  EXPECT_TRUE(ends_with(kOk, pana({"verify", backups_.path(), "--against", cluster().url("limited")})))
      << "what was skipped is not missed";
  EXPECT_EQ("1", cluster().sql("part", "SELECT id FROM public.open"));
  EXPECT_EQ("0", cluster().sql("part", "SELECT count(*) FROM public.guarded"));
  EXPECT_EQ("", cluster().sql("part", "SELECT to_regclass('public.closed')"));
  cluster().sql("limited",
                "GRANT pg_read_all_data TO pana_limited; ALTER ROLE pana_limited BYPASSRLS; SELECT lo_unlink(424242)");
  EXPECT_TRUE(ends_with(kOk, back_up_as_limited({"--skip-unreadable"}))) << "nothing was unreadable";
}

}  // namespace
}  // namespace pana::test
