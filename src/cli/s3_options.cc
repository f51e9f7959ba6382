#include <fmt/format.h>

#include <map>

#include "cli/commands.h"

namespace pana {
namespace {

// CLI11's own transformer takes the numbers of an enumeration, too, and its message lists them.
template <typename Enum>
CLI::Validator one_of(std::map<std::string, Enum> values) {
  return CLI::Validator(
      [values = std::move(values)](std::string& text) {
        const auto found = values.find(text);
        if (found == values.end()) return fmt::format("{} is none of its values", text);
        text = std::to_string(static_cast<int>(found->second));
        return std::string();
      },
      "");
}

std::pair<std::string, std::string> parse_tag(const std::string& text) {
  const std::size_t equals = text.find('=');
  if (equals == 0 || equals == std::string::npos) throw CLI::ValidationError("--tag", text + " is not KEY=VALUE");
  return {text.substr(0, equals), text.substr(equals + 1)};
}

}  // namespace

void add_s3_options(CLI::App& app, S3Options& options) {
  const auto add = [&app](auto&&... arguments) {
    return app.add_option(std::forward<decltype(arguments)>(arguments)...)->group("Locations in S3");
  };
  add("--region", options.region, "region of the bucket; default: AWS_REGION, the profile's, us-east-1");
  add("--profile", options.profile,
      "profile of the AWS configuration files; default: the environment's credentials, AWS_PROFILE");
  add("--endpoint-url", options.endpoint_url,
      "endpoint of a store other than AWS; default: AWS_ENDPOINT_URL_S3, AWS_ENDPOINT_URL, the profile's")
      ->type_name("URL");
  add("--addressing-style", options.addressing, "how requests name the bucket; auto: virtual on AWS, path elsewhere")
      ->transform(one_of<S3Addressing>(
          {{"auto", S3Addressing::automatic}, {"path", S3Addressing::path}, {"virtual", S3Addressing::virtual_hosted}}))
      ->type_name("auto|path|virtual");
  add("--read-timeout", options.read_timeout_seconds, "give a request up when nothing moves for so long")
      ->check(CLI::Range(1, 3600))
      ->type_name("SECONDS")
      ->capture_default_str();
  add("--checksum", options.checksum,
      "checksum that uploads send; md5 or none for stores that refuse crc32; default: crc32")
      ->transform(
          one_of<S3Checksum>({{"crc32", S3Checksum::crc32}, {"md5", S3Checksum::md5}, {"none", S3Checksum::none}}))
      ->type_name("crc32|md5|none");
  add("--part-size", options.part_bytes,
      "size of an upload's parts, 5MiB to 5GiB; default: from the size of the database")
      ->transform(size_in_bytes())
      ->check(CLI::Range(std::uint64_t{5} << 20, std::uint64_t{5} << 30))
      ->type_name("SIZE");
  CLI::Option* const sse = add("--sse", options.encryption, "server-side encryption; default: the bucket's setting")
                               ->check(CLI::IsMember({"AES256", "aws:kms"}));
  add("--sse-kms-key-id", options.kms_key_id, "KMS key for --sse aws:kms")->needs(sse);
  app.add_flag("--bucket-key", options.bucket_key, "use an S3 Bucket Key, which saves requests to KMS")
      ->group("Locations in S3");
  add("--storage-class", options.storage_class,
      "storage class of what is written: STANDARD, STANDARD_IA, GLACIER_IR ...");
  CLI::Option* const mode = add("--object-lock-mode", options.lock_mode, "protect what is written with S3 Object Lock")
                                ->check(CLI::IsMember({"GOVERNANCE", "COMPLIANCE"}));
  CLI::Option* const days =
      add("--object-lock-days", options.lock_days, "days that Object Lock protects what is written")
          ->check(CLI::Range(1, 36500));
  mode->needs(days);
  days->needs(mode);
  app.add_option_function<std::vector<std::string>>(
         "--tag",
         [&options](const std::vector<std::string>& tags) {
           for (const std::string& tag : tags) options.tags.push_back(parse_tag(tag));
         },
         "tag of what is written; can be repeated")
      ->allow_extra_args(false)
      ->type_name("KEY=VALUE")
      ->group("Locations in S3");
}

}  // namespace pana
