#include "net/http.h"

#include <curl/curl.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cstdlib>
#include <exception>
#include <functional>
#include <memory>
#include <new>
#include <optional>

#include "base/text.h"

namespace pana {
namespace {

// Less than this for HttpRequest::silence is a dead connection.
constexpr long kTrickleBytesPerSecond = 100;

// Answers that are collected are lists and errors: none is larger.
constexpr std::size_t kLargestBodyBytes = 64 << 20;

// Sets an option whose failure could only be a mistake of ours or a lack of memory.
template <typename Value>
void set(CURL* handle, CURLoption option, Value value) {
  if (curl_easy_setopt(handle, option, value) != CURLE_OK) throw std::bad_alloc();
}

struct FreeList {
  void operator()(curl_slist* list) const { curl_slist_free_all(list); }
};
using HeaderList = std::unique_ptr<curl_slist, FreeList>;

void append(HeaderList& list, const std::string& line) {
  curl_slist* const longer = curl_slist_append(list.get(), line.c_str());
  if (longer == nullptr) throw std::bad_alloc();
  static_cast<void>(list.release());  // `longer` owns it now
  list.reset(longer);
}

const char* certificate_authorities() {
  for (const char* const name : {"AWS_CA_BUNDLE", "SSL_CERT_FILE"}) {
    const char* const file = std::getenv(name);
    if (file != nullptr && *file != '\0') return file;
  }
  return nullptr;
}

// What a person can do about it; nothing for what passes by itself.
std::string hint_for(CURLcode code) {
  switch (code) {
    case CURLE_COULDNT_RESOLVE_HOST: return "check the host name and the network's name service";
    case CURLE_COULDNT_RESOLVE_PROXY: return "check HTTPS_PROXY and HTTP_PROXY";
    case CURLE_COULDNT_CONNECT: return "check that the server is running and reachable from here";
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CACERT_BADFILE: return "name the file with the right certificate authorities in AWS_CA_BUNDLE";
    default: return {};
  }
}

bool may_pass(CURLcode code) {
  constexpr std::array kFinal = {CURLE_PEER_FAILED_VERIFICATION, CURLE_SSL_CACERT_BADFILE, CURLE_URL_MALFORMAT,
                                 CURLE_UNSUPPORTED_PROTOCOL,     CURLE_SSL_CERTPROBLEM,    CURLE_SSL_CIPHER};
  return std::find(kFinal.begin(), kFinal.end(), code) == kFinal.end();
}

std::string lower_case(std::string_view text) {
  std::string lower(text);
  std::transform(lower.begin(), lower.end(), lower.begin(), [](unsigned char c) { return std::tolower(c); });
  return lower;
}

// Carries the transfer out; nothing when a stop was requested before its end. (curl_easy_perform() would look for a
// stop once a second only.)
std::optional<CURLcode> perform(CURLM* multi, CURL* easy, const std::stop_token& stop) {
  constexpr int kStopCheckMilliseconds = 50;
  const auto check = [](CURLMcode code) {
    if (code != CURLM_OK)
      throw Error(ErrorKind::failed, fmt::format("curl cannot work: {}", curl_multi_strerror(code)));
  };
  check(curl_multi_add_handle(multi, easy));
  const std::unique_ptr<void, std::function<void(void*)>> remove(
      easy, [multi](void* handle) { curl_multi_remove_handle(multi, handle); });
  for (int running = 1; running > 0;) {
    if (stop.stop_requested()) return std::nullopt;
    check(curl_multi_perform(multi, &running));
    if (running > 0) check(curl_multi_poll(multi, nullptr, 0, kStopCheckMilliseconds, nullptr));
  }
  int left = 0;
  const CURLMsg* const message = curl_multi_info_read(multi, &left);
  return message == nullptr ? CURLE_FAILED_INIT : message->data.result;
}

}  // namespace

std::string libcurl_version() { return curl_version_info(CURLVERSION_NOW)->version; }

// One request under way: what curl's callbacks write into. An exception must not pass through curl.
struct HttpClient::Transfer {
  const HttpRequest& request;
  HttpResponse response;
  std::exception_ptr thrown = {};

  static std::size_t take_header(const char* data, std::size_t, std::size_t size, void* self) {
    auto& transfer = *static_cast<Transfer*>(self);
    const std::string_view line(data, size);
    if (line.starts_with("HTTP/")) transfer.response = {};  // a new answer, behind "100 Continue" or a proxy's
    const std::size_t colon = line.find(':');
    if (colon != std::string_view::npos) {
      transfer.response.headers[lower_case(line.substr(0, colon))] = trimmed(line.substr(colon + 1));
    } else if (const std::size_t blank = line.find(' '); line.starts_with("HTTP/") && blank != std::string_view::npos) {
      transfer.response.status = std::atoi(line.data() + blank + 1);
    }
    return size;
  }

  static std::size_t take_body(const char* data, std::size_t, std::size_t size, void* self) {
    auto& transfer = *static_cast<Transfer*>(self);
    const bool is_success = transfer.response.status / 100 == 2;
    try {
      if (transfer.request.sink && is_success) {
        transfer.request.sink(transfer.response, {data, size});
      } else if (transfer.response.body.size() + size > kLargestBodyBytes) {
        return 0;
      } else {
        transfer.response.body.append(data, size);
      }
    } catch (...) {
      transfer.thrown = std::current_exception();
      return 0;
    }
    return size;
  }

