#include "dns/proxy_header.h"

#include <algorithm>
#include <array>

#include "dns/wire.h"

namespace demarc::dns {

namespace {

constexpr std::array<std::uint8_t, 12> signature{0x0d, 0x0a, 0x0d, 0x0a, 0x00, 0x0d,
                                                 0x0a, 0x51, 0x55, 0x49, 0x54, 0x0a};
constexpr std::size_t fixed_size = 16;
constexpr std::uint8_t version_local = 0x20;
constexpr std::uint8_t version_proxy = 0x21;
constexpr unsigned family_unspecified = 0;
constexpr unsigned family_ipv4 = 1;
constexpr unsigned family_ipv6 = 2;

/// The address at the front of the block; nothing if the block is too short for its family.
std::optional<geo::Address> read_source(unsigned family, std::span<const std::uint8_t> block) {
  const bool is_ipv4 = family == family_ipv4;
  const std::size_t size = is_ipv4 ? 4 : 16;
  if (block.size() < 2 * size + 4) return std::nullopt;  // both addresses and both ports
  geo::Address address;
  address.family = is_ipv4 ? geo::Family::ipv4 : geo::Family::ipv6;
  std::copy_n(block.begin(), size, address.bytes.begin());
  return address;
}

}  // namespace

ProxyReading read_proxy_header(std::span<const std::uint8_t> bytes, ProxyTransport transport,
                               ProxyHeader& header) noexcept {
  const std::size_t known = std::min(bytes.size(), signature.size());
  if (!std::equal(signature.begin(), signature.begin() + static_cast<std::ptrdiff_t>(known),
                  bytes.begin())) {
    return ProxyReading::bad;
  }
  if (bytes.size() < fixed_size) return ProxyReading::incomplete;
  const std::uint8_t version = bytes[12];
  if (version != version_local && version != version_proxy) return ProxyReading::bad;
  const std::size_t block_size = get16(bytes.data() + 14);
  if (fixed_size + block_size > proxy_header_size_max) return ProxyReading::bad;
  if (bytes.size() < fixed_size + block_size) return ProxyReading::incomplete;
  header = {.size = fixed_size + block_size, .source = std::nullopt};
  const unsigned family = bytes[13] >> 4;
  if (version == version_local || family == family_unspecified) return ProxyReading::good;
  const bool is_known = family == family_ipv4 || family == family_ipv6;
  if (!is_known || (bytes[13] & 0x0f) != static_cast<unsigned>(transport)) return ProxyReading::bad;
  header.source = read_source(family, bytes.subspan(fixed_size, block_size));
  return header.source ? ProxyReading::good : ProxyReading::bad;
}

}  // namespace demarc::dns
