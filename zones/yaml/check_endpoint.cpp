#include "zones/yaml/check_endpoint.h"

#include <algorithm>
#include <array>

#include "zones/rdata.h"

namespace demarc::zones::yaml {
namespace {

constexpr std::array schemes{ProbeScheme::http, ProbeScheme::https, ProbeScheme::tcp,
                             ProbeScheme::tls,  ProbeScheme::dns,   ProbeScheme::icmp,
                             ProbeScheme::grpc, ProbeScheme::grpcs};

/// Takes `https://` and its like off the front; nothing if the scheme is not one of ours.
std::optional<ProbeScheme> take_scheme(std::string_view& text) {
  const std::size_t end = text.find("://");
  if (end == std::string_view::npos) return ProbeScheme::https;
  const auto found = std::ranges::find(schemes, text.substr(0, end),
                                       [](ProbeScheme scheme) { return facts_of(scheme).name; });
  if (found == schemes.end()) return std::nullopt;
  text.remove_prefix(end + 3);
  return *found;
}

bool is_path(std::string_view text) {
  return std::ranges::all_of(text, [](char letter) { return letter > ' ' && letter < 0x7f; });
}

struct Authority {
  std::string_view host;  // without brackets
  std::optional<std::uint16_t> port;
};

/// `NAME`, `ADDRESS`, `[ADDRESS]`, each with or without `:PORT`.
std::optional<Authority> parse_authority(std::string_view text) {
  Authority authority;
  std::string_view rest;
  if (text.starts_with('[')) {
    const std::size_t end = text.find(']');
    if (end == std::string_view::npos) return std::nullopt;
    authority.host = text.substr(1, end - 1);
    rest = text.substr(end + 1);
  } else {
    const std::size_t end = std::min(text.find(':'), text.size());
    authority.host = text.substr(0, end);
    rest = text.substr(end);
  }
  if (rest.empty()) return authority;
  if (rest.front() != ':') return std::nullopt;
  authority.port = parse_port(rest.substr(1));
  return authority.port ? std::optional(authority) : std::nullopt;
}

/// A host name, or an address where that is allowed: IPv6 in brackets, and nothing else in them.
bool is_host(const Authority& authority, std::string_view text, bool allows_address) {
  const auto address = geo::parse_address(authority.host);
  const bool is_bracketed = text.starts_with('[');
  if (address) {
    return allows_address && is_bracketed == (address->family == geo::Family::ipv6);
  }
  const auto name = Name::parse_absolute(authority.host);
  return !is_bracketed && name && !name->is_root();
}

/// `/NAME` or `/NAME/TYPE`, spelled out; nothing: it is something else.
std::optional<std::string> parse_dns_question(std::string_view path) {
  if (!path.starts_with('/')) return std::nullopt;
  path.remove_prefix(1);
  const std::size_t slash = std::min(path.find('/'), path.size());
  const auto name = Name::parse_absolute(path.substr(0, slash));
  const std::string_view type_text = slash == path.size() ? "A" : path.substr(slash + 1);
  const auto type = parse_type(type_text);
  if (!name || !type) return std::nullopt;
  return fmt::format("/{}/{}", name->text(), type_to_text(*type));
}

/// The path that the scheme wants; nothing: not one of its kind.
std::optional<std::string> read_path(ProbeScheme scheme, std::string_view path) {
  switch (scheme) {
    case ProbeScheme::http:
    case ProbeScheme::https:
      return std::string(path.empty() ? "/" : path);
    case ProbeScheme::dns:
      return parse_dns_question(path);
    case ProbeScheme::grpc:
    case ProbeScheme::grpcs:  // the service that is asked for; empty: the whole server
      if (path.size() > 1 && path.substr(1).contains('/')) return std::nullopt;
      return std::string(path == "/" ? "" : path);
    case ProbeScheme::tcp:
    case ProbeScheme::tls:
    case ProbeScheme::icmp:
      return path.empty() ? std::optional<std::string>("/") : std::nullopt;
    case ProbeScheme::file:
    case ProbeScheme::program:
      break;
  }
  return std::nullopt;
}

/// A name in a folder: no path leads out of it, and none is hidden.
bool is_file_name(std::string_view text) {
  return !text.empty() && text.size() <= identifier_bytes_max && !text.starts_with('.') &&
         std::ranges::all_of(text, [](char letter) {
           return (letter >= 'a' && letter <= 'z') || (letter >= 'A' && letter <= 'Z') ||
                  (letter >= '0' && letter <= '9') || std::string_view("-_.").contains(letter);
         });
}

/// `file:NAME` or `program:NAME`; nothing: it is no such endpoint at all.
std::optional<bool> parse_local_endpoint(std::string_view text, CheckEntry& check) {
  for (const ProbeScheme scheme : {ProbeScheme::file, ProbeScheme::program}) {
    const std::string prefix = std::string(facts_of(scheme).name) + ":";
    if (!text.starts_with(prefix) || text.starts_with(prefix + "//")) continue;
    check.scheme = scheme;
    check.port = 0;
    check.path = text.substr(prefix.size());
    return is_file_name(check.path);
  }
  return std::nullopt;
}

/// `[scheme://]host[:port][/path]`, or a local one; false: it is something else.
bool parse_check_endpoint(std::string_view text, CheckEntry& check) {
  if (const auto is_good = parse_local_endpoint(text, check)) return *is_good;
  const auto scheme = take_scheme(text);
  if (!scheme) return false;
  const std::size_t end = std::min(text.find('/'), text.size());
  const std::string_view after = text.substr(end);
  text = text.substr(0, end);
  const auto authority = parse_authority(text);
  if (!authority || !is_host(*authority, text, check.of.has_value()) || !is_path(after)) {
    return false;
  }
  const auto default_port = facts_of(*scheme).default_port;
  if (!authority->port && !default_port) return false;
  if (authority->port && *scheme == ProbeScheme::icmp) return false;
  auto path = read_path(*scheme, after);
  if (!path) return false;
  check.scheme = *scheme;
  check.host = authority->host;
  if (check.host.ends_with('.')) check.host.pop_back();
  check.port = authority->port ? *authority->port : *default_port;
  check.path = std::move(*path);
  return true;
}

}  // namespace

std::optional<std::uint16_t> parse_port(std::string_view text) {
  const auto port = parse_integer(text);
  if (!port || *port == 0 || *port > 65'535) return std::nullopt;
  return static_cast<std::uint16_t>(*port);
}

void read_check_endpoint(const Reading& reading, CheckEntry& check) {
  check.is_readable = parse_check_endpoint(check.endpoint.value, check);
  if (!check.is_readable) {
    reading.error(check.endpoint.at, "bad-check-endpoint",
                  "endpoint is `{}`; expected NAME[:PORT][/PATH] with or without http:// or "
                  "https://, tcp://, tls:// or grpc://NAME:PORT, grpcs://NAME, dns://NAME/QNAME, "
                  "icmp://NAME, file:NAME or program:NAME",
                  check.endpoint.value);
  } else if (facts_of(check.scheme).is_local && !check.of) {
    check.is_readable = false;
    reading.error(check.endpoint.at, "missing-key",
                  "`{}` without `of`; expected the record that it speaks for",
                  check.endpoint.value);
  }
}

}  // namespace demarc::zones::yaml