  HeaderList prepare(CURL* handle) {
    HeaderList headers;
    for (const auto& [name, value] : request.headers) {
      append(headers, value.empty() ? name + ";" : fmt::format("{}: {}", name, value));
    }
    const bool has_body = request.method == "PUT" || request.method == "POST";
    if (has_body) {
      append(headers, "Expect:");
      const auto is_type = [](const auto& header) { return header.first == "content-type"; };
      if (std::none_of(request.headers.begin(), request.headers.end(), is_type)) append(headers, "Content-Type:");
      set(handle, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(request.body.size()));
      set(handle, CURLOPT_POSTFIELDS, request.body.empty() ? "" : request.body.data());  // not copied
    }
    if (request.method == "HEAD") {
      set(handle, CURLOPT_NOBODY, 1L);
    } else {
      set(handle, CURLOPT_CUSTOMREQUEST, request.method.c_str());
    }
    const std::string url = request.origin + request.path + (request.query.empty() ? "" : "?" + request.query);
    set(handle, CURLOPT_URL, url.c_str());
    set(handle, CURLOPT_PATH_AS_IS, 1L);
    set(handle, CURLOPT_HTTPHEADER, headers.get());
    set(handle, CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));
    set(handle, CURLOPT_PROTOCOLS_STR, "http,https");
    set(handle, CURLOPT_USERAGENT, "pana/" PANA_VERSION);
    set(handle, CURLOPT_NOSIGNAL, 1L);
    set(handle, CURLOPT_QUICK_EXIT, 1L);  // a name service that hangs must not keep us when the request is given up
    set(handle, CURLOPT_TCP_KEEPALIVE, 1L);
    set(handle, CURLOPT_CONNECTTIMEOUT, static_cast<long>(request.connect_timeout.count()));
    set(handle, CURLOPT_LOW_SPEED_LIMIT, kTrickleBytesPerSecond);
    set(handle, CURLOPT_LOW_SPEED_TIME, static_cast<long>(request.silence.count()));
    set(handle, CURLOPT_TIMEOUT_MS, static_cast<long>(request.total.count()));
    set(handle, CURLOPT_HEADERFUNCTION, &take_header);
    set(handle, CURLOPT_HEADERDATA, static_cast<void*>(this));
    set(handle, CURLOPT_WRITEFUNCTION, &take_body);
    set(handle, CURLOPT_WRITEDATA, static_cast<void*>(this));
    if (const char* const file = certificate_authorities()) set(handle, CURLOPT_CAINFO, file);
    if (request.direct) set(handle, CURLOPT_NOPROXY, "*");
    return headers;
  }
};

std::string HttpResponse::header(std::string_view name) const {
  const auto found = headers.find(name);
  return found == headers.end() ? std::string() : found->second;
}

void HttpClient::CloseEasy::operator()(void* handle) const { curl_easy_cleanup(handle); }
void HttpClient::CloseMulti::operator()(void* handle) const { curl_multi_cleanup(handle); }

HttpClient::HttpClient() {
  static const CURLcode ready = curl_global_init(CURL_GLOBAL_DEFAULT);
  if (ready != CURLE_OK) throw std::bad_alloc();
}

HttpClient::~HttpClient() = default;

HttpClient::Handle HttpClient::take_handle() {
  Handle handle = idle_.with([](std::vector<Handle>& idle) {
    if (idle.empty()) return Handle();
    Handle last = std::move(idle.back());
    idle.pop_back();
    return last;
  });
  if (!handle.multi) handle.multi.reset(curl_multi_init());
  if (!handle.easy) handle.easy.reset(curl_easy_init());
  if (!handle.multi || !handle.easy) throw std::bad_alloc();
  curl_easy_reset(handle.easy.get());  // options only: connections stay
  return handle;
}

HttpResponse HttpClient::send(const HttpRequest& request, const std::stop_token& stop) {
  if (stop.stop_requested()) throw Error(ErrorKind::interrupted, "stopped on request");
  Handle handle = take_handle();
  std::array<char, CURL_ERROR_SIZE> details{};
  Transfer transfer{.request = request, .response = {}};
  const HeaderList headers = transfer.prepare(handle.easy.get());
  set(handle.easy.get(), CURLOPT_ERRORBUFFER, details.data());
  const std::optional<CURLcode> code = perform(handle.multi.get(), handle.easy.get(), stop);
  if (!code) throw Error(ErrorKind::interrupted, "stopped on request");
  set(handle.easy.get(), CURLOPT_ERRORBUFFER, static_cast<char*>(nullptr));
  if (*code == CURLE_OK) {
    idle_.with([&handle](std::vector<Handle>& idle) { idle.push_back(std::move(handle)); });
    return std::move(transfer.response);
  }
  if (transfer.thrown) std::rethrow_exception(transfer.thrown);
  const std::string reason = details[0] != '\0' ? details.data() : curl_easy_strerror(*code);
  throw TransportError(fmt::format("no answer from {}: {}", request.origin, reason), hint_for(*code), may_pass(*code));
}

}  // namespace pana
