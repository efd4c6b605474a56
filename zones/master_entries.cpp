#include "zones/master_entries.h"

#include <algorithm>
#include <array>

#include "zones/yaml/utf8.h"

namespace demarc::zones {
namespace {

constexpr auto is_special = [] {
  std::array<bool, 256> special{};
  for (const char letter : {'\r', '\\', '"', ';', '(', ')'}) {
    special[static_cast<unsigned char>(letter)] = true;
  }
  for (std::size_t letter = 0; letter < special.size(); ++letter) {
    special[letter] |= yaml::is_control(static_cast<char>(letter));
  }
  return special;
}();

}  // namespace

std::string_view to_text(SplitError error) {
  switch (error) {
    case SplitError::none:
      return "nothing wrong";
    case SplitError::open_quote:
      return "a quote that is not closed in its line; expected another quote";
    case SplitError::open_parenthesis:
      return "a parenthesis that is not closed; expected `)`";
    case SplitError::stray_parenthesis:
      return "`)` without `(`; expected none";
    case SplitError::long_line:
      return "a record that is too long; expected at most 524288 bytes";
    case SplitError::control:
      return "a control character; expected printable characters";
  }
  return "nothing wrong";
}

bool EntryReader::next(Entry& entry, SplitError& error) {
  while (window_.has_more()) {
    read_entry(entry, error);
    const bool is_empty = entry.text.find_first_not_of(" \t") == std::string_view::npos;
    if (!is_empty || error != SplitError::none) return true;
  }
  return false;
}

void EntryReader::read_entry(Entry& entry, SplitError& error) {
  error = SplitError::none;
  entry.line = line_;
  entry.starts_blank = window_.held().front() == ' ' || window_.held().front() == '\t';
  if (read_plain_line(entry)) return;
  joined_.clear();
  Nesting nesting;
  bool is_whole = false;
  while (!is_whole && window_.has_more()) {
    const char letter = window_.take_one();
    if (letter == '\n') {
      ++line_;
      is_whole = nesting.depth == 0 || nesting.is_quoted;
      // A next letter finds it too long; lines without one take no memory.
      if (!is_whole && joined_.size() < master_line_bytes_max) joined_ += ' ';
    } else {
      take(letter, nesting, error);
    }
  }
  entry.text = joined_;
  if (nesting.is_quoted) error = SplitError::open_quote;
  if (!is_whole && nesting.depth != 0) error = SplitError::open_parenthesis;
}

/// A line with nothing special in it, as nearly all are: it is the entry.
bool EntryReader::read_plain_line(Entry& entry) {
  const auto line = window_.find_line();
  if (!line) return false;
  const std::string_view text = line->substr(0, line->size() - (line->ends_with('\r') ? 1 : 0));
  const bool is_plain =
      text.size() < master_line_bytes_max &&
      std::ranges::none_of(
          text, [](char letter) { return is_special[static_cast<unsigned char>(letter)]; });
  if (!is_plain) return false;
  entry.text = text;
  window_.take(std::min(line->size() + 1, window_.held().size()));
  ++line_;
  return true;
}

void EntryReader::take(char letter, Nesting& nesting, SplitError& error) {
  if (letter == '\r') return;
  if (yaml::is_control(letter)) error = SplitError::control;
  if (joined_.size() >= master_line_bytes_max) {
    error = SplitError::long_line;
    return;
  }
  if (letter == '\\' && window_.has_more() && window_.held().front() != '\n') {
    joined_ += letter;
    joined_ += window_.take_one();
  } else if (letter == '"') {
    nesting.is_quoted = !nesting.is_quoted;
    joined_ += letter;
  } else if (nesting.is_quoted) {
    joined_ += letter;
  } else if (letter == ';') {
    skip_comment();
  } else if (letter == '(') {
    ++nesting.depth;
    joined_ += ' ';
  } else if (letter == ')') {
    if (nesting.depth == 0) error = SplitError::stray_parenthesis;
    if (nesting.depth != 0) --nesting.depth;
    joined_ += ' ';
  } else {
    joined_ += letter;
  }
}

void EntryReader::skip_comment() {
  while (window_.has_more()) {
    const std::size_t end = window_.held().find('\n');
    window_.take(std::min(end, window_.held().size()));
    if (end != std::string_view::npos) return;
  }
}

}  // namespace demarc::zones
