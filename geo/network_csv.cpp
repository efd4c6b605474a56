#include "geo/network_csv.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <optional>
#include <unordered_map>
#include <utility>
#include <vector>

#include "geo/address_key.h"
#include "geo/countries.h"
#include "geo/csv_row.h"

namespace demarc::geo {
namespace {

enum class Column : std::uint8_t {
  network,
  first,
  last,
  country,
  registered_country,
  continent,
  subdivision,
  city,
  latitude,
  longitude,
  asn,
  as_organization,
  unread,
};
constexpr std::size_t column_kinds = static_cast<std::size_t>(Column::unread);

struct ColumnName {
  std::string_view name;
  Column column;
};

constexpr ColumnName column_names[] = {
    {"network", Column::network},
    {"cidr", Column::network},
    {"prefix", Column::network},
    {"first", Column::first},
    {"start", Column::first},
    {"start_ip", Column::first},
    {"ip_start", Column::first},
    {"range_start", Column::first},
    {"ip_range_start", Column::first},
    {"ip_from", Column::first},
    {"last", Column::last},
    {"end", Column::last},
    {"end_ip", Column::last},
    {"ip_end", Column::last},
    {"range_end", Column::last},
    {"ip_range_end", Column::last},
    {"ip_to", Column::last},
    {"country", Column::country},
    {"country_code", Column::country},
    {"country_iso_code", Column::country},
    {"registered_country", Column::registered_country},
    {"registered_country_code", Column::registered_country},
    {"registered_country_iso_code", Column::registered_country},
    {"continent", Column::continent},
    {"continent_code", Column::continent},
    {"subdivision", Column::subdivision},
    {"subdivisions", Column::subdivision},
    {"subdivision_code", Column::subdivision},
    {"subdivision_iso_code", Column::subdivision},
    {"subdivision_1_iso_code", Column::subdivision},
    {"region_code", Column::subdivision},
    {"city", Column::city},
    {"city_name", Column::city},
    {"latitude", Column::latitude},
    {"lat", Column::latitude},
    {"longitude", Column::longitude},
    {"lon", Column::longitude},
    {"lng", Column::longitude},
    {"asn", Column::asn},
    {"as_number", Column::asn},
    {"autonomous_system_number", Column::asn},
    {"as_organization", Column::as_organization},
    {"autonomous_system_organization", Column::as_organization},
    {"as_name", Column::as_organization},
};

/// Codes in databases that are no country of ISO 3166-1 today, and what they still say.
struct OddCode {
  std::string_view code;
  Code2 country;
  Code2 continent;
};
constexpr OddCode odd_codes[] = {
    {"UK", {{'G', 'B'}}, {}},  // exceptionally reserved
    {"EU", {}, {{'E', 'U'}}},  // somewhere in Europe
    {"AP", {}, {}},            // Asia and Pacific: two continents
    {"AN", {}, {}},            // the Netherlands Antilles, three countries since
    {"CS", {}, {}},            // Serbia and Montenegro
    {"SU", {}, {}},            // the Soviet Union
    {"UN", {}, {}},            // the United Nations
    {"XX", {}, {}},            // not known
    {"ZZ", {}, {}},            // not known
    {"A1", {}, {}},            // anonymous proxy
    {"A2", {}, {}},            // satellite provider
    {"O1", {}, {}},            // other
};

bool is_unknown(std::string_view text) noexcept {
  return text.empty() || text == "??" || text == "-";
}

std::string lower(std::string_view text) {
  std::string result(text);
  for (char& letter : result) {
    if (letter >= 'A' && letter <= 'Z') letter = static_cast<char>(letter - 'A' + 'a');
  }
  return result;
}

template <typename Number>
std::optional<Number> whole_number(std::string_view text) noexcept {
  Number number{};
  const char* const begin = text.data();
  const char* const end = begin + text.size();
  const auto [parsed_to, error] = std::from_chars(begin, end, number);
  if (error != std::errc{} || parsed_to != end) return std::nullopt;
  return number;
}

/// "192.0.2.1", "2001:db8::1", or an IPv4 address as a decimal number.
std::optional<Address> address_or_number(std::string_view text) noexcept {
  if (const auto number = whole_number<std::uint32_t>(text)) return Address::ipv4(*number);
  return parse_address(text);
}

/// Reads one file, row by row.
class Parser {
 public:
  Parser(std::string file, NetworkList& list, Diagnostics& diagnostics, const CsvLimits& limits)
      : list_(list), diagnostics_(diagnostics), limits_(limits) {
    place_.file = std::move(file);
    positions_.fill(no_position);
  }

