// A manual page made from a page of Markdown.
//
// It knows what docs/ is written with: headings, paragraphs, lists that may be nested, tables, indented code, emphasis,
// code and links. A table becomes one of tbl, or, where its columns would not fit into 80 letters, a list of its first
// column.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace pana {

struct MarkdownPage {
  std::string name;                   // "pana-backup-format"
  int section = 5;                    // of the manual
  std::string date;                   // "2026-01-31"
  std::string summary;                // behind the name
  std::vector<std::string> see_also;  // "pana(1)"
};

// In roff's man macros. The Markdown's title is left out, as are its contents: the page has a name, and is read by
// searching.
std::string page_of_markdown(const MarkdownPage& page, std::string_view markdown);

}  // namespace pana
