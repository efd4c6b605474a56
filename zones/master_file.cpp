#include "zones/master_file.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>

#include "zones/rdata.h"
#include "zones/yaml/utf8.h"

namespace demarc::zones {
namespace {

constexpr std::uint32_t ttl_max = 0x7fffffff;  // RFC 2181 §8

/// One entry of the file: comments gone, continuation lines joined. Split here and not by ldns,
/// whose line numbers run ahead over empty lines.
struct Entry {
  std::size_t line = 0;
  bool starts_blank = false;  // the owner is the last one's
  std::string text;
};

enum class SplitError : std::uint8_t {
  none,
  open_quote,
  open_parenthesis,
  stray_parenthesis,
  long_line,
  control
};

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

class EntryReader {
 public:
  explicit EntryReader(std::string_view text) : text_(text) {}

  /// False at the end of the file. `error` concerns the entry that was read.
  bool next(Entry& entry, SplitError& error) {
    while (at_ < text_.size()) {
      read_entry(entry, error);
      const bool is_empty = entry.text.find_first_not_of(" \t") == std::string::npos;
      if (!is_empty || error != SplitError::none) return true;
    }
    return false;
  }

 private:
  void read_entry(Entry& entry, SplitError& error) {
    error = SplitError::none;
    entry.text.clear();
    entry.line = line_;
    entry.starts_blank = text_[at_] == ' ' || text_[at_] == '\t';
    if (read_plain_line(entry)) return;
    unsigned depth = 0;
    bool is_quoted = false;
    while (at_ < text_.size()) {
      const char letter = text_[at_++];
      if (letter == '\n') {
        ++line_;
        if (is_quoted) error = SplitError::open_quote;
        if (depth == 0 || is_quoted) return;
        entry.text += ' ';
      } else {
        take(letter, entry, error, depth, is_quoted);
      }
    }
    if (is_quoted) error = SplitError::open_quote;
    if (depth != 0) error = SplitError::open_parenthesis;
  }

  /// A line with nothing special in it, as nearly all are: it is the entry.
  bool read_plain_line(Entry& entry) {
    const std::string_view line = text_.substr(at_, text_.find('\n', at_) - at_);
    const bool is_plain =
        line.size() < master_line_bytes_max &&
        std::ranges::none_of(
            line, [](char letter) { return is_special[static_cast<unsigned char>(letter)]; });
    if (!is_plain) return false;
    entry.text = line;
    at_ = std::min(at_ + line.size() + 1, text_.size());
    ++line_;
    return true;
  }

  static constexpr auto is_special = [] {
    std::array<bool, 256> special{};
    for (const char letter : {'\r', '\\', '"', ';', '(', ')'}) {
      special[static_cast<unsigned char>(letter)] = true;
    }
    for (std::size_t letter = 0; letter < special.size(); ++letter) {
      special[letter] |= yaml::is_control(static_cast<char>(letter));
    }
    return special;
  }();

  void take(char letter, Entry& entry, SplitError& error, unsigned& depth, bool& is_quoted) {
    if (letter == '\r') return;
    if (yaml::is_control(letter)) error = SplitError::control;
    if (entry.text.size() >= master_line_bytes_max) {
      error = SplitError::long_line;
      return;
    }
    if (letter == '\\' && at_ < text_.size() && text_[at_] != '\n') {
      entry.text += letter;
      entry.text += text_[at_++];
    } else if (letter == '"') {
      is_quoted = !is_quoted;
      entry.text += letter;
    } else if (is_quoted) {
      entry.text += letter;
    } else if (letter == ';') {
      at_ = std::min(text_.find('\n', at_), text_.size());
    } else if (letter == '(') {
      ++depth;
      entry.text += ' ';
    } else if (letter == ')') {
      if (depth == 0) error = SplitError::stray_parenthesis;
      if (depth != 0) --depth;
      entry.text += ' ';
    } else {
      entry.text += letter;
    }
  }

  std::string_view text_;
  std::size_t at_ = 0;
  std::size_t line_ = 1;
};

/// Takes the first word off `text`.
std::string_view take_word(std::string_view& text) {
  text.remove_prefix(std::min(text.find_first_not_of(" \t"), text.size()));
  const std::size_t end = std::min(text.find_first_of(" \t"), text.size());
  const std::string_view word = text.substr(0, end);
  text.remove_prefix(end);
  return word;
}

std::string_view trimmed(std::string_view text) {
  text.remove_prefix(std::min(text.find_first_not_of(" \t"), text.size()));
  return text.substr(0, text.find_last_not_of(" \t") + 1);
}

bool is_same_word(std::string_view a, std::string_view b) {
  return std::ranges::equal(
      a, b, [](char x, char y) { return (x >= 'a' && x <= 'z' ? x - 'a' + 'A' : x) == y; });
}

std::uint64_t seconds_of_unit(char unit) {
  switch (unit) {
    case 's':
    case 'S':
      return 1;
    case 'm':
    case 'M':
      return 60;
    case 'h':
    case 'H':
      return 3600;
    case 'd':
    case 'D':
      return 86'400;
    case 'w':
    case 'W':
      return 604'800;
    default:
      return 0;
  }
}

/// "300" or "1h30m", as BIND and ldns write periods.
std::optional<std::uint32_t> parse_period(std::string_view text) {
  if (text.empty()) return std::nullopt;
  std::uint64_t total = 0;
  while (!text.empty()) {
    std::uint32_t count = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), count);
    if (error != std::errc{}) return std::nullopt;
    text.remove_prefix(static_cast<std::size_t>(end - text.data()));
    std::uint64_t unit = 1;
    if (!text.empty()) {
      unit = seconds_of_unit(text.front());
      text.remove_prefix(1);
    }
    total += count * unit;
    if (unit == 0 || total > ttl_max) return std::nullopt;
  }
  return static_cast<std::uint32_t>(total);
}

