// The upload of one object to S3: parts as they come, completed last; a small object in one request.
//
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/mpuoverview.html
//
// A random token in the object's metadata tells our object from another's: when the answer to the last request is
// lost, or says something that cannot be, it settles whether the object was stored.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <stop_token>
#include <string>

#include "base/mutex.h"
#include "base/object_io.h"
#include "store/s3_client.h"

namespace pana {

// The parts of an upload: large enough for 10,000 of them to suffice for four times what is expected, as rows may be
// longer as text than in the server's tables.
std::uint64_t s3_part_bytes(const S3Options& options, std::uint64_t expected_bytes);

class S3ObjectUpload : public ObjectUpload {
 public:
  // Once `hurry` is requested, the abort of what was not completed has a moment only.
  S3ObjectUpload(S3Client& client, const S3Options& options, std::string key, std::uint64_t expected_bytes,
                 std::stop_token hurry);
  ~S3ObjectUpload() override;  // aborts what was not completed
  S3ObjectUpload(const S3ObjectUpload&) = delete;
  S3ObjectUpload& operator=(const S3ObjectUpload&) = delete;

  std::uint64_t part_bytes() const override { return part_bytes_; }
  void put(const Part& part, const std::stop_token& stop) override;
  void complete(const std::stop_token& stop) override;

 private:
  struct StoredPart {
    std::string etag;
    std::uint32_t crc32 = 0;
    std::uint64_t bytes = 0;
  };
  using Headers = std::vector<std::pair<std::string, std::string>>;

  // Whose object the key holds, by its token; hidden where these credentials may not know.
  enum class Holder { ours, another, absent, hidden };

  std::string upload_id() const;  // empty: none has begun
  bool has_begun() const { return !upload_id().empty(); }
  std::string begin_multipart(const std::stop_token& stop);  // its upload id; begins at the first call
  Headers object_headers() const;
  void add_checksum(Headers& headers, std::string_view body, std::uint32_t crc32) const;
  void send_completion(bool conditional, const std::stop_token& stop);
  void send_whole(bool conditional, const std::stop_token& stop);
  void send_complete_multipart(bool conditional, const std::stop_token& stop);
  void settle(const Error& error, const std::stop_token& stop);
  Holder confirm(const std::stop_token& stop);
  Holder look_if_allowed(const std::stop_token& stop);
  // Throws S3Error with status 403 where these credentials may not know. With a limit to its time, it looks once.
  Holder look(const std::stop_token& stop, std::chrono::milliseconds total = std::chrono::milliseconds(0));
  [[noreturn]] void settle_interrupted();
  bool abort();  // once; true when nothing is left
  std::uint64_t object_bytes() const;
  std::uint32_t object_crc32() const;

  S3Client& client_;
  const S3Options options_;
  const std::string key_;
  const std::uint64_t part_bytes_;
  const std::string token_;
  const std::stop_token hurry_;
  mutable Mutex mutex_;
  std::string upload_id_ PANA_GUARDED_BY(mutex_);
  std::map<std::uint32_t, StoredPart> parts_ PANA_GUARDED_BY(mutex_);
  // Of one thread, as the calls of an upload but put() are.
  std::string whole_;   // a small object, of one part
  bool ended_ = false;  // completed or aborted, as far as it could be
};

}  // namespace pana
