// Whole restores as somebody who may do everything, who may make roles, and who merely owns the target: all of it, or a
// refusal that names what cannot be had, with nothing changed.
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>

#include "support/compare.h"
#include "support/pana.h"

namespace pana::test {
namespace {

namespace fs = std::filesystem;

const std::vector<std::string> kRolesOfTheShop = {"shop_owner", "shop_application", "shop_support"};

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
    return elsewhere_->sql(
        "target",
        "SELECT (SELECT count(*) FROM pg_class), (SELECT count(*) FROM pg_proc), (SELECT count(*) FROM pg_namespace), "
        "(SELECT string_agg(rolname, ',' ORDER BY rolname) FROM pg_roles WHERE rolname !~ '^pg_')");
  }

  // Everything that belongs to anybody else belongs to the role.
  static std::vector<std::string> everybody_is(const std::string& role, const std::vector<std::string>& named_roles) {
    std::vector<std::string> options = {"--no-owner", "--no-privileges"};
    for (const std::string& named : named_roles)
      options.insert(options.end(), {"--role-map", fmt::format("{}={}", named, role)});
    return options;
  }

  // Restores into a target of the role's, and says what a refusal said; nothing when all of it is there.
  std::optional<std::string> refusal(const Source& source, const fs::path& backup, const std::string& role,
                                     const std::vector<std::string>& options) {
    const std::string attempt = fmt::format("{} as {} {}", source.database, role, fmt::join(options, " "));
    SCOPED_TRACE(attempt);
    elsewhere_->create_database("target");
    elsewhere_->sql("postgres", fmt::format("ALTER DATABASE target OWNER TO {}", role));
    const std::string before = state();
    std::vector<std::string> arguments = {"restore", backup, "--into",
                                          elsewhere_->url("target", role, elsewhere_->password())};
    arguments.insert(arguments.end(), options.begin(), options.end());
    const Outcome outcome = pana(arguments);
    if (outcome.succeeded()) {
      EXPECT_EQ("", different_lines(source.content.tables, tables_of(*elsewhere_, "target")));
    } else {
      EXPECT_TRUE(ends_with(kRefused, outcome));
      EXPECT_EQ(before, state());
    }
    elsewhere_->drop_database("target");
    elsewhere_->sql("postgres",
                    "DO $$ DECLARE r name; BEGIN FOR r IN SELECT rolname FROM pg_roles WHERE rolname NOT IN "
                    "('postgres', 'maker', 'owner') AND rolname !~ '^pg_' "
                    "LOOP EXECUTE format('DROP OWNED BY %I; DROP ROLE %I', r, r); END LOOP; END $$");
    return outcome.succeeded() ? std::nullopt : std::optional(attempt + ": " + outcome.err);
  }

  void expect_all_or_nothing(const Source& source, const std::vector<std::string>& named_roles, std::size_t expected,
                             const std::vector<std::string>& roles = {"postgres", "maker", "owner"}) {
    const fs::path backup = back_up(source.database);
    std::size_t restored = 0;
    std::string refusals;
    for (const std::string& role : roles) {
      for (const std::vector<std::string>& options : std::vector<std::vector<std::string>>{
               {},
               {"--create-missing-roles"},
               {"--globals"},
               {"--no-owner", "--create-missing-roles"},
               {"--no-owner", "--no-privileges"},
               {"--create-missing-roles", "--role-map", fmt::format("postgres={}", role)},
               everybody_is(role, named_roles)}) {
        const std::optional<std::string> said = refusal(source, backup, role, options);
        refusals += said.value_or("");
        if (!said) ++restored;
      }
    }
    EXPECT_EQ(expected, restored) << "of " << 7 * roles.size() << ", without\n" << refusals;
  }

  std::unique_ptr<Cluster> elsewhere_;
};

// Short enough to be tried on every major version by hand: PANA_TEST_SERVER.
TEST_F(RestoreAs, EverybodyHasAWayToAllOfIt) {
  const fs::path backup = back_up(shop().database);
  EXPECT_EQ(std::nullopt, refusal(shop(), backup, "postgres", {"--globals"}));
  EXPECT_EQ(std::nullopt, refusal(shop(), backup, "maker", {"--no-owner", "--create-missing-roles"}));
  EXPECT_EQ(std::nullopt, refusal(shop(), backup, "owner", everybody_is("owner", kRolesOfTheShop)));
}

TEST_F(RestoreAs, AnybodyIsAllOrNothingForEveryKindOfObject) {
  expect_all_or_nothing(everything(), {"pana_reader", "pana_writer"}, 4);
}
// For one role, unless PANA_ALL_ROLES is set: it takes minutes.
TEST_F(RestoreAs, AnybodyIsAllOrNothingForManyTables) {
  const std::vector<std::string> named = {"pana_reader", "pana_writer"};
  std::getenv("PANA_ALL_ROLES") != nullptr ? expect_all_or_nothing(many(), named, 8)
                                           : expect_all_or_nothing(many(), named, 2, {"maker"});
}
// Before 15 the schema public is a superuser's, and no other role can be its owner instead.
TEST_F(RestoreAs, AnybodyIsAllOrNothingForAShop) {
  expect_all_or_nothing(shop(), kRolesOfTheShop, cluster().version() < 15 ? 8 : 9);
}

}  // namespace
}  // namespace pana::test
