#include "dns/client_subnet.h"

#include <cassert>
#include <cstring>

#include "dns/wire.h"

namespace demarc::dns {

namespace {

constexpr std::size_t fixed_size = 4;
constexpr std::size_t scope_at = 3;

}  // namespace

Result<geo::Prefix, EcsError> parse_client_subnet(std::span<const std::uint8_t> data) noexcept {
  if (data.size() < fixed_size) return std::unexpected(EcsError::truncated);
  const std::uint16_t family = get16(data.data());
  const std::uint8_t source_prefix = data[2];
  const auto address_bytes = data.subspan(fixed_size);

  const bool refuses_tailoring = family == 0 && source_prefix == 0;
  if (family != 1 && family != 2 && !refuses_tailoring) {
    return std::unexpected(EcsError::unknown_family);
  }
  geo::Prefix prefix;
  prefix.address.family = family == 2 ? geo::Family::ipv6 : geo::Family::ipv4;
  prefix.length = source_prefix;
  if (source_prefix > prefix.address.bits()) return std::unexpected(EcsError::prefix_too_long);
  if (data[scope_at] != 0) return std::unexpected(EcsError::scope_set);
  if (address_bytes.size() != (source_prefix + 7U) / 8U) {
    return std::unexpected(EcsError::wrong_size);
  }
  const unsigned bits_of_last = source_prefix % 8U;
  if (bits_of_last != 0 && (address_bytes.back() & (0xffU >> bits_of_last)) != 0) {
    return std::unexpected(EcsError::host_bits_set);
  }
  if (!address_bytes.empty()) {
    std::memcpy(prefix.address.bytes.data(), address_bytes.data(), address_bytes.size());
  }
  return prefix;
}

std::size_t write_client_subnet(std::span<const std::uint8_t> data, std::uint8_t scope_prefix,
                                std::span<std::uint8_t> out) noexcept {
  assert(data.size() >= fixed_size && data.size() <= client_subnet_size_max);
  const std::size_t size = edns::option_header_size + data.size();
  if (size > out.size()) return 0;
  put16(out.data(), edns::client_subnet);
  put16(out.data() + 2, data.size());
  std::memcpy(out.data() + edns::option_header_size, data.data(), data.size());
  out[edns::option_header_size + scope_at] = scope_prefix;
  return size;
}

}  // namespace demarc::dns
