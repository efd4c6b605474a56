#include "geo/csv_row.h"

#include <algorithm>

namespace demarc::geo {
namespace {

std::string_view trimmed(std::string_view text) noexcept {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

}  // namespace

std::string_view CsvRow::split(std::string_view line) {
  fields_.clear();
  buffers_used_ = 0;
  for (std::size_t at = 0;;) {
    const bool is_quoted = at < line.size() && line[at] == '"';
    if (is_quoted) {
      const std::string_view error = read_quoted(line, at);
      if (!error.empty()) return error;
    } else {
      read_plain(line, at);
    }
    if (at >= line.size()) return {};
    ++at;  // the comma
  }
}

void CsvRow::read_plain(std::string_view line, std::size_t& at) {
  const std::size_t end = std::min(line.find(',', at), line.size());
  fields_.push_back({trimmed(line.substr(at, end - at)), at + 1});
  at = end;
}

std::string_view CsvRow::read_quoted(std::string_view line, std::size_t& at) {
  const std::size_t start = at++;
  if (buffers_used_ == buffers_.size()) buffers_.emplace_back();
  std::string& text = buffers_[buffers_used_++];
  text.clear();
  while (at < line.size()) {
    if (line[at] != '"') {
      text.push_back(line[at++]);
    } else if (at + 1 < line.size() && line[at + 1] == '"') {
      text.push_back('"');
      at += 2;
    } else {
      ++at;
      error_column_ = at + 1;
      if (at < line.size() && line[at] != ',') return "text after a closing quote";
      fields_.push_back({text, start + 1});
      return {};
    }
  }
  error_column_ = start + 1;
  return "a quote is never closed";
}

}  // namespace demarc::geo
