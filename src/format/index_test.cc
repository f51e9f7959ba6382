// The index is taken as docs/format.md says, and nothing else is: not a number that is none, nor a sum that is wrong.
#include "format/index.h"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <xxhash.h>

#include <limits>

namespace pana {
namespace {

Index small_index() {
  Index index;
  index.header = {.database = "shop",
                  .system_identifier = "7301",
                  .server_version_num = 150008,
                  .encoding = "UTF8",
                  .sequences = 2,
                  .large_objects = 3};
  index.header.roles = {{.name = "app", .owns = true}};
  index.header.extensions = {{.name = "pgcrypto", .version = "1.3", .schema = "public"}};
  index.objects = {{.id = {.catalog = 1259, .oid = 16385},
                    .address = {.type = "table", .names = {"public", "a"}, .arguments = {}},
                    .owner = "app",
                    .extension = "",
                    .rights = {{"=r/app"}},
                    .column_rights = {{.column = "i", .rights = {"anon=w/app"}}}},
                   {.id = {.catalog = 1255, .oid = 16386},
                    .address = {.type = "function", .names = {"public", "f"}, .arguments = {"integer"}},
                    .owner = "app",
                    .extension = "pgcrypto",
                    .rights = {},
                    .column_rights = {}}};
  index.tables = {
      {.id = 7, .oid = 16385, .schema = "public", .name = "a", .columns = {"i"}, .content = {.rows = 6, .bytes = 60}}};
  index.tables[0].constraint_indexes = {{.constraint_oid = 16390, .create_index = "C", .add_constraint = "A"}};
  index.tables.push_back({.id = kLargeObjects, .name = kLargeObjectsName, .content = {.rows = 1, .bytes = 10}});
  index.frames = {
      {.phase = Phase::pre_data, .bytes = 100, .xxh64 = 1},
      {.phase = Phase::rows, .bytes = 200, .xxh64 = 2, .tables = {{.table = 7, .rows = 4}, {.table = 7, .rows = 2}}},
      {.phase = Phase::rows, .bytes = 50, .xxh64 = 3, .tables = {{.table = kLargeObjects, .rows = 1}}}};
  return index;
}

std::string xxh64(std::string_view text) { return hex64(XXH64(text.data(), text.size(), 0)); }

// The checksums of the header and the whole, made right again.
std::string sealed(std::string text) {
  text.erase(text.rfind("-- pana:end "));
  const std::size_t check = text.find("-- pana:header ");
  if (check != std::string::npos) {
    const std::string line =
        fmt::format("-- pana:header {{\"xxh64\":\"{}\"}}\n", xxh64(std::string_view(text).substr(0, check)));
    text.replace(check, text.find('\n', check) + 1 - check, line);
  }
  return text + fmt::format("-- pana:end {:020} {}\n", 350, xxh64(text));
}

std::string with(std::string_view what, std::string_view instead, std::string text = write_index(small_index())) {
  const std::size_t found = text.find(what);
  if (found == std::string::npos) throw std::logic_error(fmt::format("{} is not in the index", what));
  return sealed(text.replace(found, what.size(), instead));
}

// As they were written before there were totals.
std::string old_index() {
  std::string text = write_index(small_index());
  const std::size_t check = text.find("-- pana:header ");
  text.erase(check, text.find('\n', check) + 1 - check);
  const std::size_t totals = text.find(",\"totals\":");
  text.erase(totals, text.find('}', totals) + 1 - totals);
  return sealed(text);
}

testing::AssertionResult is_damaged(const std::string& text) {
  try {
    parse_index(text);
  } catch (const Error& error) {
    if (error.kind() == ErrorKind::damaged) return testing::AssertionSuccess() << error.what();
    return testing::AssertionFailure() << error.what();
  }
  return testing::AssertionFailure() << "it was taken: " << text;
}

TEST(Index, IsReadAsItWasWritten) {
  const std::string text = write_index(small_index());
  EXPECT_EQ(write_index(parse_index(text)), text);
  EXPECT_EQ(sealed(text), text);
  const IndexTotals totals = parse_index(text).totals();
  EXPECT_EQ(totals.tables, 1U);
  EXPECT_EQ(totals.rows, 6U);
  EXPECT_EQ(totals.text_bytes, 350U);
}

TEST(Index, HoldsObjectsByTheirAddress) {
  const std::vector<DatabaseObject> objects = parse_index(write_index(small_index())).objects;
  ASSERT_EQ(objects.size(), 2U);
  EXPECT_EQ(objects[0].address, (ObjectAddress{.type = "table", .names = {"public", "a"}, .arguments = {}}));
  EXPECT_EQ(objects[0].rights, (std::vector<std::string>{"=r/app"}));
  EXPECT_EQ(objects[0].column_rights.at(0).column, "i");
  EXPECT_EQ(objects[1].address.arguments, (std::vector<std::string>{"integer"}));
  EXPECT_EQ(objects[1].extension, "pgcrypto");
  EXPECT_FALSE(objects[1].rights);  // those of any new object, and not none
  for (const auto& [what, instead] :
       {std::pair{"\"oid\":16386", "\"oid\":4294967296"}, std::pair{"\"oid\":16386", "\"oid\":-1"},
        std::pair{"\"names\":[\"public\",\"f\"]", "\"names\":\"f\""}, std::pair{"\"acl\":[\"=r/app\"]", "\"acl\":[1]"},
        std::pair{"\"type\":\"function\",", ""}}) {
    EXPECT_TRUE(is_damaged(with(what, instead))) << instead;
  }
}

TEST(Index, TakesNoNumberThatIsNone) {
  for (const char* const member : {"\"server_version_num\":150008", "\"sequences\":2", "\"large_objects\":3",
                                   "\"id\":7", "\"oid\":16385", "\"rows\":6", "\"bytes\":60",
                                   "\"constraint_oid\":16390", "\"bytes\":100", "\"tables\":1", "\"text_bytes\":350"}) {
    const std::string key(member, std::string_view(member).find(':') + 1);
    for (const char* const value :
         {"1.5", "6.0", "true", "-1", "\"6\"", "null", "[6]", "18446744073709551616", "1e2"}) {
      EXPECT_TRUE(is_damaged(with(member, key + value))) << key << value;
    }
  }
  for (const char* const value : {"1.5", "true", "-1", "\"1\"", "0"}) {
    EXPECT_TRUE(is_damaged(with("\"format\":1", std::string("\"format\":") + value))) << value;
  }
  for (const char* const section : {"[7.5,4]", "[true,4]", "[7,4.0]", "[7,-4]", "[7]", "7", "{}"})
    EXPECT_TRUE(is_damaged(with("[7,4]", section))) << section;
}

Index index_with_globals() {
  Index index = small_index();
  index.globals = {
      .owner = "o",
      .comment = "c",
      .connection_limit = 5,
      .grants = {{.grantee = "", .privilege = "CONNECT", .grantable = true}},
      .settings = {{.role = "r", .in_database = true, .name = "work_mem", .value = "7MB"}},
      .roles = {{.name = "r", .login = true, .connection_limit = 8, .valid_until = "infinity", .comment = "d\u00e9"}},
      .memberships = {{.role = "g", .member = "r", .admin = true, .inherit = false}}};
  return index;
}

TEST(Index, HasItsGlobalsOrNone) {
  EXPECT_FALSE(parse_index(write_index(small_index())).globals);
  const std::string text = write_index(index_with_globals());
  EXPECT_EQ(text, write_index(parse_index(text)));
  EXPECT_EQ((std::vector<std::string>{"LOGIN", "CONNECTION LIMIT 8"}),
            attributes_of(parse_index(text).globals->roles.at(0)));
}

TEST(Index, TakesNoGlobalsThatAreNone) {
  const std::string text = write_index(index_with_globals());
  for (const char* const member : {"\"connection_limit\":5", "\"connection_limit\":8"}) {
    const std::string key(member, std::string_view(member).find(':') + 1);
    for (const char* const value : {"1.5", "6.0", "true", "-2", "\"6\"", "null", "2147483648"})
      EXPECT_TRUE(is_damaged(with(member, key + value, text))) << key << value;
  }
  for (const char* const list : {"grants", "settings", "roles", "memberships"}) {
    const std::string key = fmt::format("\"{}\":[{{", list);
    const std::size_t globals = text.find("-- pana:globals");
    for (const char* const instead : {"{\"a\":[{", "null,\"b\":[{", "[1,{", "[[],{"}) {
      std::string changed = text;
      changed.replace(changed.find(key, globals), key.size(), fmt::format("\"{}\":{}", list, instead));
      EXPECT_TRUE(is_damaged(sealed(changed))) << list << instead;
    }
  }
  EXPECT_TRUE(is_damaged(with("\"login\":true", "\"login\":1", text)));
  EXPECT_TRUE(is_damaged(with("\"owner\":\"o\"", "\"owner\":null", text)));
  EXPECT_TRUE(is_damaged(with("\"valid_until\":\"infinity\",", "", text)));
}

TEST(Index, TakesNoNumberThatItsTypeDoesNotHold) {
  EXPECT_TRUE(is_damaged(with("\"oid\":16385", "\"oid\":4294967296")));
  EXPECT_TRUE(is_damaged(with("\"constraint_oid\":16390", "\"constraint_oid\":4294967296")));
  EXPECT_TRUE(is_damaged(with("\"server_version_num\":150008", "\"server_version_num\":2147483648")));
  EXPECT_TRUE(is_damaged(with("[7,4]", "[4294967303,4]")));  // 7, if its upper bits were cut off
}

TEST(Index, TakesNoListOrFlagThatIsNone) {
  for (const char* const value : {"null", "{}", "\"\"", "7", "true"}) {
    EXPECT_TRUE(is_damaged(with("\"roles\":[{\"name\":\"app\",\"owns\":true,\"granted\":false,\"in_policy\":false}]",
                                std::string("\"roles\":") + value)))
        << value;
    EXPECT_TRUE(is_damaged(with("\"filters\":[]", std::string("\"filters\":") + value))) << value;
    EXPECT_TRUE(is_damaged(with("\"columns\":[\"i\"]", std::string("\"columns\":") + value))) << value;
  }
  EXPECT_TRUE(is_damaged(with("\"owns\":true", "\"owns\":1")));
  EXPECT_TRUE(is_damaged(with("\"database\":\"shop\"", "\"database\":1")));
}

TEST(Index, AddsUp) {
  EXPECT_TRUE(is_damaged(with("[7,4]", "[7,5]")));
  EXPECT_TRUE(is_damaged(with("[7,4],[7,2]", "[7,18446744073709551615],[7,7]")));  // 6, modulo 2^64
  EXPECT_TRUE(is_damaged(with("\"rows\":6,\"text_bytes\"", "\"rows\":7,\"text_bytes\"")));
  EXPECT_TRUE(is_damaged(with("\"totals\":{\"tables\":1", "\"totals\":{\"tables\":2")));
  EXPECT_TRUE(is_damaged(with("\"text_bytes\":350", "\"text_bytes\":351")));
}

TEST(Index, OfAnEarlierWriterIsReadWithoutTotals) {
  EXPECT_EQ(write_index(parse_index(old_index())), write_index(small_index()));
  EXPECT_FALSE(parse_index_head(old_index()).has_value());
}

TEST(Index, OfALaterFormatIsNotDamaged) {
  const std::string text = with("\"format\":1", "\"format\":2");
  EXPECT_THROW(parse_index(text), NewerFormat);
  EXPECT_THROW(parse_index_head(text), NewerFormat);
}

TEST(IndexHead, TellsHeaderAndTotalsFromTheBeginningAlone) {
  const std::string text = write_index(small_index());
  const std::size_t head_bytes = text.find("-- pana:object ");
  for (std::size_t bytes = head_bytes; bytes <= text.size(); ++bytes) {
    const auto summary = parse_index_head(std::string_view(text).substr(0, bytes));
    ASSERT_TRUE(summary.has_value()) << bytes;
    EXPECT_EQ(summary->header.database, "shop");
    EXPECT_EQ(summary->totals, small_index().totals());
  }
  for (std::size_t bytes = 14; bytes < head_bytes; ++bytes) {
    EXPECT_FALSE(parse_index_head(std::string_view(text).substr(0, bytes)).has_value()) << bytes;
  }
}

// A flipped bit leaves damage, or a head that only the whole index could tell from that of an earlier writer.
TEST(IndexHead, NeverTellsWhatWasAltered) {
  const std::string text = write_index(small_index());
  const std::string_view head(text.data(), text.find("-- pana:object "));
  for (std::size_t i = 0; i < head.size(); ++i) {
    for (int bit = 0; bit < 8; ++bit) {
      std::string altered(head);
      altered[i] = static_cast<char>(altered[i] ^ 1 << bit);
      try {
        EXPECT_FALSE(parse_index_head(altered).has_value()) << "byte " << i << " bit " << bit;
      } catch (const Error& error) {
        EXPECT_EQ(error.kind(), ErrorKind::damaged) << "byte " << i << " bit " << bit;
      }
    }
  }
}

}  // namespace
}  // namespace pana
