#include "zones/yaml/check_file.h"

#include <algorithm>

#include "zones/yaml/check_fit.h"
#include "zones/yaml/expectation_file.h"

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

std::optional<std::uint16_t> parse_port(std::string_view text) {
  const auto port = parse_integer(text);
  if (!port || *port == 0 || *port > 65'535) return std::nullopt;
  return static_cast<std::uint16_t>(*port);
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

/// Takes `https://` and its like off the front; nothing if the scheme is not one of ours.
std::optional<ProbeScheme> take_scheme(std::string_view& text) {
  const std::size_t end = text.find("://");
  if (end == std::string_view::npos) return ProbeScheme::https;
  const std::string_view scheme = text.substr(0, end);
  text.remove_prefix(end + 3);
  if (scheme == "https") return ProbeScheme::https;
  if (scheme == "http") return ProbeScheme::http;
  if (scheme == "tcp") return ProbeScheme::tcp;
  if (scheme == "tls") return ProbeScheme::tls;
  return std::nullopt;
}

bool is_path(std::string_view text) {
  return std::ranges::all_of(text, [](char letter) { return letter > ' ' && letter < 0x7f; });
}

/// `[scheme://]host[:port][/path]`; false: it is something else.
bool parse_check_endpoint(std::string_view text, CheckEntry& check) {
  const auto scheme = take_scheme(text);
  if (!scheme) return false;
  const std::size_t host_end = std::min(text.find('/'), text.size());
  std::string_view host = text.substr(0, host_end);
  const std::string_view path = text.substr(host_end);
  std::optional<std::uint16_t> port;
  if (const std::size_t colon = host.find(':'); colon != std::string_view::npos) {
    port = parse_port(host.substr(colon + 1));
    if (!port) return false;
    host = host.substr(0, colon);
  }
  const bool needs_port = is_bare(*scheme);
  const auto name = Name::parse_absolute(host);
  const bool is_good_host = name && !name->is_root() && !geo::parse_address(host);
  if (!is_good_host || !is_path(path) || (needs_port && (!port || !path.empty()))) return false;
  check.scheme = *scheme;
  check.host = host.ends_with('.') ? host.substr(0, host.size() - 1) : host;
  check.port = port.value_or(*scheme == ProbeScheme::http ? 80 : 443);
  check.path = path.empty() ? "/" : path;
  return true;
}

void read_endpoint(const Reading& reading, const Node& node, CheckEntry& check) {
  auto text = read_text(reading, node, "endpoint");
  if (!text) return;
  check.endpoint = {std::move(*text), node.at};
  if (parse_check_endpoint(check.endpoint.value, check)) return;
  reading.error(node.at, "bad-check-endpoint",
                "endpoint is `{}`; expected NAME[:PORT][/PATH] with or without http:// or "
                "https://, or tcp:// or tls://NAME:PORT",
                check.endpoint.value);
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

/// A probe must end before the next one begins.
void check_timing(const Reading& reading, const CheckEntry& check) {
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
  const auto count = [&reading](unsigned& target, std::string_view what) {
    return [&reading, &target, what](const Node& value) {
      assign(target, read_integer(reading, value, what, {1, count_max}));
    };
  };
  read_map(reading, node, "health check",
           {{"endpoint", Presence::required,
             [&](const Node& value) { read_endpoint(reading, value, check); }},
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
            {"certificate-min", Presence::optional,
             [&](const Node& value) { read_certificate_left(reading, value, check.expect); }},
            {"canary", Presence::optional,
             [&](const Node& value) {
               assign(check.is_canary, read_choice<bool>(reading, value, "canary",
                                                         {{"true", true}, {"false", false}}));
             }},
            {"on-fail", Presence::optional,
             [&](const Node& value) { read_on_fail(reading, value, check); }}});
  check_timing(reading, check);
  check_fit(reading, node, check);
  return check;
}

}  // namespace demarc::zones::yaml
