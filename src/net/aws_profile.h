// The settings that the AWS command line keeps in its files: ~/.aws/config and ~/.aws/credentials.
//
// https://docs.aws.amazon.com/sdkref/latest/guide/file-format.html
#pragma once

#include <map>
#include <string>
#include <string_view>

namespace pana {

using Profile = std::map<std::string, std::string>;

// The settings of a section of such a file's text; settings that are nested under another are left out.
Profile parse_profile(std::string_view text, std::string_view section);

// What both files say of a profile: AWS_CONFIG_FILE's [profile NAME] and AWS_SHARED_CREDENTIALS_FILE's [NAME], which
// wins. Empty when neither knows it.
Profile read_profile(const std::string& name);

// AWS_PROFILE, or "default".
std::string profile_from_environment();

}  // namespace pana
