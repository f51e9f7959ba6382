// Backups in a bucket: the objects under one prefix, s3://bucket/prefix.
//
// A key is the object's name behind the prefix. Compatible stores work as well as S3 itself (s3_options.h).
#pragma once

#include <stop_token>

#include "store/object_store.h"
#include "store/s3_client.h"
#include "store/s3_options.h"
#include "store/s3_xml.h"

namespace pana {

class S3Store : public ObjectStore {
 public:
  // `url` is s3://bucket or s3://bucket/prefix; throws Error(usage) when it is not. `stop` ends the waits of
  // calls that carry no token of their own.
  S3Store(const std::string& url, const S3Options& options, std::stop_token stop);

  std::string describe(const std::string& key) const override;
  std::unique_ptr<ObjectUpload> begin_upload(const std::string& key, std::uint64_t expected_bytes) override;
  void remove_abandoned(const std::function<bool(const std::string& key)>& is_ours) override;
  std::unique_ptr<ObjectReader> open(const std::string& key) override;
  std::vector<ObjectInfo> list() override;
  void remove(const std::string& key) override;

 private:
  bool exists(const std::string& key);
  void remove_if_abandoned(const S3Upload& upload);
  bool has_part_since(TimePoint moment, const S3Upload& upload);

  struct Place {
    std::string bucket;
    std::string prefix;  // empty, or with a slash at its end
  };
  static Place parse(const std::string& url);

  const Place place_;
  const S3Options options_;
  const std::stop_token stop_;
  S3Client client_;
};

}  // namespace pana
