// An HTTP client on libcurl: one request at a time and thread, over connections that are kept open between them.
#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/guarded.h"

namespace pana {

// Of the libraries that this process runs with: "7.88.1".
std::string libcurl_version();

struct HttpResponse {
  int status = 0;
  std::map<std::string, std::string, std::less<>> headers;  // names in lower case
  std::string body;

  // The value of a header, empty when there is none.
  std::string header(std::string_view name) const;
};

struct HttpRequest {
  std::string method = "GET";
  std::string origin;                                        // "https://host:port", without a path
  std::string path;                                          // percent-encoded, beginning with a slash; sent as it is
  std::string query;                                         // percent-encoded, without the question mark
  std::vector<std::pair<std::string, std::string>> headers;  // names in lower case
  std::string_view body;                                     // must outlive the request
  std::chrono::seconds connect_timeout{15};
  std::chrono::seconds silence{60};    // the longest time in which less than a trickle arrives or leaves; 0: no limit
  std::chrono::milliseconds total{0};  // the longest time for all of it; 0: no limit
  bool direct = false;                 // past any proxy: for services of the machine itself
  // Receives the body of an answer with status 2xx piece by piece; without it, all bodies are collected.
  // The response has its status and headers already.
  std::function<void(const HttpResponse& response, std::string_view piece)> sink = {};
};

// No complete answer arrived: whether the server has done what was asked is not known.
class TransportError : public Error {
 public:
  TransportError(const std::string& message, std::string hint, bool may_pass)
      : Error(ErrorKind::failed, message, std::move(hint)), may_pass_(may_pass) {}
  bool may_pass() const { return may_pass_; }  // worth another try

 private:
  bool may_pass_;
};

// Safe to use from several threads. Certificates are checked, with the authorities of AWS_CA_BUNDLE or SSL_CERT_FILE
// where one is named; HTTPS_PROXY, HTTP_PROXY and NO_PROXY hold as for curl. Redirects are answers like any other.
class HttpClient {
 public:
  HttpClient();
  ~HttpClient();
  HttpClient(const HttpClient&) = delete;
  HttpClient& operator=(const HttpClient&) = delete;

  // Any status is an answer. Throws TransportError, or Error(interrupted) at once when stopped. What the sink throws is
  // thrown.
  HttpResponse send(const HttpRequest& request, const std::stop_token& stop);

 private:
  struct Transfer;
  struct CloseEasy {
    void operator()(void* handle) const;
  };
  struct CloseMulti {
    void operator()(void* handle) const;
  };
  // curl's handle of one request, and the one that drives it and keeps its connections.
  struct Handle {
    std::unique_ptr<void, CloseMulti> multi;
    std::unique_ptr<void, CloseEasy> easy;
  };

  Handle take_handle();

  Guarded<std::vector<Handle>> idle_;
};

}  // namespace pana
