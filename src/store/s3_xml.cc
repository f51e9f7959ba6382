#include "store/s3_xml.h"

#include <fmt/format.h>

#include <algorithm>
#include <pugixml.hpp>

#include "net/uri.h"

namespace pana {
namespace {

// Parsed without entities of its own, so that nothing in it can grow.
struct Document {
  explicit Document(std::string_view xml) {
    document.load_buffer(xml.data(), xml.size(), pugi::parse_default, pugi::encoding_utf8);
  }
  pugi::xml_node root() const { return document.document_element(); }

  pugi::xml_document document;
};

std::string text(const pugi::xml_node& node, const char* child) { return node.child(child).text().as_string(); }

// What has no date counts as young: nothing is removed for want of one.
TimePoint time_of(const pugi::xml_node& node, const char* child) {
  return parse_rfc3339(text(node, child)).value_or(TimePoint::max());
}

// Keys that XML cannot hold come percent-encoded, when that was asked for and the store knows it.
std::string key_of(const pugi::xml_node& node, const pugi::xml_node& root, const char* child = "Key") {
  const std::string key = text(node, child);
  return text(root, "EncodingType") == "url" ? percent_decode(key) : key;
}

}  // namespace

std::optional<S3ErrorBody> parse_s3_error(std::string_view xml) {
  const Document document(xml);
  const pugi::xml_node root = document.root();
  if (std::string_view(root.name()) != "Error") return std::nullopt;
  return S3ErrorBody{.code = text(root, "Code"),
                     .message = text(root, "Message"),
                     .region = text(root, "Region"),
                     .request_id = text(root, "RequestId")};
}

std::string parse_upload_id(std::string_view xml) {
  const Document document(xml);
  return text(document.root(), "UploadId");
}

S3ListPage parse_list(std::string_view xml) {
  const Document document(xml);
  const pugi::xml_node root = document.root();
  S3ListPage page{.is_list = std::string_view(root.name()) == "ListBucketResult"};
  for (const pugi::xml_node& node : root.children("Contents")) {
    page.objects.push_back({.key = key_of(node, root), .bytes = node.child("Size").text().as_ullong()});
  }
  if (root.child("IsTruncated").text().as_bool()) page.next = text(root, "NextContinuationToken");
  return page;
}

S3UploadsPage parse_uploads(std::string_view xml) {
  const Document document(xml);
  const pugi::xml_node root = document.root();
  S3UploadsPage page{.is_list = std::string_view(root.name()) == "ListMultipartUploadsResult"};
  for (const pugi::xml_node& node : root.children("Upload")) {
    page.uploads.push_back(
        {.key = key_of(node, root), .upload_id = text(node, "UploadId"), .initiated = time_of(node, "Initiated")});
  }
  if (root.child("IsTruncated").text().as_bool()) {
    page.next_key = key_of(root, root, "NextKeyMarker");
    page.next_upload_id = text(root, "NextUploadIdMarker");
  }
  return page;
}

S3PartsPage parse_parts(std::string_view xml) {
  const Document document(xml);
  const pugi::xml_node root = document.root();
  S3PartsPage page{.is_list = std::string_view(root.name()) == "ListPartsResult"};
  for (const pugi::xml_node& node : root.children("Part")) {
    page.newest = std::max(page.newest, std::optional(time_of(node, "LastModified")));
  }
  if (root.child("IsTruncated").text().as_bool()) page.next = text(root, "NextPartNumberMarker");
  return page;
}

std::string complete_upload_xml(const std::vector<std::string>& etags) {
  pugi::xml_document document;
  pugi::xml_node root = document.append_child("CompleteMultipartUpload");
  root.append_attribute("xmlns") = "http://s3.amazonaws.com/doc/2006-03-01/";
  int number = 0;
  for (const std::string& etag : etags) {
    pugi::xml_node part = root.append_child("Part");
    part.append_child("PartNumber").text() = ++number;
    part.append_child("ETag").text() = etag.c_str();
  }
  struct Writer : pugi::xml_writer {
    void write(const void* data, std::size_t size) override { xml.append(static_cast<const char*>(data), size); }
    std::string xml;
  } writer;
  document.save(writer, "", pugi::format_raw);
  return std::move(writer.xml);
}

}  // namespace pana
