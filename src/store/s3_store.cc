#include "store/s3_store.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <chrono>

#include "base/log.h"
#include "store/s3_upload.h"

namespace pana {
namespace {

// No backup pauses so long between two parts: what has stored none since was left behind by one that was killed.
constexpr std::chrono::hours kAbandonedAfter{24};

// So much of an object's end is read when it is opened: it tells the size as well, and is most often all that somebody
// wants who only looks.
constexpr std::size_t kTailBytes = 64 << 10;

// Reads one object, of which the ETag makes sure that it stays the same.
class S3Reader : public ObjectReader {
 public:
  S3Reader(S3Client& client, std::string key, const std::stop_token& stop) : client_(client), key_(std::move(key)) {
    S3Request request{.action = "open", .permission = "s3:GetObject", .key = key_};
    request.headers = {{"range", fmt::format("bytes=-{}", kTailBytes)}};
    request.sink = [this](const HttpResponse&, std::string_view piece) {
      if (tail_.size() + piece.size() > kTailBytes) throw_other_bytes(/*may_pass=*/false);
      tail_ += piece;
    };
    request.examine = [this](const HttpResponse& response) { take_size(response); };
    Retry retry = client_.new_retry();
    while (true) {
      tail_.clear();
      try {
        client_.send_once(request, stop);
        client_.note_success();
        return;
      } catch (const S3Error& error) {
        if (error.status() == 416) return;  // it is empty, and has no end
        if (!client_.may_try_again(error, request, retry, stop)) throw;
      } catch (const Error& error) {
        if (!client_.may_try_again(error, request, retry, stop)) throw;
      }
    }
  }

  std::uint64_t size() const override { return size_; }

  // A read that is cut goes on from where it stopped.
  void read(std::uint64_t offset, std::span<char> into, const std::stop_token& stop) const override {
    if (offset + into.size() > size_) {
      throw Error(ErrorKind::damaged, fmt::format("{} ends too early", client_.url(key_)));
    }
    if (offset >= size_ - tail_.size()) {
      std::copy_n(tail_.data() + (offset - (size_ - tail_.size())), into.size(), into.data());
      return;
    }
    Retry retry = client_.new_retry();
    while (!into.empty()) {
      S3Request request{.action = "read", .permission = "s3:GetObject", .key = key_};
      const std::string range = fmt::format("bytes {}-{}/{}", offset, offset + into.size() - 1, size_);
      request.headers = {{"range", fmt::format("bytes={}-{}", offset, offset + into.size() - 1)}};
      if (!etag_.empty()) request.headers.emplace_back("if-match", etag_);
      std::size_t got = 0;
      // Looked at before the first byte counts: what is cut is not examined at its end.
      request.sink = [&](const HttpResponse& response, std::string_view piece) {
        if (response.status != 206 || response.header("content-range") != range) throw_other_bytes(/*may_pass=*/true);
        const std::size_t length = std::min(piece.size(), into.size() - got);
        std::copy_n(piece.data(), length, into.data() + got);
        got += length;
      };
      request.examine = [&](const HttpResponse&) {
        if (got != into.size()) throw_other_bytes(/*may_pass=*/true);
      };
      try {
        client_.send_once(request, stop);
        return client_.note_success();
      } catch (const Error& error) {
        if (!client_.may_try_again(error, request, retry, stop)) throw;
      }
      into = into.subspan(got);
      offset += got;
    }
  }

 private:
  [[noreturn]] void throw_other_bytes(bool may_pass) const {
    throw TransportError(fmt::format("{} answered with other bytes than were asked for", client_.url(key_)),
                         "the store, and any proxy before it, must heed Range", may_pass);
  }

