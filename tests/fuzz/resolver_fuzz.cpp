// Laws of a resolver's reply: any bytes get an answer, and what is taken is within its limits.
#include <cstdint>
#include <cstdlib>

#include "health/resolver_message.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace demarc;
  for (const auto type : {health::AddressType::a, health::AddressType::aaaa}) {
    const auto question =
        health::make_question(zones::Name::parse_absolute("a.example").value(), type, 0x1234, 0);
    const auto reply = health::parse_reply({data, size}, question);
    if (!reply) continue;
    if (reply->addresses.size() > health::resolved_addresses_max) std::abort();
    if (reply->is_truncated && !reply->addresses.empty()) std::abort();
    for (const geo::Address& address : reply->addresses) {
      const bool is_ipv4 = address.family == geo::Family::ipv4;
      if (is_ipv4 != (type == health::AddressType::a)) std::abort();
    }
  }
  return 0;
}
