#include "store/s3_upload.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <random>

#include "base/human.h"
#include "base/log.h"
#include "base/setting.h"
#include "net/hash.h"
#include "store/s3_xml.h"

namespace pana {
namespace {

constexpr std::uint64_t kMebibyte = 1 << 20;
constexpr std::uint64_t kSmallestPartBytes = 8 * kMebibyte;  // S3 allows 5 MiB
constexpr std::uint32_t kPartsAtMost = 10'000;

// S3 puts the parts together before it answers.
constexpr int kCompletePatience = 5;

// What is asked of the store once somebody wants us to end.
constexpr std::chrono::milliseconds kLastPatience{600};

// How long an abort may take when nobody does; an error waits to be told.
constexpr std::chrono::milliseconds kAbortPatience{15'000};

// With less time than this another attempt of it would only be cut.
constexpr std::chrono::milliseconds kWorthAsking{20};

constexpr const char* kTokenHeader = "x-amz-meta-pana-upload";
constexpr const char* kEncryptionHeader = "x-amz-server-side-encryption";

std::string random_token() {
  std::random_device random;
  return fmt::format("{:08x}{:08x}{:08x}{:08x}", random(), random(), random(), random());
}

}  // namespace

std::uint64_t s3_part_bytes(const S3Options& options, std::uint64_t expected_bytes) {
  if (options.part_bytes != 0) return options.part_bytes;
  const std::uint64_t needed = expected_bytes * 4 / kPartsAtMost;
  return std::max((needed + kMebibyte - 1) / kMebibyte * kMebibyte, kSmallestPartBytes);
}

S3ObjectUpload::S3ObjectUpload(S3Client& client, const S3Options& options, std::string key,
                               std::uint64_t expected_bytes, std::stop_token hurry)
    : client_(client), options_(options), key_(std::move(key)), part_bytes_(s3_part_bytes(options, expected_bytes)),
      token_(random_token()), hurry_(std::move(hurry)) {}

S3ObjectUpload::~S3ObjectUpload() {
  if (!ended_ && has_begun()) abort();
}

bool S3ObjectUpload::abort() try {
  ended_ = true;
  const bool is_hurried = hurry_.stop_requested();
  const std::stop_token stop = is_hurried ? std::stop_token() : hurry_;
  S3Request request{.action = "abort the upload of",
                    .permission = "s3:AbortMultipartUpload",
                    .method = "DELETE",
                    .key = key_,
                    .query = {{"uploadId", upload_id()}},
                    .total = is_hurried ? kLastPatience : kAbortPatience};
  const auto give_up = std::chrono::steady_clock::now() + request.total;
  Retry retry = client_.new_retry();
  while (true) {
    try {
      client_.send_once(request, stop);
      return true;
    } catch (const Error& error) {
      if (!client_.may_try_again(error, request, retry, stop)) throw;
      // All attempts share one limit: an attempt that hangs until it is cut must not be followed by one that hangs as
      // long.
      request.total = std::chrono::duration_cast<std::chrono::milliseconds>(give_up - std::chrono::steady_clock::now());
      if (request.total < kWorthAsking) throw;
    }
  }
} catch (const Error& error) {
  const auto* const refusal = dynamic_cast<const S3Error*>(&error);
  if (refusal != nullptr && refusal->status() == 404) return false;  // there are no parts: it was completed, or aborted
  log(LogLevel::warning, "upload_not_aborted",
      fmt::format("parts of an upload stay behind until a lifecycle rule removes them: {}", error.what()));
  return false;
}

S3ObjectUpload::Headers S3ObjectUpload::object_headers() const {
  Headers headers = {{kTokenHeader, token_}};
  const auto add = [&headers](const char* name, const std::string& value) {
    if (!value.empty()) headers.emplace_back(name, value);
  };
  add("x-amz-storage-class", options_.storage_class);
  add(kEncryptionHeader, options_.encryption);
  add("x-amz-server-side-encryption-aws-kms-key-id", options_.kms_key_id);
  add("x-amz-server-side-encryption-bucket-key-enabled", options_.bucket_key ? "true" : "");
  add("x-amz-tagging", query_string(options_.tags));
  if (!options_.lock_mode.empty()) {
    const auto until = std::chrono::system_clock::now() + std::chrono::days(options_.lock_days);
    headers.emplace_back("x-amz-object-lock-mode", options_.lock_mode);
    headers.emplace_back("x-amz-object-lock-retain-until-date", rfc3339(until));
  }
  return headers;
}

void S3ObjectUpload::add_checksum(Headers& headers, std::string_view body, std::uint32_t crc32) const {
  switch (options_.checksum) {
    case S3Checksum::crc32: headers.emplace_back("x-amz-checksum-crc32", crc32_base64(crc32)); break;
    case S3Checksum::md5: headers.emplace_back("content-md5", base64(md5(body))); break;
    case S3Checksum::none: break;
  }
}

std::string S3ObjectUpload::begin_multipart(const std::stop_token& stop) {
  const MutexLock lock(mutex_);
  if (!upload_id_.empty()) return upload_id_;
  Headers headers = object_headers();
  if (options_.checksum == S3Checksum::crc32) {
    headers.emplace_back("x-amz-checksum-algorithm", "CRC32");
    headers.emplace_back("x-amz-checksum-type", "FULL_OBJECT");
  }
  const HttpResponse response = client_.send({.action = "begin the upload of",
                                              .permission = "s3:PutObject",
                                              .method = "POST",
                                              .key = key_,
                                              .query = {{"uploads", ""}},
                                              .headers = std::move(headers)},
                                             stop);
  upload_id_ = parse_upload_id(response.body);
  if (upload_id_.empty()) {
    throw Error(ErrorKind::failed, fmt::format("the store gave no id for the upload of {}", client_.url(key_)));
  }
  return upload_id_;
}

void S3ObjectUpload::put(const Part& part, const std::stop_token& stop) {
  if (part.number == 1 && part.is_last && part.bytes.size() <= kSmallestPartBytes) {
    whole_ = part.bytes;
    return;
  }
  if (part.number > kPartsAtMost) {
    throw Error(ErrorKind::failed,
                fmt::format("the backup is larger than 10,000 parts of {}", human_bytes(part_bytes_)),
                advice("say a larger {}", Setting::part_size));
  }
  StoredPart stored{.etag = {}, .crc32 = crc32_of(part.bytes), .bytes = part.bytes.size()};
  S3Request request{.action = fmt::format("upload part {} of", part.number),
                    .permission = "s3:PutObject",
                    .method = "PUT",
                    .key = key_,
                    .query = {{"partNumber", std::to_string(part.number)}, {"uploadId", begin_multipart(stop)}},
                    .body = part.bytes};
  add_checksum(request.headers, part.bytes, stored.crc32);
  request.examine = [&](const HttpResponse& response) {
    const std::string echo = response.header("x-amz-checksum-crc32");
    if (!echo.empty() && echo != crc32_base64(stored.crc32)) {
      throw S3Error(ErrorKind::failed,
                    fmt::format("part {} of {} was stored with another checksum", part.number, client_.url(key_)), {},
                    response.status, "BadDigest");
    }
  };
  stored.etag = client_.send(request, stop).header("etag");
  if (stored.etag.empty()) {
    throw Error(ErrorKind::failed,
                fmt::format("the store gave no ETag for part {} of {}", part.number, client_.url(key_)));
  }
  const MutexLock lock(mutex_);
  parts_[part.number] = std::move(stored);
}

void S3ObjectUpload::complete(const std::stop_token& stop) {
  // Ceph's gateway completes an upload in parts whatever the condition says: only a look keeps the other's object.
  if (has_begun() && look_if_allowed(stop) == Holder::another) throw KeyTaken(client_.url(key_));
  try {
    send_completion(/*conditional=*/true, stop);
  } catch (const Error& error) {
    if (error.kind() == ErrorKind::interrupted) settle_interrupted();
    settle(error, stop);
  }
  ended_ = true;  // nothing is left to be aborted, whatever comes next
  if (confirm(stop) != Holder::ours) {
    throw Error(ErrorKind::failed,
                fmt::format("the store said that {} is complete, but does not have it", client_.url(key_)));
  }
}

// The last request was under way. What could be aborted will be no object any more; whether it is one already only a
// look can tell, for a moment.
void S3ObjectUpload::settle_interrupted() {
  const bool is_aborted = has_begun() && abort();
  bool is_there = false;
  try {
    is_there = look({}, kLastPatience) == Holder::ours;
  } catch (const Error&) {
    // Not known, which is what will be said.
  }
  if (is_there) {
    throw Error(
        ErrorKind::interrupted,
        fmt::format("stopped on request when {} had just become complete: it is there, and whole", client_.url(key_)));
  }
  if (is_aborted) throw Error(ErrorKind::interrupted, "stopped on request");
  throw Error(
      ErrorKind::interrupted,
      fmt::format("stopped on request while {} was being completed: it may still become visible", client_.url(key_)),
      "see pana list; if it is there, it is whole");
}

S3ObjectUpload::Holder S3ObjectUpload::confirm(const std::stop_token& stop) try {
  return look(stop);
} catch (const Error& error) {
  if (error.kind() == ErrorKind::damaged) throw;
  throw Error(error.kind(), fmt::format("the object was stored, but that could not be confirmed: {}", error.what()),
              error.hint().empty() ? "run pana verify to see whether it is whole" : error.hint());
}

void S3ObjectUpload::send_completion(bool conditional, const std::stop_token& stop) {
  has_begun() ? send_complete_multipart(conditional, stop) : send_whole(conditional, stop);
}

void S3ObjectUpload::send_whole(bool conditional, const std::stop_token& stop) {
  S3Request request{.action = "store",
                    .permission = "s3:PutObject",
                    .method = "PUT",
                    .key = key_,
                    .headers = object_headers(),
                    .body = whole_};
  add_checksum(request.headers, whole_, crc32_of(whole_));
  if (conditional) request.headers.emplace_back("if-none-match", "*");
  client_.send(request, stop);
}

void S3ObjectUpload::send_complete_multipart(bool conditional, const std::stop_token& stop) {
  std::vector<std::string> etags;
  {
    const MutexLock lock(mutex_);
    for (const auto& [number, part] : parts_) etags.push_back(part.etag);
  }
  const std::string body = complete_upload_xml(etags);
  S3Request request{.action = "complete the upload of",
                    .permission = "s3:PutObject",
                    .method = "POST",
                    .key = key_,
                    .query = {{"uploadId", upload_id()}},
                    .headers = {{"content-type", "application/xml"}},
                    .body = body,
                    .patience = kCompletePatience};
  if (conditional) request.headers.emplace_back("if-none-match", "*");
  if (options_.checksum == S3Checksum::crc32) {
    request.headers.emplace_back("x-amz-checksum-crc32", crc32_base64(object_crc32()));
    request.headers.emplace_back("x-amz-checksum-type", "FULL_OBJECT");
    request.headers.emplace_back("x-amz-mp-object-size", std::to_string(object_bytes()));
  }
  client_.send(request, stop);
}

// The last request failed, or its answer was lost: an earlier attempt of it may have been carried out all the same.
void S3ObjectUpload::settle(const Error& error, const std::stop_token& stop) {
  const Holder holder = look_if_allowed(stop);
  if (holder == Holder::ours) return;
  const auto* const refusal = dynamic_cast<const S3Error*>(&error);
  const int status = refusal == nullptr ? 0 : refusal->status();
  const bool is_taken = (holder == Holder::another && (status == 409 || status == 412 || status == 501)) ||
                        (holder == Holder::hidden && status == 412);
  if (is_taken) throw KeyTaken(client_.url(key_));
  const bool knows_no_conditions =
      (holder == Holder::absent && (status == 412 || status == 501)) || (holder == Holder::hidden && status == 501);
  if (knows_no_conditions) {
    log(LogLevel::warning, "no_conditional_writes",
        "the store does not support conditional writes: pana only looks beforehand whether a backup of this name "
        "exists");
    return send_completion(/*conditional=*/false, stop);
  }
  throw;
}

// Who may not list the bucket is told "forbidden" of what is not there.
S3ObjectUpload::Holder S3ObjectUpload::look_if_allowed(const std::stop_token& stop) try {
  return look(stop);
} catch (const S3Error& error) {
  if (error.status() != 403) throw;
  return Holder::hidden;
}

S3ObjectUpload::Holder S3ObjectUpload::look(const std::stop_token& stop, std::chrono::milliseconds total) {
  S3Request request{.action = "examine", .permission = "s3:GetObject", .method = "HEAD", .key = key_, .total = total};
  if (options_.checksum == S3Checksum::crc32) request.headers.emplace_back("x-amz-checksum-mode", "ENABLED");
  HttpResponse response;
  try {
    response = total.count() > 0 ? client_.send_once(request, stop) : client_.send(request, stop);
  } catch (const S3Error& error) {
    if (error.status() != 404) throw;
    return Holder::absent;
  }
  if (response.header(kTokenHeader) != token_) return Holder::another;
  const std::string crc32 = response.header("x-amz-checksum-crc32");
  if (response.header("content-length") != std::to_string(object_bytes()) ||
      (!crc32.empty() && crc32 != crc32_base64(object_crc32()))) {
    throw Error(ErrorKind::damaged, fmt::format("{} is not what was uploaded", client_.url(key_)),
                "do not rely on this object; make another backup");
  }
  // There are stores that take the header, answer 200 and encrypt nothing.
  if (!options_.encryption.empty() && response.header(kEncryptionHeader) != options_.encryption) {
    throw Error(ErrorKind::failed,
                fmt::format("{} is there, but the store does not say that it encrypted it with {}", client_.url(key_),
                            options_.encryption),
                "remove it if it must not be stored unencrypted; when no encryption is asked for, the bucket's setting "
                "decides whether the store encrypts");
  }
  return Holder::ours;
}

std::string S3ObjectUpload::upload_id() const {
  const MutexLock lock(mutex_);
  return upload_id_;
}

std::uint64_t S3ObjectUpload::object_bytes() const {
  const MutexLock lock(mutex_);
  std::uint64_t bytes = whole_.size();
  for (const auto& [number, part] : parts_) bytes += part.bytes;
  return bytes;
}

std::uint32_t S3ObjectUpload::object_crc32() const {
  const MutexLock lock(mutex_);
  if (parts_.empty()) return crc32_of(whole_);
  std::uint32_t crc32 = 0;
  for (const auto& [number, part] : parts_) crc32 = combine_crc32(crc32, part.crc32, part.bytes);
  return crc32;
}

}  // namespace pana