  // "bytes 99990-99999/100000"; a store may answer with the whole of a small object.
  void take_size(const HttpResponse& response) {
    const std::string range = response.header("content-range");
    size_ = tail_.size();
    if (response.status == 206) {
      const std::size_t slash = range.find('/') + 1;
      std::from_chars(range.data() + slash, range.data() + range.size(), size_);
      const bool is_tail = tail_.size() == std::min<std::uint64_t>(size_, kTailBytes) && size_ > 0;
      if (!is_tail || range != fmt::format("bytes {}-{}/{}", size_ - tail_.size(), size_ - 1, size_))
        throw_other_bytes(/*may_pass=*/true);
    }
    etag_ = response.header("etag");
  }

  S3Client& client_;
  const std::string key_;
  std::uint64_t size_ = 0;
  std::string tail_;  // the last bytes of the object
  std::string etag_;
};

// A store that gives the same page for ever must not keep us for ever.
[[noreturn]] void throw_same_page(const std::string& location) {
  throw Error(ErrorKind::failed, fmt::format("{} gives the same page of its list again", location));
}

// A backup is called one when its index has been read back.
void refuse_archive(const std::string& storage_class) {
  if (storage_class != "GLACIER" && storage_class != "DEEP_ARCHIVE") return;
  throw Error(ErrorKind::usage,
              fmt::format("a backup in the storage class {} cannot be read back, and would never be called complete",
                          storage_class),
              "GLACIER_IR can be read at once; a lifecycle rule of the bucket can move backups to an archive when they "
              "are older");
}

}  // namespace

S3Store::Place S3Store::parse(const std::string& url) {
  constexpr std::string_view kScheme = "s3://";
  const std::string_view rest = std::string_view(url).substr(kScheme.size());
  const std::size_t slash = std::min(rest.find('/'), rest.size());
  Place place{.bucket = std::string(rest.substr(0, slash)), .prefix = std::string(rest.substr(slash))};
  place.prefix.erase(0, 1);
  while (place.prefix.ends_with('/')) place.prefix.pop_back();
  if (!place.prefix.empty()) place.prefix += '/';
  if (place.bucket.find_first_of("@:") != std::string::npos) {
    throw Error(ErrorKind::usage, "the location holds what no bucket's name does", "credentials do not belong into it");
  }
  if (place.bucket.empty()) throw Error(ErrorKind::usage, fmt::format("{} names no bucket", url), "s3://bucket/prefix");
  return place;
}

S3Store::S3Store(const std::string& url, const S3Options& options, std::stop_token stop)
    : place_(parse(url)), options_(options), stop_(std::move(stop)), client_(place_.bucket, options) {
  refuse_archive(options.storage_class);
}

std::string S3Store::describe(const std::string& key) const { return client_.url(place_.prefix + key); }

bool S3Store::exists(const std::string& key) try {
  client_.send({.action = "examine", .permission = "s3:GetObject", .method = "HEAD", .key = key}, stop_);
  return true;
} catch (const S3Error& error) {
  // Who may not list the bucket is told "forbidden" of what is not there. The upload finds out what is true.
  if (error.status() == 404 || error.status() == 403) return false;
  throw;
}

std::unique_ptr<ObjectUpload> S3Store::begin_upload(const std::string& key, std::uint64_t expected_bytes) {
  if (exists(place_.prefix + key)) {
    throw KeyTaken(describe(key));
  }
  return std::make_unique<S3ObjectUpload>(client_, options_, place_.prefix + key, expected_bytes, stop_);
}

// As far as these credentials may: a lifecycle rule of the bucket does the same. No backup fails for it.
void S3Store::remove_abandoned(const std::function<bool(const std::string& key)>& is_ours) try {
  S3UploadsPage page;
  do {
    Query query = {{"uploads", ""}, {"prefix", place_.prefix}, {"encoding-type", "url"}};
    if (!page.next_key.empty())
      query.insert(query.end(), {{"key-marker", page.next_key}, {"upload-id-marker", page.next_upload_id}});
    const S3UploadsPage before = std::exchange(page, {});
    page = parse_uploads(
        client_
            .send({.action = "list the uploads of", .permission = "s3:ListBucketMultipartUploads", .query = query},
                  stop_)
            .body);
    if (!page.is_list) throw Error(ErrorKind::failed, fmt::format("{} answered with no list of uploads", describe("")));
    const bool is_same = page.next_key == before.next_key && page.next_upload_id == before.next_upload_id;
    if (is_same && !page.next_key.empty()) throw_same_page(describe(""));
    for (const S3Upload& upload : page.uploads) {
      if (upload.key.starts_with(place_.prefix) && is_ours(upload.key.substr(place_.prefix.size())))
        remove_if_abandoned(upload);
    }
  } while (!page.next_key.empty());
} catch (const Error& error) {
  if (error.kind() == ErrorKind::interrupted) throw;
  const std::string sentence =
      fmt::format("pana could not look for all uploads that killed backups left: {}", error.what());
  const auto* const refusal = dynamic_cast<const S3Error*>(&error);
  // A right that nobody needs to give is missed on every day.
  if (refusal != nullptr && refusal->status() == 403) return log(LogLevel::info, "abandoned_uploads", sentence);
  log(LogLevel::warning, "abandoned_uploads", sentence);
}

void S3Store::remove_if_abandoned(const S3Upload& upload) try {
  const TimePoint young = std::chrono::system_clock::now() - kAbandonedAfter;
  if (upload.initiated > young || has_part_since(young, upload)) return;
  client_.send({.action = "abort the abandoned upload of",
                .permission = "s3:AbortMultipartUpload",
                .method = "DELETE",
                .key = upload.key,
                .query = {{"uploadId", upload.upload_id}}},
               stop_);
  log(LogLevel::info, "abandoned_upload",
      fmt::format("removed what a killed upload of {} left", client_.url(upload.key)));
} catch (const S3Error& error) {
  if (error.status() != 404) throw;  // it has ended since it was listed
}

// A long backup is not an abandoned one: it stores parts.
bool S3Store::has_part_since(TimePoint moment, const S3Upload& upload) {
  S3PartsPage page;
  do {
    Query query = {{"uploadId", upload.upload_id}};
    if (!page.next.empty()) query.emplace_back("part-number-marker", page.next);
    const std::string before = page.next;
    page = parse_parts(client_
                           .send({.action = "list the parts of",
                                  .permission = "s3:ListMultipartUploadParts",
                                  .key = upload.key,
                                  .query = query},
                                 stop_)
                           .body);
    if (!page.is_list)
      throw Error(ErrorKind::failed, fmt::format("{} answered with no list of parts", client_.url(upload.key)));
    if (page.newest > moment) return true;
    if (!page.next.empty() && page.next == before) throw_same_page(client_.url(upload.key));
  } while (!page.next.empty());
  return false;
}

std::unique_ptr<ObjectReader> S3Store::open(const std::string& key) {
  return std::make_unique<S3Reader>(client_, place_.prefix + key, stop_);
}

std::vector<ObjectInfo> S3Store::list() {
  std::vector<ObjectInfo> objects;
  std::string next;
  do {
    Query query = {{"list-type", "2"}, {"prefix", place_.prefix}, {"delimiter", "/"}, {"encoding-type", "url"}};
    if (!next.empty()) query.emplace_back("continuation-token", next);
    const HttpResponse response =
        client_.send({.action = "list", .permission = "s3:ListBucket", .query = query}, stop_);
    S3ListPage page = parse_list(response.body);
    if (!page.is_list) throw Error(ErrorKind::failed, fmt::format("{} answered with no list", describe("")));
    for (ObjectInfo& object : page.objects) {
      object.key.erase(0, place_.prefix.size());
      if (!object.key.empty()) objects.push_back(std::move(object));
    }
    if (!page.next.empty() && page.next == next) throw_same_page(describe(""));
    next = std::move(page.next);
  } while (!next.empty());
  std::sort(objects.begin(), objects.end(), [](const auto& a, const auto& b) { return a.key < b.key; });
  return objects;
}

void S3Store::remove(const std::string& key) {
  client_.send({.action = "remove", .permission = "s3:DeleteObject", .method = "DELETE", .key = place_.prefix + key},
               stop_);
}

}  // namespace pana
