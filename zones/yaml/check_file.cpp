#include "zones/yaml/check_file.h"

#include <algorithm>

#include "zones/yaml/check_calculated.h"
#include "zones/yaml/check_endpoint.h"
#include "zones/yaml/check_fit.h"
#include "zones/yaml/expectation_file.h"
#include "zones/yaml/vantages_file.h"

namespace demarc::zones::yaml {
namespace {

constexpr std::string_view blanks = " \t";

std::string_view trimmed(std::string_view text) {
  text.remove_prefix(std::min(text.find_first_not_of(blanks), text.size()));
  return text.substr(0, text.find_last_not_of(blanks) + 1);
}

std::string_view take_word(std::string_view& text) {
  text = trimmed(text);
  const std::size_t end = std::min(text.find_first_of(blanks), text.size());
  const std::string_view word = text.substr(0, end);
  text.remove_prefix(end);
  return word;
}

/// `set-weight NAME WEIGHT`.
std::optional<CommandEntry> parse_command(std::string_view text) {
  if (take_word(text) != "set-weight") return std::nullopt;
  const std::string_view name = take_word(text);
  const auto weight = parse_integer(take_word(text));
  if (name.empty() || !weight || *weight > weight_max || !trimmed(text).empty()) {
    return std::nullopt;
  }
  return CommandEntry{std::string(name), static_cast<std::uint16_t>(*weight)};
}

void read_probe_at(const Reading& reading, const Node& node, CheckEntry& check) {
  const auto text = read_text(reading, node, "probe-at");
  if (!text) return;
  if (const auto probe_at = parse_probe_at(*text)) {
    check.probe_at = At<ProbeAt>{*probe_at, node.at};
    return;
  }
  reading.error(node.at, "bad-probe-at",
                "probe-at is `{}`; expected an address and a port, as 127.0.0.1:8081 or "
                "\"[::1]:8081\"",
                *text);
}

void read_on_fail(const Reading& reading, const Node& node, CheckEntry& check) {
  check.has_on_fail = true;
  check.on_fail_at = node.at;
  const auto text = read_text(reading, node, "on-fail");
  if (!text) return;
  auto commands = parse_on_fail(*text);
  if (commands) {
    check.on_fail = std::move(*commands);
    return;
  }
  reading.error(node.at, "bad-on-fail",
                "on-fail is `{}`; expected `set-weight NAME WEIGHT`, 1 to {} of them with `;` "
                "between, weights from 0 to {}",
                *text, commands_max, weight_max);
}

/// "200" or "200-299".
std::optional<StatusRange> parse_status(std::string_view text) {
  const std::size_t dash = text.find('-');
  const auto first = parse_integer(text.substr(0, dash));
  const auto last = dash == std::string_view::npos ? first : parse_integer(text.substr(dash + 1));
  if (!first || !last || *first < 100 || *last > 599 || *first > *last) return std::nullopt;
  return StatusRange{static_cast<std::uint16_t>(*first), static_cast<std::uint16_t>(*last)};
}

void read_status(const Reading& reading, const Node& node, CheckEntry& check) {
  read_one_or_list(reading, node, "expect-status", status_ranges_max, [&](const Node& item) {
    const auto text = read_text(reading, item, "expect-status");
    if (!text) return;
    if (const auto range = parse_status(*text)) {
      check.expect_status.push_back(*range);
      return;
    }
    reading.error(item.at, "bad-status",
                  "expect-status is `{}`; expected a code or a range from 100 to 599, as 200-299",
                  *text);
  });
}

void read_method(const Reading& reading, const Node& node, CheckEntry& check) {
  assign(check.method,
         read_choice<ProbeMethod>(reading, node, "method",
                                  {{"GET", ProbeMethod::get}, {"HEAD", ProbeMethod::head}}));
}

void read_http_version(const Reading& reading, const Node& node, CheckEntry& check) {
  assign(check.http_version,
         read_choice<HttpVersion>(reading, node, "http-version",
                                  {{"1.1", HttpVersion::http1_1}, {"2", HttpVersion::http2}}));
}

void read_silence(const Reading& reading, const Node& node, CheckEntry& check) {
  const auto silence = read_choice<Silence>(
      reading, node, "no-answer", {{"failure", Silence::failure}, {"stale", Silence::stale}});
  if (silence) check.silence = At<Silence>{*silence, node.at};
}

/// A probe must end before the next one begins, and what is degraded before it ends.
void check_timing(const Reading& reading, const Node& node, const CheckEntry& check) {
  const Milliseconds timeout =
      check.timeout ? check.timeout->value : std::min(timeout_default, check.interval);
  const auto degraded = std::ranges::find(node.keys, "degraded-above", &Key::text);
  if (degraded != node.keys.end() && check.degraded_above >= timeout) {
    reading.error(degraded->at, "degraded-over-timeout",
                  "degraded-above {} is not below the timeout {}, which is a failure; expected "
                  "less",
                  to_text(check.degraded_above), to_text(timeout));
  }
  if (!check.timeout || check.timeout->value <= check.interval) return;
  reading.error(check.timeout->at, "timeout-over-interval",
                "timeout {} is longer than the interval {}; expected at most the interval",
                to_text(check.timeout->value), to_text(check.interval));
}

}  // namespace

std::optional<std::vector<CommandEntry>> parse_on_fail(std::string_view text) {
  std::vector<CommandEntry> commands;
  text = trimmed(text);
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(';'), text.size());
    auto command = parse_command(text.substr(0, end));
    if (!command || commands.size() == commands_max) return std::nullopt;
    commands.push_back(std::move(*command));
    text.remove_prefix(std::min(end + 1, text.size()));
    text = trimmed(text);
  }
  if (commands.empty()) return std::nullopt;
  return commands;
}

