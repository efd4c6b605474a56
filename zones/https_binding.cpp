#include "zones/https_binding.h"

#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace demarc::zones {

std::string https_text(const HttpsBinding& binding, std::span<const geo::Address> addresses) {
  std::string text = fmt::format("1 . alpn=\"{}\"", fmt::join(binding.alpn, ","));
  if (!binding.has_default_alpn) text += " no-default-alpn";
  if (binding.port != https_port) text += fmt::format(" port={}", binding.port);
  for (const auto& [family, key] :
       {std::pair{geo::Family::ipv4, "ipv4hint"}, std::pair{geo::Family::ipv6, "ipv6hint"}}) {
    std::vector<std::string> hints;
    for (const geo::Address& address : addresses) {
      if (address.family == family) hints.push_back(geo::to_text(address));
    }
    if (!hints.empty()) text += fmt::format(" {}={}", key, fmt::join(hints, ","));
  }
  return text;
}

}  // namespace demarc::zones
