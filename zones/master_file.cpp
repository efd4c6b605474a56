#include "zones/master_file.h"

#include <algorithm>
#include <charconv>
#include <optional>

#include "zones/rdata.h"

namespace demarc::zones {
namespace {

constexpr std::uint32_t ttl_max = 0x7fffffff;  // RFC 2181 §8

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
  MasterParser(const MasterSource& source, Diagnostics& diagnostics, const RecordSink& sink)
      : source_(source),
        diagnostics_(diagnostics),
        sink_(sink),
        origin_(source.origin),
        ttl_(source.default_ttl),
        rdata_(source.origin) {}

  void run() {
    EntryReader reader(source_.bytes, source_.window_bytes);
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
    has_owner_ = record_.owner.assign(word, origin_);
    if (!has_owner_) error("bad-name", "owner is `{}`; expected a domain name", word);
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
    record_.type = *type;
    record_.ttl = ttl;
    record_.rdata = std::move(*rdata);
    record_.line = static_cast<std::uint32_t>(line_);
    sink_(record_);
  }

  const MasterSource& source_;
  Diagnostics& diagnostics_;
  const RecordSink& sink_;
  StaticRecord record_;  // the same one each time, whose memory is used again
  bool has_owner_ = false;
  Name origin_;
  std::uint32_t ttl_;
  RdataReader rdata_;
  std::size_t line_ = 0;
  std::size_t findings_ = 0;
};

}  // namespace

void parse_master_file(const MasterSource& source, Diagnostics& diagnostics,
                       const RecordSink& sink) {
  MasterParser(source, diagnostics, sink).run();
}

}  // namespace demarc::zones