class MasterParser {
 public:
  MasterParser(const MasterSource& source, Diagnostics& diagnostics,
               std::vector<StaticRecord>& records)
      : source_(source),
        diagnostics_(diagnostics),
        records_(records),
        origin_(source.origin),
        ttl_(source.default_ttl),
        rdata_(source.origin) {}

  void run() {
    EntryReader reader(source_.text);
    Entry entry;
    SplitError split = SplitError::none;
    while (findings_ < master_findings_max && reader.next(entry, split)) {
      line_ = entry.line;
      if (split != SplitError::none) {
        error("master-syntax", "{}", to_text(split));
      } else if (!entry.starts_blank && entry.text.front() == '$') {
        read_directive(entry.text);
      } else {
        read_record(entry);
      }
    }
    if (findings_ >= master_findings_max) {
      error("master-syntax", "{} findings; the rest of the file was not read", master_findings_max);
    }
  }

 private:
  template <typename... Args>
  void error(std::string_view rule, fmt::format_string<Args...> text, Args&&... args) {
    ++findings_;
    diagnostics_.error({source_.file, line_, 1}, rule, text, std::forward<Args>(args)...);
  }

  void read_directive(std::string_view text) {
    const std::string_view directive = take_word(text);
    const std::string_view value = take_word(text);
    if (is_same_word(directive, "$ORIGIN")) {
      const auto origin = Name::parse(value, origin_);
      if (!origin) return error("bad-name", "$ORIGIN is `{}`; expected a domain name", value);
      origin_ = *origin;
      rdata_ = RdataReader(origin_);
    } else if (is_same_word(directive, "$TTL")) {
      const auto ttl = parse_period(value);
      if (!ttl)
        return error("bad-ttl", "$TTL is `{}`; expected seconds from 0 to {}", value, ttl_max);
      ttl_ = *ttl;
    } else {
      return error("master-directive",
                   "`{}`; expected $ORIGIN, $TTL or a record, list further files under `include:`",
                   directive);
    }
    if (!trimmed(text).empty()) {
      error("master-directive", "`{}` behind {}; expected nothing", trimmed(text), directive);
    }
  }

  bool read_owner(bool starts_blank, std::string_view& text) {
    if (starts_blank) {
      if (!has_owner_) {
        error("master-syntax", "a record without an owner before any other; expected an owner");
      }
      return has_owner_;
    }
    const std::string_view word = take_word(text);
    const auto owner = Name::parse(word, origin_);
    has_owner_ = owner.has_value();
    if (owner) owner_ = *owner;
    if (!owner) error("bad-name", "owner is `{}`; expected a domain name", word);
    return has_owner_;
  }

  void read_record(const Entry& entry) {
    std::string_view text = entry.text;
    if (!read_owner(entry.starts_blank, text)) return;
    std::uint32_t ttl = ttl_;
    std::string_view word = take_word(text);
    // TTL and class come in either order, each at most once (RFC 1035 §5.1).
    for (int i = 0; i < 2; ++i) {
      if (!word.empty() && word.front() >= '0' && word.front() <= '9') {
        const auto period = parse_period(word);
        if (!period)
          return error("bad-ttl", "TTL is `{}`; expected seconds from 0 to {}", word, ttl_max);
        ttl = *period;
        word = take_word(text);
      } else if (is_same_word(word, "IN")) {
        word = take_word(text);
      }
    }
    if (is_same_word(word, "CH") || is_same_word(word, "HS") || is_same_word(word, "CS")) {
      return error("master-class", "class `{}`; expected IN", word);
    }
    const auto type = parse_type(word);
    if (!type)
      return error("bad-type", "record type is `{}`; expected one as A, MX or TYPE65280", word);
    auto rdata = rdata_.parse(*type, trimmed(text));
    if (!rdata) {
      return error("bad-rdata", "{} data is `{}`: {}; expected its presentation format", word,
                   trimmed(text), rdata.error());
    }
    records_.push_back({.owner = owner_,
                        .type = *type,
                        .ttl = ttl,
                        .rdata = std::move(*rdata),
                        .file = source_.file_number,
                        .line = static_cast<std::uint32_t>(line_),
                        .column = 1});
  }

  const MasterSource& source_;
  Diagnostics& diagnostics_;
  std::vector<StaticRecord>& records_;
  Name origin_;
  Name owner_;
  bool has_owner_ = false;
  std::uint32_t ttl_;
  RdataReader rdata_;
  std::size_t line_ = 0;
  std::size_t findings_ = 0;
};

}  // namespace

void parse_master_file(const MasterSource& source, Diagnostics& diagnostics,
                       std::vector<StaticRecord>& records) {
  MasterParser(source, diagnostics, records).run();
}

}  // namespace demarc::zones
