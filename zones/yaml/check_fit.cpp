#include "zones/yaml/check_fit.h"

#include <algorithm>
#include <array>

namespace demarc::zones::yaml {
namespace {

struct Use {
  std::string_view key;
  bool (*by)(ProbeScheme scheme) noexcept;
  std::string_view endpoints;  // that have a use for it
};

constexpr bool asks_http(ProbeScheme scheme) noexcept { return !is_bare(scheme); }

constexpr std::array uses{
    Use{"method", &asks_http, "an http:// or https:// endpoint"},
    Use{"http-version", &asks_http, "an http:// or https:// endpoint"},
    Use{"expect-status", &asks_http, "an http:// or https:// endpoint"},
    Use{"expect-body", &asks_http, "an http:// or https:// endpoint"},
    Use{"expect-header", &asks_http, "an http:// or https:// endpoint"},
    Use{"expect-json", &asks_http, "an http:// or https:// endpoint"},
    Use{"certificate-min", &has_certificate, "an https:// or tls:// endpoint"},
};

std::string_view name_of(ProbeScheme scheme) noexcept {
  switch (scheme) {
    case ProbeScheme::http:
      return "an http";
    case ProbeScheme::https:
      return "an https";
    case ProbeScheme::tcp:
      return "a tcp";
    case ProbeScheme::tls:
      return "a tls";
  }
  return "a";
}

/// RFC 9110 §9.3.2: the answer to HEAD has no content.
bool needs_content(std::string_view key) { return key == "expect-body" || key == "expect-json"; }

}  // namespace

void check_fit(const Reading& reading, const Node& node, const CheckEntry& check) {
  if (check.host.empty()) return;
  for (const Key& key : node.keys) {
    const auto use = std::ranges::find(uses, key.text, &Use::key);
    if (use == uses.end()) continue;
    if (!use->by(check.scheme)) {
      reading.error(key.at, "setting-without-use", "`{}` in {} check; expected it with {} only",
                    key.text, name_of(check.scheme), use->endpoints);
    } else if (check.method == ProbeMethod::head && needs_content(key.text)) {
      reading.error(key.at, "setting-without-use",
                    "`{}` beside `method: HEAD`, whose answer has no body; expected `method: GET`",
                    key.text);
    }
  }
}

}  // namespace demarc::zones::yaml
