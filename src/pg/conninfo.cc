#include "pg/conninfo.h"

#include <fmt/format.h>
#include <libpq-fe.h>

#include <algorithm>
#include <cctype>
#include <map>
#include <memory>
#include <string>

namespace pana {
namespace {

constexpr std::string_view kBlanks = " \t\n\v\f\r";
constexpr std::string_view kLetters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_";

// The keywords that libpq knows; true for those whose values it would not show.
std::map<std::string, bool, std::less<>> libpq_keywords() {
  std::map<std::string, bool, std::less<>> keywords;
  const std::unique_ptr<PQconninfoOption, decltype(&PQconninfoFree)> options(PQconninfoParse("", nullptr),
                                                                             &PQconninfoFree);
  for (const PQconninfoOption* option = options.get(); option != nullptr && option->keyword != nullptr; ++option) {
    keywords[option->keyword] = std::string_view(option->dispchar) == "*";
  }
  return keywords;
}

// Finds the secrets of a text, whichever way they are written there.
class SecretFinder {
 public:
  explicit SecretFinder(std::string_view text) : text_(text) {}

  std::vector<TextRange> find() {
    find_in_keywords();
    for (std::size_t scheme = text_.find("://"); scheme != std::string_view::npos;
         scheme = text_.find("://", scheme + 1)) {
      find_in_url(scheme + 3);
    }
    return merged();
  }

 private:
  bool is_secret(std::string_view keyword) const {
    const auto known = keywords_.find(keyword);
    if (known != keywords_.end()) return known->second;
    // Of another version's libpq (oauth_client_secret), or of another library: PASSWORD=, Host=h;Password=.
    std::string word(keyword.substr(keyword.find_last_not_of(kLetters) + 1));
    std::transform(word.begin(), word.end(), word.begin(),
                   [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    return word.find("pass") != std::string::npos || word.find("secret") != std::string::npos || word.ends_with("_key");
  }

  std::size_t skip_blanks(std::size_t at) const { return std::min(text_.find_first_not_of(kBlanks, at), text_.size()); }

  // keyword = value keyword='value' ...: as conninfo_parse() reads it. What cannot be a keyword is passed over, so that
  // an option of the command line (--into=password=...) or a sentence may stand before it.
  void find_in_keywords() {
    for (std::size_t at = skip_blanks(0); at < text_.size(); at = skip_blanks(at)) {
      const std::size_t name_end = std::min(text_.find_first_of(" \t\n\v\f\r=", at), text_.size());
      const std::string_view name = text_.substr(at, name_end - at);
      const std::size_t sign = skip_blanks(name_end);
      if (sign == text_.size() || text_[sign] != '=') {
        at = name_end;
        continue;
      }
      const std::size_t value = skip_blanks(sign + 1);
      const bool known = keywords_.contains(name);
      const bool secret = is_secret(name);
      if (!secret && !known) {
        at = sign + 1;
        continue;
      }
      at = end_of_value(value);
      if (!known) at = std::min(at, text_.find('&', value));  // of a URL's options
      if (secret) {
        found_.push_back({value, at});
      } else {  // host=h,password=p is a host for libpq
        for (const TextRange& inner : find_secrets(text_.substr(value, at - value)))
          found_.push_back({value + inner.begin, value + inner.end});
      }
    }
  }

  std::size_t end_of_value(std::size_t at) const {
    const bool quoted = at < text_.size() && text_[at] == '\'';
    for (at += quoted ? 1 : 0; at < text_.size(); ++at) {
      if (text_[at] == '\\') {
        ++at;
      } else if (quoted && text_[at] == '\'') {
        return at + 1;
      } else if (!quoted && kBlanks.find(text_[at]) != std::string_view::npos) {
        return at;
      }
    }
    return text_.size();
  }

  // user:password@host/database?keyword=value&keyword=value. Up to the last @: a password may hold one that should have
  // been encoded.
  void find_in_url(std::size_t begin) {
    const std::size_t at = text_.rfind('@');
    const std::size_t colon = text_.find(':', begin);
    if (at != std::string_view::npos && colon < at) found_.push_back({colon + 1, at});
    for (std::size_t mark = text_.find_first_of("?&", begin); mark != std::string_view::npos;
         mark = text_.find_first_of("?&", mark + 1)) {
      const std::size_t end = std::min(text_.find('&', mark + 1), text_.size());
      const std::size_t sign = std::min(text_.find('=', mark + 1), end);
      if (sign == end) continue;
      const std::string_view keyword = text_.substr(mark + 1, sign - mark - 1);
      const bool is_encoded =
          keyword.find('%') != std::string_view::npos;  // nobody encodes a keyword, but libpq takes p%61ssword
      if (is_encoded || is_secret(keyword)) found_.push_back({sign + 1, end});
    }
  }

  std::vector<TextRange> merged() {
    std::erase_if(found_, [](const TextRange& range) { return range.begin >= range.end; });
    std::sort(found_.begin(), found_.end(), [](const TextRange& a, const TextRange& b) { return a.begin < b.begin; });
    std::vector<TextRange> ranges;
    for (const TextRange& range : found_) {
      if (ranges.empty() || range.begin > ranges.back().end) {
        ranges.push_back(range);
      } else {
        ranges.back().end = std::max(ranges.back().end, range.end);
      }
    }
    return ranges;
  }

  const std::string_view text_;
  const std::map<std::string, bool, std::less<>> keywords_ = libpq_keywords();
  std::vector<TextRange> found_;
};

}  // namespace

std::vector<TextRange> find_secrets(std::string_view text) { return SecretFinder(text).find(); }

std::string redacted(std::string_view text) {
  std::string result;
  std::size_t shown = 0;
  for (const TextRange& secret : find_secrets(text)) {
    result.append(text.substr(shown, secret.begin - shown)).append("***");
    shown = secret.end;
  }
  return result.append(text.substr(shown));
}

bool is_database_url(std::string_view text) {
  return text.starts_with("postgresql://") || text.starts_with("postgres://");
}

bool is_connection_string(std::string_view text) {
  return is_database_url(text) || (!text.starts_with("s3://") && !find_secrets(text).empty());
}

// As servers count theirs: 15.18 is 150018.
std::string libpq_version() { return fmt::format("{}.{}", PQlibVersion() / 10000, PQlibVersion() % 10000); }

}  // namespace pana
