#include "cli/markdown_page.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cctype>
#include <optional>

#include "cli/roff.h"

namespace pana {
namespace {

constexpr std::size_t kPageWidth = 72;   // letters of text on a terminal of 80
constexpr std::size_t kShortCell = 24;   // a column of such cells is not broken
constexpr std::size_t kLongColumn = 32;  // the least that a column of long cells needs
constexpr std::size_t kColumnSpace = 3;  // tbl's own
constexpr std::string_view kCodeIndent = "    ";

bool starts_with_digit(std::string_view text) {
  return !text.empty() && std::isdigit(static_cast<unsigned char>(text[0]));
}

// A quote of code is the straight one, which can be copied.
std::string roff_code(std::string_view code) {
  std::string escaped;
  for (const char letter : roff(code))
    escaped += letter == '\'' ? std::string("\\(aq") : letter == '`' ? std::string("\\(ga") : std::string(1, letter);
  return escaped;
}

// Emphasis, code and links of a paragraph, whose lines stay lines.
class Inline {
 public:
  explicit Inline(std::string_view text) : text_(text) {}

  std::string roff_text() {
    while (at_ < text_.size()) {
      if (!code() && !link() && !emphasis()) letter();
    }
    std::string lines;
    for (const char letter : out_) {
      const bool is_first = lines.empty() || lines.back() == '\n';
      if (is_first && (letter == '.' || letter == '\'')) lines += "\\&";
      lines += letter;
    }
    return lines;
  }

 private:
  bool code() {
    if (text_[at_] != '`') return false;
    const std::size_t end = text_.find('`', at_ + 1);
    if (end == std::string_view::npos) return false;
    std::string code(text_.substr(at_ + 1, end - at_ - 1));
    std::replace(code.begin(), code.end(), '\n', ' ');
    out_ += "\\fB" + roff_code(code) + "\\fP";
    at_ = end + 1;
    return true;
  }

  // A place of the same page has no address in a manual.
  bool link() {
    if (text_[at_] != '[') return false;
    const std::size_t middle = text_.find("](", at_);
    if (middle == std::string_view::npos) return false;
    const std::size_t end = text_.find(')', middle);
    if (end == std::string_view::npos) return false;
    out_ += Inline(text_.substr(at_ + 1, middle - at_ - 1)).roff_text();
    const std::string_view address = text_.substr(middle + 2, end - middle - 2);
    if (!address.starts_with('#')) out_ += " (" + roff(address) + ")";
    at_ = end + 1;
    return true;
  }

  bool emphasis() {
    const std::string_view rest = text_.substr(at_);
    if (rest[0] != '*') return false;
    const std::string_view mark = rest.starts_with("**") ? "**" : "*";
    bool& is_open = mark == "**" ? is_bold_ : is_italic_;
    if (!is_open && rest.find(mark, mark.size()) == std::string_view::npos) return false;
    out_ += is_open ? "\\fP" : mark == "**" ? "\\fB" : "\\fI";
    is_open = !is_open;
    at_ += mark.size();
    return true;
  }

  void letter() {
    if (text_[at_] == '\\' && at_ + 1 < text_.size() && std::ispunct(static_cast<unsigned char>(text_[at_ + 1]))) ++at_;
    out_ += text_[at_] == '\n' ? std::string("\n") : roff(text_.substr(at_, 1));
    ++at_;
  }

