// Whole restores as somebody who may do everything, who may make roles, and who merely owns the target: all of it, or a refusal that
// names what cannot be had, with nothing changed.
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/compare.h"
#include "support/pana.h"

namespace pana::test {
namespace {

namespace fs = std::filesystem;

class RestoreAs : public EndToEnd {
 protected:
  void SetUp() override {
    EndToEnd::SetUp();
    if (IsSkipped()) return;
    elsewhere_ = std::make_unique<Cluster>();
    elsewhere_->sql("postgres", "CREATE ROLE maker CREATEROLE CREATEDB; CREATE ROLE owner");
    for (const char* const role : {"maker", "owner"}) elsewhere_->allow_login(role);
  }

  // What the target and its cluster hold.
  std::string state() const {
    return elsewhere_->sql("target", "SELECT (SELECT count(*) FROM pg_class), (SELECT count(*) FROM pg_proc), (SELECT count(*) FROM pg_namespace), "
                                     "(SELECT string_agg(rolname, ',' ORDER BY rolname) FROM pg_roles WHERE rolname !~ '^pg_')");
  }

  void expect_all_or_nothing(const Source& source, const std::vector<std::string>& named_roles, std::size_t expected) {
    const fs::path backup = back_up(source.database);
    std::size_t restored = 0;
    for (const char* const role : {"postgres", "maker", "owner"}) {
      std::vector<std::string> everybody_is_us = {"--no-owner", "--no-privileges"};
      for (const std::string& named : named_roles) everybody_is_us.insert(everybody_is_us.end(), {"--role-map", fmt::format("{}={}", named, role)});
      for (const std::vector<std::string>& options : std::vector<std::vector<std::string>>{
               {}, {"--create-missing-roles"}, {"--globals"}, {"--no-owner", "--create-missing-roles"}, {"--no-owner", "--no-privileges"},
               {"--create-missing-roles", "--role-map", fmt::format("postgres={}", role)},
               everybody_is_us}) {
        elsewhere_->create_database("target");
        elsewhere_->sql("postgres", fmt::format("ALTER DATABASE target OWNER TO {}", role));
        const std::string before = state();
        std::vector<std::string> arguments = {"restore", backup, "--into", elsewhere_->url("target", role, elsewhere_->password())};
        arguments.insert(arguments.end(), options.begin(), options.end());
        const Outcome outcome = pana(arguments);
        SCOPED_TRACE(fmt::format("{} as {} {}", source.database, role, fmt::join(options, " ")));
        if (outcome.succeeded()) {
          ++restored;
          EXPECT_EQ("", different_lines(source.content.tables, tables_of(*elsewhere_, "target")));
        } else {
          EXPECT_TRUE(ends_with(kRefused, outcome));
          EXPECT_EQ(before, state());
        }
        elsewhere_->drop_database("target");
        elsewhere_->sql("postgres", "DO $$ DECLARE r name; BEGIN FOR r IN SELECT rolname FROM pg_roles WHERE rolname NOT IN ('postgres', 'maker', 'owner') AND rolname !~ '^pg_' "
                                    "LOOP EXECUTE format('DROP OWNED BY %I; DROP ROLE %I', r, r); END LOOP; END $$");
      }
    }
    EXPECT_EQ(expected, restored) << "of 21";
  }

  std::unique_ptr<Cluster> elsewhere_;
};

TEST_F(RestoreAs, AnybodyIsAllOrNothingForEveryKindOfObject) { expect_all_or_nothing(everything(), {"pana_reader", "pana_writer"}, 4); }
TEST_F(RestoreAs, AnybodyIsAllOrNothingForManyTables) { expect_all_or_nothing(many(), {"pana_reader", "pana_writer"}, 8); }
TEST_F(RestoreAs, AnybodyIsAllOrNothingForAShop) { expect_all_or_nothing(shop(), {"shop_owner", "shop_application", "shop_support"}, 9); }

}  // namespace
}  // namespace pana::test