  void parse(std::string_view text) {
    if (text.starts_with("\xef\xbb\xbf")) text.remove_prefix(3);
    const std::size_t errors_before = diagnostics_.error_count();
    while (!text.empty() && !gave_up_) {
      const std::size_t end = std::min(text.find('\n'), text.size());
      std::string_view line = text.substr(0, end);
      text.remove_prefix(std::min(end + 1, text.size()));
      if (line.ends_with('\r')) line.remove_suffix(1);
      ++place_.line;
      parse_line(line);
      if (diagnostics_.error_count() - errors_before >= limits_.errors) {
        give_up("gave up after {} errors", limits_.errors);
      }
    }
    if (!has_columns_) {
      place_.line = 0;
      error(0, "csv-empty", "there is no row, expected networks");
    }
  }

 private:
  static constexpr std::size_t no_position = ~std::size_t{0};

  template <typename... Args>
  void error(std::size_t column, std::string_view rule, fmt::format_string<Args...> text,
             Args&&... args) {
    place_.column = column;
    diagnostics_.error(place_, rule, text, std::forward<Args>(args)...);
  }

  template <typename... Args>
  void give_up(fmt::format_string<Args...> text, Args&&... args) {
    error(1, "csv-limit", text, std::forward<Args>(args)...);
    gave_up_ = true;
  }

  void parse_line(std::string_view line) {
    if (line.empty() || line.front() == '#') return;
    if (line.size() > limits_.line_bytes) {
      error(1, "csv-limit", "the line has {} bytes, expected at most {}", line.size(),
            limits_.line_bytes);
      return;
    }
    const std::string_view wrong = row_.split(line);
    if (!wrong.empty()) return error(row_.error_column(), "csv-quote", "{}", wrong);
    if (!std::exchange(has_columns_, true) && read_header()) return;
    parse_row();
  }

  /// Finds out which column is what; whether the row was a header.
  bool read_header() {
    const auto& fields = row_.fields();
    const bool is_address = address_or_number(fields[0].text) || parse_prefix(fields[0].text);
    if (is_address) {
      const bool has_last = fields.size() > 2 && address_or_number(fields[1].text);
      position(has_last ? Column::first : Column::network) = 0;
      if (has_last) position(Column::last) = 1;
      position(Column::country) = has_last ? 2 : 1;
      width_ = has_last ? 3 : 2;
      return false;
    }
    for (std::size_t i = 0; i < fields.size(); ++i) {
      const std::string name = lower(fields[i].text);
      const auto* const known = std::ranges::find(column_names, name, &ColumnName::name);
      if (known == std::end(column_names)) continue;
      if (position(known->column) != no_position) {
        error(fields[i].column, "csv-header", "column `{}` says what an earlier one says", name);
        gave_up_ = true;
        return true;
      }
      position(known->column) = i;
    }
    width_ = fields.size();
    check_header();
    return true;
  }

  void check_header() {
    const bool has_range =
        position(Column::first) != no_position && position(Column::last) != no_position;
    if (position(Column::network) == no_position && !has_range) {
      error(1, "csv-header",
            "no column names the networks, expected `network`, or `start` and `end`");
      gave_up_ = true;
      return;
    }
    const bool says_something =
        std::any_of(positions_.begin() + static_cast<std::ptrdiff_t>(Column::country),
                    positions_.end(), [](std::size_t one) { return one != no_position; });
    if (says_something) return;
    error(1, "csv-header",
          "no column says where the networks are, expected one such as `country` or `asn`");
    gave_up_ = true;
  }

