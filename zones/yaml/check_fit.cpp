#include "zones/yaml/check_fit.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>

namespace demarc::zones::yaml {
namespace {

struct Use {
  std::string_view key;
  bool (*by)(ProbeScheme scheme) noexcept;
  std::string_view endpoints;  // that have a use for it
};

constexpr bool asks_http(ProbeScheme scheme) noexcept { return facts_of(scheme).asks_http; }
constexpr bool asks_dns(ProbeScheme scheme) noexcept { return scheme == ProbeScheme::dns; }
constexpr bool asks_over_tls(ProbeScheme scheme) noexcept {
  return has_certificate(scheme) && !is_bare(scheme);
}
constexpr bool connects(ProbeScheme scheme) noexcept { return !facts_of(scheme).is_local; }
constexpr bool has_latency(ProbeScheme scheme) noexcept { return scheme != ProbeScheme::file; }

constexpr std::array uses{
    Use{"method", &asks_http, "an http:// or https:// endpoint"},
    Use{"http-version", &asks_http, "an http:// or https:// endpoint"},
    Use{"expect-status", &asks_http, "an http:// or https:// endpoint"},
    Use{"expect-body", &asks_http, "an http:// or https:// endpoint"},
    Use{"expect-header", &asks_http, "an http:// or https:// endpoint"},
    Use{"expect-json", &asks_http, "an http:// or https:// endpoint"},
    Use{"query", &asks_http, "an http:// or https:// endpoint"},
    Use{"expect-answer", &asks_dns, "a dns:// endpoint"},
    Use{"probe-at", &connects, "an endpoint that is somewhere else"},
    Use{"degraded-above", &has_latency, "an endpoint that takes time to answer"},
    Use{"certificate-min", &has_certificate, "an https://, tls:// or grpcs:// endpoint"},
    Use{"certificate-every", &asks_over_tls, "an https:// or grpcs:// endpoint"},
};

std::string kind_of(ProbeScheme scheme) {
  const std::string_view name = facts_of(scheme).name;
  return fmt::format("{} {}", name.starts_with("http") || name.starts_with("icmp") ? "an" : "a",
                     name);
}

/// RFC 9110 §9.3.2: the answer to HEAD has no content.
bool needs_content(std::string_view key) { return key == "expect-body" || key == "expect-json"; }

/// A query has its own request and answer.
bool is_of_plain_request(std::string_view key) {
  return key == "method" || key == "expect-status" || key == "expect-body" ||
         key == "expect-json" || key == "expect-header";
}

void check_query(const Reading& reading, const Node& node, const CheckEntry& check) {
  for (const Key& key : node.keys) {
    if (key.text == "expect-value" && !check.query) {
      reading.error(key.at, "setting-without-use", "`expect-value` without `query`; expected both");
    } else if (check.query && is_of_plain_request(key.text)) {
      reading.error(key.at, "setting-without-use",
                    "`{}` beside `query`; expected `expect-value` alone", key.text);
    }
  }
  const bool has_value = std::ranges::count(node.keys, "expect-value", &Key::text) != 0;
  if (check.query && !has_value) {
    reading.error(check.query->at, "missing-key",
                  "`query` without `expect-value`; expected what its value must be, as `< 0.05`");
  }
}

/// Who asks the endpoint itself takes its silence for its failure.
void check_silence(const Reading& reading, const CheckEntry& check) {
  if (check.of || !check.silence || check.silence->value == Silence::failure) return;
  reading.error(check.silence->at, "setting-without-use",
                "`no-answer: stale` in a check of the endpoint itself, which would never be down; "
                "expected it with `of` only");
}

/// What a check that asks nothing can have.
bool is_of_calculated(std::string_view key) {
  return key == "calculated" || key == "name" || key == "of" || key == "votes" || key == "canary" ||
         key == "on-fail";
}

/// A check has an endpoint, or it is calculated.
void check_kind(const Reading& reading, const Node& node, const CheckEntry& check) {
  const bool has_endpoint = std::ranges::count(node.keys, "endpoint", &Key::text) != 0;
  const bool is_calculated = std::ranges::count(node.keys, "calculated", &Key::text) != 0;
  if (!has_endpoint && !is_calculated) {
    reading.error(node.at, "missing-key",
                  "health check without `endpoint`; expected it, or `calculated`");
  }
  if (!is_calculated) return;
  for (const Key& key : node.keys) {
    if (is_of_calculated(key.text)) continue;
    reading.error(key.at, "setting-without-use",
                  "`{}` in a calculated check, which asks nothing; expected it with an endpoint",
                  key.text);
  }
  if (!check.name || !check.of) {
    reading.error(node.at, "missing-key", "calculated check without `{}`; expected {}",
                  check.name ? "of" : "name",
                  check.name ? "the record that it speaks for" : "what it is called");
  }
}

}  // namespace

void check_fit(const Reading& reading, const Node& node, const CheckEntry& check) {
  check_kind(reading, node, check);
  if (!check.is_readable || check.calculated) return;
  check_query(reading, node, check);
  check_silence(reading, check);
  for (const Key& key : node.keys) {
    const auto use = std::ranges::find(uses, key.text, &Use::key);
    if (use == uses.end()) continue;
    if (!use->by(check.scheme)) {
      reading.error(key.at, "setting-without-use", "`{}` in {} check; expected it with {} only",
                    key.text, kind_of(check.scheme), use->endpoints);
    } else if (check.method == ProbeMethod::head && needs_content(key.text)) {
      reading.error(key.at, "setting-without-use",
                    "`{}` beside `method: HEAD`, whose answer has no body; expected `method: GET`",
                    key.text);
    }
  }
}

}  // namespace demarc::zones::yaml
