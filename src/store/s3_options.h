// How a bucket is reached, and how what is written to it is kept.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace pana {

// What an upload declares beside the signed SHA-256 of every request: S3 checks and keeps a CRC32 of the whole object;
// some compatible stores know Content-MD5 only, or neither.
enum class S3Checksum { crc32, md5, none };

// https://bucket.host/key or https://host/bucket/key; automatic: the first on AWS, the second elsewhere.
enum class S3Addressing { automatic, path, virtual_hosted };

struct S3Options {
  std::string endpoint_url;  // empty: AWS_ENDPOINT_URL_S3, AWS_ENDPOINT_URL, the profile's, AWS in the region
  std::string region;        // empty: AWS_REGION, AWS_DEFAULT_REGION, the profile's, us-east-1
  std::string profile;       // empty: AWS_PROFILE
  S3Addressing addressing = S3Addressing::automatic;
  int attempts_at_most = 0;                // of one request; 0: AWS_MAX_ATTEMPTS, the profile's, 10
  std::int64_t read_timeout_seconds = 60;  // a request during which nothing moves for so long is given up

  S3Checksum checksum = S3Checksum::crc32;
  std::uint64_t part_bytes = 0;  // 0: from what the backup is expected to be
  std::string encryption;        // empty: as the bucket has it; "AES256", "aws:kms"
  std::string kms_key_id;
  bool bucket_key = false;
  std::string storage_class;
  std::string lock_mode;  // empty, "GOVERNANCE", "COMPLIANCE": with lock_days
  std::int64_t lock_days = 0;
  std::vector<std::pair<std::string, std::string>> tags;
};

}  // namespace pana
