// dig's output, line by line: what a line means depends on the section it stands in.
#include "tests/support/dig.h"

#include <algorithm>
#include <charconv>
#include <sstream>
#include <utility>

#include "tests/support/process.h"

namespace demarc::testing {

namespace {

using Words = std::vector<std::string>;

Words words_of(std::string_view line) {
  Words words;
  std::istringstream stream{std::string(line)};
  for (std::string word; stream >> word;) words.push_back(word);
  return words;
}

template <typename Number>
std::optional<Number> number(std::string_view text) {
  Number value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end == text.data()) return std::nullopt;  // "14;" is fourteen
  return value;
}

/// What stands between `start` and the next `end` in `line`; empty if they are not there.
std::string_view between(std::string_view line, std::string_view start, std::string_view end) {
  const std::size_t from = line.find(start);
  if (from == std::string_view::npos) return {};
  line.remove_prefix(from + start.size());
  return line.substr(0, line.find(end));
}

std::optional<DigRecord> parse_record(std::string_view line) {
  const Words words = words_of(line);
  if (words.size() < 4) return std::nullopt;
  const auto ttl = number<std::uint32_t>(words[1]);
  if (!ttl) return std::nullopt;
  DigRecord record{.owner = words[0], .ttl = *ttl, .type = words[3], .rdata = {}};
  for (std::size_t at = 4; at < words.size(); ++at) {
    if (at > 4) record.rdata += ' ';
    record.rdata += words[at];
  }
  return record;
}

void take_header(DigAnswer& answer, std::string_view line) {
  if (line.starts_with(";; ->>HEADER<<-")) {
    answer.status = between(line, "status: ", ",");
    answer.id = number<std::uint16_t>(between(line, "id: ", "\n")).value_or(0);
  } else if (line.starts_with(";; flags:")) {
    answer.flags = words_of(between(line, "flags:", ";"));
  } else if (line.starts_with(";; SERVER:")) {
    answer.is_tcp = line.find("(TCP)") != std::string_view::npos;
  } else if (line.starts_with(";; MSG SIZE")) {
    answer.size_bytes = number<std::size_t>(between(line, "rcvd: ", "\n")).value_or(0);
  }
}

/// "; CLIENT-SUBNET: 192.0.2.0/24/16"
void take_subnet(DigAnswer& answer, std::string_view value) {
  const std::size_t first = value.find('/');
  const std::size_t second = value.rfind('/');
  if (first == std::string_view::npos || first == second) return;
  answer.subnet = value.substr(0, first);
  answer.source_prefix = number<unsigned>(value.substr(first + 1, second - first - 1));
  answer.scope_prefix = number<unsigned>(value.substr(second + 1));
}

void take_option(DigAnswer& answer, std::string_view line) {
  if (line.starts_with("; EDNS:")) {
    answer.has_edns = true;
    answer.udp_size = number<std::uint16_t>(between(line, "udp: ", "\n")).value_or(0);
  } else if (line.starts_with("; CLIENT-SUBNET: ")) {
    take_subnet(answer, between(line, "SUBNET: ", "\n"));
  } else if (line.starts_with("; EDE: ")) {
    if (const auto code = number<std::uint16_t>(between(line, "EDE: ", "\n"))) {
      answer.ede.push_back(*code);
    }
  } else if (line.starts_with("; NSID:")) {
    answer.nsid = between(line, "(\"", "\")");
  }
}

}  // namespace

bool DigAnswer::has_flag(std::string_view flag) const {
  return std::ranges::find(flags, flag) != flags.end();
}

std::vector<std::string> DigAnswer::rdata(std::string_view type) const {
  std::vector<std::string> found;
  for (const DigRecord& record : answer) {
    if (record.type == type) found.push_back(record.rdata);
  }
  std::ranges::sort(found);
  return found;
}

std::optional<std::uint32_t> DigAnswer::ttl() const {
  if (answer.empty()) return std::nullopt;
  return answer.front().ttl;
}

DigAnswer parse_dig(std::string_view text) {
  DigAnswer answer;
  answer.text = text;
  std::vector<DigRecord>* section = nullptr;
  std::istringstream lines{std::string(text)};
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with(";; ANSWER SECTION")) {
      section = &answer.answer;
    } else if (line.starts_with(";; AUTHORITY SECTION")) {
      section = &answer.authority;
    } else if (line.starts_with(";; ADDITIONAL SECTION")) {
      section = &answer.additional;
    } else if (line.empty()) {
      section = nullptr;
    } else if (line.starts_with(";;")) {
      take_header(answer, line);
    } else if (line.starts_with(";")) {
      take_option(answer, line);
    } else if (auto record = section != nullptr ? parse_record(line) : std::nullopt) {
      section->push_back(std::move(*record));
    }
  }
  return answer;
}

DigAnswer dig(const std::string& address, std::uint16_t port, std::vector<std::string> arguments) {
  std::vector<std::string> argv = {"dig",    "-r",       "@" + address, "-p", std::to_string(port),
                                   "+norec", "+tries=3", "+time=3"};
  std::ranges::move(arguments, std::back_inserter(argv));
  const Finished finished = run(std::move(argv));
  DigAnswer answer = parse_dig(finished.out);
  answer.exit = finished.exit;
  return answer;
}

}  // namespace demarc::testing