  std::string_view text_;
  std::size_t at_ = 0;
  std::string out_;
  bool is_bold_ = false;
  bool is_italic_ = false;
};

std::string inline_roff(std::string_view text) { return Inline(text).roff_text(); }

std::vector<std::string_view> lines_of(std::string_view text) {
  std::vector<std::string_view> lines;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    lines.push_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return lines;
}

std::string_view trimmed(std::string_view text) {
  const std::size_t begin = std::min(text.find_first_not_of(' '), text.size());
  text.remove_prefix(begin);
  return text.substr(0, text.find_last_not_of(' ') + 1);
}

// "| a | `b|c` |": a bar in code, or behind a backslash, divides nothing.
std::vector<std::string_view> cells_of(std::string_view row) {
  std::vector<std::string_view> cells;
  std::size_t begin = 1;
  bool is_code = false;
  for (std::size_t at = 1; at < row.size(); ++at) {
    if (row[at] == '`') is_code = !is_code;
    if (row[at] != '|' || is_code || row[at - 1] == '\\') continue;
    cells.push_back(trimmed(row.substr(begin, at - begin)));
    begin = at + 1;
  }
  return cells;
}

// Letters on the terminal, without the marks of code and emphasis; a letter beyond ASCII is one.
std::size_t width_of(std::string_view cell) {
  return static_cast<std::size_t>(std::count_if(cell.begin(), cell.end(), [](char letter) {
    return letter != '`' && letter != '*' && (static_cast<unsigned char>(letter) & 0xC0U) != 0x80U;
  }));
}

using Rows = std::vector<std::vector<std::string_view>>;

std::string table_of_tbl(const Rows& rows, const std::vector<bool>& is_long) {
  std::string head, body;
  for (std::size_t column = 0; column < rows[0].size(); ++column) {
    head += fmt::format("{}lb{}", column == 0 ? "" : " ", is_long[column] ? "x" : "");
    body += fmt::format("{}l{}", column == 0 ? "" : " ", is_long[column] ? "x" : "");
  }
  std::string table = fmt::format(".TS\ntab(\t);\n{}\n{}.\n", head, body);
  for (const std::vector<std::string_view>& row : rows) {
    for (std::size_t column = 0; column < row.size(); ++column) {
      const std::string text = inline_roff(row[column]);
      table += column == 0 ? "" : "\t";
      table += is_long[column] ? "T{\n" + text + "\nT}" : text;
    }
    table += "\n";
  }
  return table + ".TE\n";
}

// "frames (type array, required yes)", and the last column below it.
std::string table_as_list(const Rows& rows) {
  std::string list;
  for (std::size_t row = 1; row < rows.size(); ++row) {
    std::vector<std::string> notes;
    for (std::size_t column = 1; column + 1 < rows[row].size(); ++column) {
      if (!rows[row][column].empty())
        notes.push_back(inline_roff(rows[0][column]) + " " + inline_roff(rows[row][column]));
    }
    list += (row == 1 ? "" : ".PP\n") + inline_roff(rows[row][0]);
    if (!notes.empty()) list += fmt::format(" ({})", fmt::join(notes, ", "));
    list += "\n";
    if (!rows[row].back().empty()) list += ".RS 4\n" + inline_roff(rows[row].back()) + "\n.RE\n";
  }
  return list;
}

std::string table_of(const Rows& rows) {
  std::vector<bool> is_long;
  std::size_t taken = 0;
  for (std::size_t column = 0; column < rows[0].size(); ++column) {
    std::size_t width = 0;
    for (const std::vector<std::string_view>& row : rows) {
      if (column < row.size()) width = std::max(width, width_of(row[column]));
    }
    is_long.push_back(width > kShortCell);
    taken += is_long.back() ? kLongColumn : width;
    taken += column == 0 ? 0 : kColumnSpace;
  }
  return taken <= kPageWidth && std::count(is_long.begin(), is_long.end(), true) <= 1 ? table_of_tbl(rows, is_long)
                                                                                      : table_as_list(rows);
}

struct Item {
  std::size_t indent = 0;
  std::string mark;  // in roff: a bullet, or "1."
  std::string_view text;
};

std::optional<Item> item_of(std::string_view line) {
  const std::size_t indent = std::min(line.find_first_not_of(' '), line.size());
  const std::string_view rest = line.substr(indent);
  if (rest.starts_with("* ") || rest.starts_with("- ")) return Item{indent, "\\(bu", trimmed(rest.substr(2))};
  const std::size_t dot = rest.find(". ");
  if (!starts_with_digit(rest) || dot > 2) return std::nullopt;
  return Item{indent, std::string(rest.substr(0, dot + 1)), trimmed(rest.substr(dot + 2))};
}

// Cuts the page into blocks, and writes each.
class Page {
 public:
  explicit Page(std::string_view markdown) : lines_(lines_of(markdown)) {}

