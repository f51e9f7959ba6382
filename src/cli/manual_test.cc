#include "cli/manual.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace pana {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

class Manual : public testing::Test {
 protected:
  Manual() {
    program_.set_version_flag("--version", "1");
    program_.add_option("--format", text_, "how it's written: [text]")
        ->check(CLI::IsMember({"text", "json"}))
        ->envname("FORMAT");
    CLI::App* const command = program_.add_subcommand("copy", "copies a\\b");
    command->add_option("FROM", text_, "from where")->required();
    command->add_option("-w,--way", text_, "which way")->type_name("up|down")->capture_default_str();
    command->add_option("--wait", number_, "so long")->check(CLI::Range(0, 9))->type_name("SECONDS");
    command->add_flag("--dry-run", flag_, "only say so");
  }

  const CLI::App& command() const { return *program_.get_subcommands({}).front(); }

  std::string text_ = "up";
  int number_ = 0;
  bool flag_ = false;
  CLI::App program_{"Does it", "pana"};
};

TEST_F(Manual, HasAPageOfEachCommand) {
  const std::string page = manual_page(program_, &command(), "2026-01-31");
  EXPECT_THAT(page, AllOf(HasSubstr(".SH NAME\npana\\-copy \\- copies a\\eb\n"), HasSubstr(".I FROM\nfrom where\n"),
                          HasSubstr(" FROM\n"),
                          HasSubstr("\\fB\\-w\\fR, \\fB\\-\\-way\\fR \\fIup|down\\fR\nwhich way (default up)\n"),
                          HasSubstr("\\fB\\-\\-wait\\fR \\fISECONDS\\fR\nso long\n"),
                          HasSubstr("\\fB\\-\\-dry\\-run\\fR\nonly say so\n")));
  EXPECT_THAT(manual_page(program_, nullptr, "2026-01-31"),
              AllOf(HasSubstr(".BR pana\\-copy (1)\ncopies a\\eb\n"), HasSubstr("[environment: FORMAT]"),
                    Not(HasSubstr("way"))));
}

TEST_F(Manual, HasValuesOfOptionsInEachCompletion) {
  EXPECT_THAT(bash_completion(program_),
              AllOf(HasSubstr("-w|--way) COMPREPLY=($(compgen -W 'up down'"),
                    HasSubstr("--format) COMPREPLY=($(compgen -W 'text json'"),
                    HasSubstr("copy) options='-h --help -w --way --wait --dry-run --format' ;;")));
  EXPECT_THAT(zsh_completion(program_),
              AllOf(HasSubstr("'copy:copies a\\b'"), HasSubstr("'*--way[which way]:value:(up down)'"),
                    HasSubstr("'*--format[how it'\\''s written\\: \\[text\\]]:value:(text json)'"),
                    HasSubstr("'*--dry-run[only say so]'")));
  EXPECT_THAT(fish_completion(program_),
              AllOf(HasSubstr("-s w -l way -x -a 'up down' -d 'which way'"), HasSubstr("-l wait -r -d 'so long'"),
                    HasSubstr("-l dry-run -d 'only say so'")));
}

}  // namespace
}  // namespace pana
