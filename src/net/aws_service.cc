#include "net/aws_service.h"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>

#include "base/json.h"
#include "base/log.h"
#include "base/sleep.h"
#include "base/text.h"
#include "net/sigv4.h"

namespace pana {
namespace {

constexpr std::chrono::seconds kConnectTimeout{5};

std::string element(std::string_view xml, std::string_view name) {
  const std::string begin_tag = fmt::format("<{}>", name);
  const std::size_t begin = xml.find(begin_tag);
  const std::size_t end = xml.find(fmt::format("</{}>", name));
  if (begin == std::string_view::npos || end == std::string_view::npos || end < begin + begin_tag.size()) return {};
  return std::string(xml.substr(begin + begin_tag.size(), end - begin - begin_tag.size()));
}

// "AccessDeniedException, User ... is not authorized": the code and the message of an error, in XML or JSON.
std::string reason_of(const std::string& body) {
  const Json json = Json::parse(body, nullptr, /*allow_exceptions=*/false);
  std::string code = element(body, "Code");
  std::string message = element(body, "Message");
  if (json.is_object()) {
    const auto text = [&json](const char* key) {
      return json.contains(key) && json[key].is_string() ? json[key].get<std::string>() : std::string();
    };
    code = text("__type");
    code.erase(0, code.find('#') + 1);  // "com.amazonaws.ssm#ParameterNotFound"
    message = first_of({text("message"), text("Message")});
  }
  return code.empty() || message.empty() ? code + message : code + ", " + message;
}

bool may_pass(int status, const std::string& reason) {
  return status == 429 || status >= 500 || reason.find("Throttl") != std::string::npos;
}

}  // namespace

AwsService::AwsService(std::string name)
    : name_(std::move(name)), endpoint_(find_endpoint(name_, {})), credentials_(http_, {}) {}

std::string AwsService::post(const Request& request, const std::stop_token& stop) {
  using Clock = std::chrono::steady_clock;
  const auto give_up = Clock::now() + request.patience;
  Retry retry(budget_, endpoint_.attempts_at_most);
  while (true) {
    const auto left =
        std::max(std::chrono::ceil<std::chrono::seconds>(give_up - Clock::now()), std::chrono::seconds(1));
    HttpRequest http{.method = "POST",
                     .origin = endpoint_.origin,
                     .path = endpoint_.path + "/",
                     .headers = request.headers,
                     .body = request.body,
                     .connect_timeout = std::min(left, kConnectTimeout),
                     .silence = left};
    std::string reason;
    std::string hint;
    bool worth_another = false;
    try {
      sign(http, credentials_.get(stop), endpoint_.region, name_, std::chrono::system_clock::now());
      HttpResponse response = http_.send(http, stop);
      if (response.status / 100 == 2) {
        budget_.refund();
        return std::move(response.body);
      }
      reason = fmt::format("{} {}", response.status, reason_of(response.body));
      worth_another = may_pass(response.status, reason);
      const bool is_denied = response.status == 403 || reason.find("AccessDenied") != std::string::npos;
      hint = is_denied ? fmt::format("the credentials need {}", request.permission) : request.hint;
    } catch (const TransportError& error) {
      reason = error.what();
      hint = error.hint();
      worth_another = error.may_pass();
    }
    if (!worth_another || Clock::now() >= give_up || !retry.may_go_on()) {
      throw Error(ErrorKind::failed, fmt::format("cannot {}: {}", request.action, reason), hint);
    }
    log(LogLevel::warning, "aws_retry", fmt::format("attempt {} to {}: {}", retry.attempts(), request.action, reason));
    sleep_for(retry.delay(), stop);
  }
}

}  // namespace pana