  std::string roff_text() {
    while (at_ < lines_.size()) {
      const std::string_view line = lines_[at_];
      if (line.empty())
        ++at_;
      else if (line.starts_with('#'))
        heading();
      else if (line.starts_with('|'))
        table();
      else if (line.starts_with(kCodeIndent))
        code();
      else if (item_of(line))
        list();
      else
        paragraph();
    }
    return std::move(out_);
  }

 private:
  void heading() {
    const std::string_view line = lines_[at_++];
    const std::size_t level = line.find_first_not_of('#');
    const std::string_view title = trimmed(line.substr(level));
    if (level == 1) {
      out_ += ".SH DESCRIPTION\n";
    } else if (level == 2 && title == "Contents") {
      while (at_ < lines_.size() && !lines_[at_].starts_with('#')) ++at_;
    } else {
      out_ += level == 2 ? ".SH " + inline_roff(capitals(std::string(title))) : ".SS " + inline_roff(title);
      out_ += "\n";
    }
    is_first_ = true;
  }

  // A heading has its own space below it.
  void begin_block() {
    if (!is_first_) out_ += ".PP\n";
    is_first_ = false;
  }

  void paragraph() {
    std::string text;
    for (; at_ < lines_.size() && !lines_[at_].empty() && !lines_[at_].starts_with('|'); ++at_)
      text += (text.empty() ? "" : "\n") + std::string(lines_[at_]);
    begin_block();
    out_ += inline_roff(text) + "\n";
  }

  void table() {
    Rows rows;
    for (; at_ < lines_.size() && lines_[at_].starts_with('|'); ++at_) {
      if (!lines_[at_].starts_with("|---")) rows.push_back(cells_of(lines_[at_]));
    }
    begin_block();
    out_ += table_of(rows);
  }

  // Empty lines belong to it when more of it follows.
  void code() {
    std::string code;
    for (std::size_t empty = 0; at_ < lines_.size(); ++at_) {
      if (lines_[at_].empty()) {
        ++empty;
        continue;
      }
      if (!lines_[at_].starts_with(kCodeIndent)) break;
      code.append(empty, '\n');
      empty = 0;
      code += "\\&" + roff_code(lines_[at_].substr(kCodeIndent.size())) + "\n";
    }
    begin_block();
    out_ += ".RS 4\n.EX\n" + code + ".EE\n.RE\n";
  }

  void list() {
    std::vector<std::size_t> indents;
    while (at_ < lines_.size()) {
      const std::optional<Item> item = item_of(lines_[at_]);
      if (!item) break;
      while (indents.size() > 1 && item->indent < indents.back()) {
        out_ += ".RE\n";
        indents.pop_back();
      }
      if (indents.empty() || item->indent > indents.back()) {
        if (!indents.empty()) out_ += ".RS 4\n";
        indents.push_back(item->indent);
      }
      std::string text(item->text);
      for (++at_; at_ < lines_.size() && !lines_[at_].empty() && !item_of(lines_[at_]); ++at_)
        text += "\n" + std::string(trimmed(lines_[at_]));
      out_ += fmt::format(".IP {} 4\n{}\n", item->mark, inline_roff(text));
    }
    for (; indents.size() > 1; indents.pop_back()) out_ += ".RE\n";
    is_first_ = false;
  }

  std::vector<std::string_view> lines_;
  std::size_t at_ = 0;
  bool is_first_ = true;
  std::string out_;
};

}  // namespace

std::string page_of_markdown(const MarkdownPage& page, std::string_view markdown) {
  std::vector<std::string> see_also;
  for (const std::string& other : page.see_also) {
    const std::size_t bracket = other.find('(');
    see_also.push_back(".BR " + roff(other.substr(0, bracket)) + " " + other.substr(bracket));
  }
  // The first line has man call tbl. Words are neither drawn apart in narrow columns nor cut: many are names.
  return fmt::format(
      "'\\\" t\n.TH {} {} {} \"pana {}\"\n.ad l\n.nr HY 0\n.nh\n.SH NAME\n{} \\- {}\n{}.SH SEE ALSO\n{}\n",
      roff(capitals(page.name)), page.section, page.date, PANA_VERSION, roff(page.name), roff(page.summary),
      Page(markdown).roff_text(), fmt::join(see_also, ",\n"));
}

}  // namespace pana