  void parse_row() {
    const auto& fields = row_.fields();
    if (fields.size() != width_) {
      return error(1, "csv-row", "the row has {} fields, expected {}", fields.size(), width_);
    }
    auto range = read_range();
    if (!range) return;
    const auto location = find_location();
    if (!location) return;
    if (list_.ranges.size() >= limits_.ranges) {
      return give_up("there are more than {} networks", limits_.ranges);
    }
    range->location = *location;
    list_.ranges.push_back(*range);
  }

  std::optional<NetworkRange> read_range() {
    if (const Field* const network = field(Column::network)) {
      const auto prefix = parse_prefix(network->text);
      if (prefix) return NetworkRange{prefix->address, last_address(*prefix), 0};
      error(network->column, "csv-network", "network is `{}`, expected one such as 192.0.2.0/24",
            network->text);
      return std::nullopt;
    }
    const auto first = read_address(*field(Column::first));
    const auto last = read_address(*field(Column::last));
    if (!first || !last) return std::nullopt;
    if (first->family == last->family && *first <= *last) return NetworkRange{*first, *last, 0};
    error(field(Column::last)->column, "csv-network",
          "the range ends with {}, expected an address of its family from {} on", to_text(*last),
          to_text(*first));
    return std::nullopt;
  }

  std::optional<Address> read_address(const Field& from) {
    const auto address = address_or_number(from.text);
    if (!address) {
      error(from.column, "csv-network", "address is `{}`, expected IPv4 or IPv6", from.text);
    }
    return address;
  }

  static Address last_address(const Prefix& prefix) {
    if (prefix.address.family == Family::ipv4) {
      return address_of(range_of<Key4>(prefix, 0).last);
    }
    return address_of(range_of<Key6>(prefix, 0).last);
  }

  /// The number of the row's location: rows that say the same are read once, faults told once.
  std::optional<std::uint32_t> find_location() {
    key_.clear();
    for (std::size_t i = static_cast<std::size_t>(Column::country); i < column_kinds; ++i) {
      if (const Field* const from = field(static_cast<Column>(i))) key_ += from->text;
      key_ += '\n';  // in no field
    }
    const auto known = locations_.find(key_);
    if (known != locations_.end()) return known->second;

    std::optional<std::uint32_t> number;
    if (auto location = read_location()) {
      number = static_cast<std::uint32_t>(list_.locations.size());
      list_.locations.push_back(std::move(*location));
    }
    locations_.emplace(key_, number);
    return number;
  }

  std::optional<NetworkLocation> read_location() {
    const std::size_t errors_before = diagnostics_.error_count();
    NetworkLocation result;
    Location& location = result.location;
    read_country(Column::country, location.country, location.continent);
    Code2 unused;
    read_country(Column::registered_country, location.registered_country, unused);
    read_continent(location);
    read_subdivision(location);
    read_coordinates(location);
    read_asn(location);
    if (const Field* const city = field(Column::city)) result.city = city->text;
    if (const Field* const name = field(Column::as_organization)) {
      result.as_organization = name->text;
    }
    if (diagnostics_.error_count() != errors_before) return std::nullopt;
    location = completed(std::move(location));
    return result;
  }

  void read_country(Column column, Code2& country, Code2& continent) {
    const Field* const from = field(column);
    if (from == nullptr || is_unknown(from->text)) return;
    const auto* const odd = std::ranges::find(odd_codes, from->text, &OddCode::code);
    if (odd != std::end(odd_codes)) {
      country = odd->country;
      continent = odd->continent;
      return;
    }
    const auto code = parse_code2(from->text);
    if (code && find_country(*code) != nullptr) {
      country = *code;
    } else if (code) {
      place_.column = from->column;
      diagnostics_.warning(place_, "csv-country",
                           "country is `{}`, which ISO 3166-1 does not have; taken as not known",
                           from->text);
    } else {
      error(from->column, "csv-country", "country is `{}`, expected two letters", from->text);
    }
  }