std::optional<ProbeAt> parse_probe_at(std::string_view text) {
  const std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) return std::nullopt;
  std::string_view host = text.substr(0, colon);
  const auto port = parse_port(text.substr(colon + 1));
  const bool is_bracketed = host.size() > 2 && host.front() == '[' && host.back() == ']';
  if (is_bracketed) host = host.substr(1, host.size() - 2);
  const auto address = geo::parse_address(host);
  if (!port || !address || is_bracketed != (address->family == geo::Family::ipv6)) {
    return std::nullopt;
  }
  return ProbeAt{*address, *port};
}

CheckEntry read_check(const Reading& reading, const Node& node) {
  CheckEntry check;
  check.at = node.at;
  const auto count = [&reading](unsigned& target, std::string_view what, unsigned least = 1) {
    return [&reading, &target, what, least](const Node& value) {
      assign(target, read_integer(reading, value, what, {least, count_max}));
    };
  };
  read_map(
      reading, node, "health check",
      {{"endpoint", Presence::optional,
        [&](const Node& value) {
          if (auto text = read_text(reading, value, "endpoint")) {
            check.endpoint = {std::move(*text), value.at};
          }
        }},
       {"name", Presence::optional,
        [&](const Node& value) { assign(check.name, read_identifier(reading, value, "name")); }},
       {"of", Presence::optional,
        [&](const Node& value) {
          if (auto text = read_text(reading, value, "of")) {
            check.of = TextAt{std::move(*text), value.at};
          }
        }},
       {"no-answer", Presence::optional,
        [&](const Node& value) { read_silence(reading, value, check); }},
       {"query", Presence::optional,
        [&](const Node& value) {
          if (auto text = read_text(reading, value, "query")) {
            check.query = TextAt{std::move(*text), value.at};
          }
        }},
       {"expect-value", Presence::optional,
        [&](const Node& value) { read_query_value(reading, value, check.expect); }},
       {"probe-at", Presence::optional,
        [&](const Node& value) { read_probe_at(reading, value, check); }},
       {"interval", Presence::optional,
        [&](const Node& value) {
          assign(check.interval,
                 read_duration(reading, value, "interval", {interval_min, interval_max}));
        }},
       {"timeout", Presence::optional,
        [&](const Node& value) {
          const auto timeout =
              read_duration(reading, value, "timeout", {timeout_min, interval_max});
          if (timeout) check.timeout = At<Milliseconds>{*timeout, value.at};
        }},
       {"fall", Presence::optional, count(check.fall, "fall")},
       {"rise", Presence::optional, count(check.rise, "rise")},
       {"ok", Presence::optional, count(check.ok, "ok")},
       {"votes", Presence::optional, count(check.votes, "votes", 0)},
       {"degraded-above", Presence::optional,
        [&](const Node& value) {
          assign(check.degraded_above, read_duration(reading, value, "degraded-above",
                                                     {degraded_above_min, interval_max}));
        }},
       {"vantages", Presence::optional,
        [&](const Node& value) {
          read_one_or_list(reading, value, "vantages", vantages_max, [&](const Node& item) {
            if (auto id = read_identifier(reading, item, "vantages")) {
              check.vantages.push_back(std::move(*id));
            }
          });
        }},
       {"calculated", Presence::optional,
        [&](const Node& value) { check.calculated = read_calculated(reading, value); }},
       {"method", Presence::optional,
        [&](const Node& value) { read_method(reading, value, check); }},
       {"http-version", Presence::optional,
        [&](const Node& value) { read_http_version(reading, value, check); }},
       {"expect-status", Presence::optional,
        [&](const Node& value) { read_status(reading, value, check); }},
       {"expect-body", Presence::optional,
        [&](const Node& value) { read_expected_body(reading, value, check.expect); }},
       {"expect-header", Presence::optional,
        [&](const Node& value) { read_expected_headers(reading, value, check.expect); }},
       {"expect-json", Presence::optional,
        [&](const Node& value) { read_expected_values(reading, value, check.expect); }},
       {"expect-answer", Presence::optional,
        [&](const Node& value) { read_expected_answers(reading, value, check.expect); }},
       {"certificate-min", Presence::optional,
        [&](const Node& value) { read_certificate_left(reading, value, check.expect); }},
       {"certificate-every", Presence::optional,
        [&](const Node& value) {
          assign(check.certificate_every,
                 read_duration(reading, value, "certificate-every", {interval_min, interval_max}));
        }},
       {"canary", Presence::optional,
        [&](const Node& value) {
          assign(check.is_canary,
                 read_choice<bool>(reading, value, "canary", {{"true", true}, {"false", false}}));
        }},
       {"on-fail", Presence::optional,
        [&](const Node& value) { read_on_fail(reading, value, check); }}});
  if (check.calculated) {
    check.is_readable = check.name && check.of;
    check.endpoint.at = check.at;
  } else if (!check.endpoint.value.empty()) {
    read_check_endpoint(reading, check);
  }
  check_timing(reading, node, check);
  check_fit(reading, node, check);
  return check;
}

}  // namespace demarc::zones::yaml
