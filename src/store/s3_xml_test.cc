#include "store/s3_xml.h"

#include <gtest/gtest.h>

namespace pana {
namespace {

TEST(S3Xml, ReadsAnError) {
  const auto error = parse_s3_error(
      "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>AuthorizationHeaderMalformed</Code><Message>a &lt; b"
      "</Message><Region>eu-west-1</Region><RequestId>42</RequestId></Error>");
  ASSERT_TRUE(error.has_value());
  EXPECT_EQ(error->code, "AuthorizationHeaderMalformed");
  EXPECT_EQ(error->message, "a < b");
  EXPECT_EQ(error->region, "eu-west-1");
  EXPECT_EQ(error->request_id, "42");
  EXPECT_FALSE(parse_s3_error("<CompleteMultipartUploadResult/>").has_value());
}

TEST(S3Xml, ReadsAPageOfAList) {
  const S3ListPage page = parse_list(
      "<ListBucketResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><EncodingType>url</EncodingType>"
      "<IsTruncated>true</IsTruncated><NextContinuationToken>a+b/=</NextContinuationToken>"
      "<Contents><Key>x/a%20%0Ab</Key><LastModified>2026-01-31T23:59:59.000Z</LastModified><Size>5000000000</Size></"
      "Contents>"
      "<Contents><Key>x/c</Key><Size>0</Size></Contents></ListBucketResult>");
  EXPECT_TRUE(page.is_list);
  ASSERT_EQ(page.objects.size(), 2u);
  EXPECT_EQ(page.objects[0].key, "x/a \nb");
  EXPECT_EQ(page.objects[0].bytes, 5'000'000'000u);
  EXPECT_EQ(page.next, "a+b/=");
  EXPECT_EQ(parse_list("<ListBucketResult><Contents><Key>a%20b</Key></Contents></ListBucketResult>").objects.at(0).key,
            "a%20b");
}

TEST(S3Xml, TakesWhatIsNoneForAnAnswerWithoutContent) {
  for (const std::string_view text : {"", "hello", "<", "<Error", "<a><b></a>", "<html><body>503</body></html>",
                                      "<!DOCTYPE a [<!ENTITY b \"c\">]><Error><Code>&b;</Code>"}) {
    EXPECT_FALSE(parse_list(text).is_list) << text;
    EXPECT_EQ(parse_upload_id(text), "") << text;
    EXPECT_TRUE(parse_uploads(text).uploads.empty()) << text;
  }
}

TEST(S3Xml, ReadsAPageOfUploads) {
  const S3UploadsPage page = parse_uploads(
      "<ListMultipartUploadsResult><EncodingType>url</EncodingType><IsTruncated>true</IsTruncated>"
      "<NextKeyMarker>x/a%20b</NextKeyMarker><NextUploadIdMarker>7</NextUploadIdMarker>"
      "<Upload><Key>x/a%20b</Key><UploadId>6</UploadId><Initiated>2026-01-31T23:59:59.000Z</Initiated></Upload>"
      "<Upload><Key>x/a%20b</Key><UploadId>7</UploadId></Upload></ListMultipartUploadsResult>");
  EXPECT_TRUE(page.is_list);
  ASSERT_EQ(page.uploads.size(), 2u);
  EXPECT_EQ(page.uploads[0].key, "x/a b");
  EXPECT_EQ(page.uploads[0].upload_id, "6");
  EXPECT_EQ(rfc3339(page.uploads[0].initiated), "2026-01-31T23:59:59.000Z");
  EXPECT_GT(page.uploads[1].initiated, std::chrono::system_clock::now());  // no date: not old
  EXPECT_EQ(page.next_key, "x/a b");
  EXPECT_EQ(page.next_upload_id, "7");
}

TEST(S3Xml, ReadsWhenTheYoungestPartWasStored) {
  const S3PartsPage page = parse_parts(
      "<ListPartsResult><IsTruncated>true</IsTruncated><NextPartNumberMarker>2</NextPartNumberMarker>"
      "<Part><PartNumber>1</PartNumber><LastModified>2026-01-31T23:59:59.000Z</LastModified></Part>"
      "<Part><PartNumber>2</PartNumber><LastModified>2026-01-30T23:59:59.000Z</LastModified></Part></ListPartsResult>");
  EXPECT_TRUE(page.is_list);
  ASSERT_TRUE(page.newest.has_value());
  EXPECT_EQ(rfc3339(*page.newest), "2026-01-31T23:59:59.000Z");
  EXPECT_EQ(page.next, "2");
  EXPECT_FALSE(parse_parts("<ListPartsResult/>").newest.has_value());
  EXPECT_FALSE(parse_parts("<html/>").is_list);
}

TEST(S3Xml, NamesThePartsOfAnUpload) {
  EXPECT_EQ(complete_upload_xml({"\"a<b\"", "\"c\""}),
            "<?xml version=\"1.0\"?><CompleteMultipartUpload xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">"
            "<Part><PartNumber>1</PartNumber><ETag>\"a&lt;b\"</ETag></Part>"
            "<Part><PartNumber>2</PartNumber><ETag>\"c\"</ETag></Part></CompleteMultipartUpload>");
}

}  // namespace
}  // namespace pana