  void read_continent(Location& location) {
    const Field* const from = field(Column::continent);
    if (from == nullptr || is_unknown(from->text)) return;
    const auto code = parse_code2(from->text);
    if (code && is_continent(*code)) {
      location.continent = *code;
    } else {
      error(from->column, "csv-continent",
            "continent is `{}`, expected AF, AN, AS, EU, NA, OC or SA", from->text);
    }
  }

  void read_subdivision(Location& location) {
    const Field* const from = field(Column::subdivision);
    if (from == nullptr || is_unknown(from->text)) return;
    const std::string_view text = from->text;
    const std::size_t dash = text.find('-');
    const std::string_view code = dash == text.npos ? text : text.substr(dash + 1);
    const bool is_code = !code.empty() && code.size() <= 3 && std::ranges::all_of(code, [](char c) {
      return (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    });
    const auto country =
        dash == text.npos ? std::optional(location.country) : parse_code2(text.substr(0, dash));
    if (!is_code || !country || !country->known()) {
      return error(from->column, "csv-subdivision",
                   "subdivision is `{}`, expected an ISO 3166-2 code such as US-CA, or CA beside a "
                   "country",
                   text);
    }
    if (location.country.known() && *country != location.country) {
      return error(from->column, "csv-subdivision", "subdivision is `{}`, but the country is `{}`",
                   text, location.country.text());
    }
    location.subdivision = fmt::format("{}-{}", country->text(), code);
  }

  void read_coordinates(Location& location) {
    const auto latitude = read_degrees(Column::latitude, 90);
    const auto longitude = read_degrees(Column::longitude, 180);
    if (latitude && longitude) location.coordinates = Coordinates{*latitude, *longitude};
  }

  std::optional<double> read_degrees(Column column, double max) {
    const Field* const from = field(column);
    if (from == nullptr || is_unknown(from->text)) return std::nullopt;
    const auto degrees = whole_number<double>(from->text);
    if (degrees && std::isfinite(*degrees) && std::abs(*degrees) <= max) return degrees;
    error(from->column, "csv-coordinates", "{} is `{}`, expected degrees from -{} to {}",
          column == Column::latitude ? "latitude" : "longitude", from->text, max, max);
    return std::nullopt;
  }

  void read_asn(Location& location) {
    const Field* const from = field(Column::asn);
    if (from == nullptr || is_unknown(from->text)) return;
    std::string_view digits = from->text;
    if (digits.starts_with("AS")) digits.remove_prefix(2);
    const auto asn = whole_number<std::uint32_t>(digits);
    if (!asn) {
      return error(from->column, "csv-asn", "asn is `{}`, expected 64500 or AS64500", from->text);
    }
    location.asn = *asn;
  }

  std::size_t& position(Column column) { return positions_[static_cast<std::size_t>(column)]; }

  /// The row's field of that kind; none if the file does not have the column.
  [[nodiscard]] const Field* field(Column column) const {
    const std::size_t at = positions_[static_cast<std::size_t>(column)];
    return at == no_position ? nullptr : &row_.fields()[at];
  }

  NetworkList& list_;
  Diagnostics& diagnostics_;
  const CsvLimits& limits_;
  Place place_;
  CsvRow row_;
  bool has_columns_ = false;  // a first row was seen
  bool gave_up_ = false;
  std::size_t width_ = 0;  // fields of every row
  std::array<std::size_t, column_kinds> positions_{};
  std::string key_;
  std::unordered_map<std::string, std::optional<std::uint32_t>> locations_;  // none: it has faults
};

}  // namespace

void parse_networks(std::string_view text, const std::string& file, NetworkList& list,
                    Diagnostics& diagnostics, const CsvLimits& limits) {
  Parser(file, list, diagnostics, limits).parse(text);
}

}  // namespace demarc::geo
