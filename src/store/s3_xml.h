// The XML that S3 answers with, and the one document it is sent.
//
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_Operations.html. Answers are not trusted: what is missing is
// empty, and what is no XML is an answer without content.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"
#include "store/object_store.h"

namespace pana {

struct S3ErrorBody {
  std::string code;
  std::string message;
  std::string region;  // of the bucket, when the request went to the wrong one
  std::string request_id;
};

// Nothing when the document's root is not Error.
std::optional<S3ErrorBody> parse_s3_error(std::string_view xml);

// The UploadId of InitiateMultipartUploadResult, empty when there is none.
std::string parse_upload_id(std::string_view xml);

struct S3ListPage {
  bool is_list = false;             // the document is a ListBucketResult
  std::vector<ObjectInfo> objects;  // whole keys
  std::string next;                 // the continuation token; empty on the last page
};
S3ListPage parse_list(std::string_view xml);

struct S3Upload {
  std::string key;
  std::string upload_id;
  TimePoint initiated;  // what has no date counts as young
};
struct S3UploadsPage {
  bool is_list = false;  // the document is a ListMultipartUploadsResult
  std::vector<S3Upload> uploads;
  std::string next_key;  // the markers of the next page; both empty on the last one
  std::string next_upload_id;
};
S3UploadsPage parse_uploads(std::string_view xml);

struct S3PartsPage {
  bool is_list = false;             // the document is a ListPartsResult
  std::optional<TimePoint> newest;  // when the youngest part was stored
  std::string next;                 // the part number marker; empty on the last page
};
S3PartsPage parse_parts(std::string_view xml);

// CompleteMultipartUpload with the parts' ETags, in the order of their numbers from 1 on.
std::string complete_upload_xml(const std::vector<std::string>& etags);

}  // namespace pana
