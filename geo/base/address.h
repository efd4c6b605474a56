// IP addresses and networks as values: text to bytes and back, and containment.
// geo/location_table.h looks addresses up; dns/query.h makes prefixes of ECS options.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace demarc::geo {

enum class Family : std::uint8_t { ipv4 = 4, ipv6 = 6 };

/// An IP address in network byte order; for IPv4 the first four bytes count, the others are zero.
struct Address {
  Family family = Family::ipv4;
  std::array<std::uint8_t, 16> bytes{};

  [[nodiscard]] static constexpr Address ipv4(std::uint32_t host_order) noexcept {
    Address address;
    for (int i = 0; i < 4; ++i) {
      address.bytes[static_cast<std::size_t>(i)] =
          static_cast<std::uint8_t>(host_order >> (24 - 8 * i));
    }
    return address;
  }
  /// The first four bytes as a number, host order.
  [[nodiscard]] constexpr std::uint32_t ipv4_value() const noexcept {
    return (std::uint32_t{bytes[0]} << 24) | (std::uint32_t{bytes[1]} << 16) |
           (std::uint32_t{bytes[2]} << 8) | bytes[3];
  }
  [[nodiscard]] constexpr unsigned bits() const noexcept {
    return family == Family::ipv4 ? 32U : 128U;
  }

  auto operator<=>(const Address&) const = default;
};

/// A network: an address whose bits after `length` are zero. `length` is 0..32 or 0..128.
struct Prefix {
  Address address;
  std::uint8_t length = 0;

  [[nodiscard]] bool contains(const Address& candidate) const noexcept;
  [[nodiscard]] bool contains(const Prefix& candidate) const noexcept;
  auto operator<=>(const Prefix&) const = default;
};

/// `address` with every bit after the first `length` set to zero.
[[nodiscard]] Address masked(const Address& address, unsigned length) noexcept;

/// "192.0.2.1" or "2001:db8::1"; nothing for any other text (no brackets, zones or ports).
[[nodiscard]] std::optional<Address> parse_address(std::string_view text) noexcept;

/// "192.0.2.0/24", or an address alone as its longest prefix; nothing if bits after the length are
/// set or the text is anything else.
[[nodiscard]] std::optional<Prefix> parse_prefix(std::string_view text) noexcept;

[[nodiscard]] std::string to_text(const Address& address);
[[nodiscard]] std::string to_text(const Prefix& prefix);

/// The IPv4 address that an IPv6 one carries: v4-mapped (::ffff:0:0/96, RFC 4291 §2.5.5.2), NAT64
/// (64:ff9b::/96, RFC 6052), 6to4 (2002::/16, RFC 3056) and Teredo (2001::/32, the client's own
/// address is stored inverted, RFC 4380 §4). Nothing for every other address.
[[nodiscard]] std::optional<Address> embedded_ipv4(const Address& address) noexcept;

/// An embedded IPv4 address, host order, and the number of bits before it.
struct EmbeddedIpv4 {
  std::uint32_t value = 0;
  std::uint8_t offset = 0;
};

/// As embedded_ipv4, for the two halves of an IPv6 address in host order: the form that the query
/// path needs.
[[nodiscard]] constexpr std::optional<EmbeddedIpv4> find_embedded_ipv4(std::uint64_t high,
                                                                       std::uint64_t low) noexcept {
  const auto tail = static_cast<std::uint32_t>(low);
  if (high == 0 && low >> 32 == 0xffff) return EmbeddedIpv4{tail, 96};                 // v4-mapped
  if (high == 0x0064'ff9b'0000'0000 && low >> 32 == 0) return EmbeddedIpv4{tail, 96};  // NAT64
  if (high >> 48 == 0x2002) return EmbeddedIpv4{static_cast<std::uint32_t>(high >> 16), 16};
  if (high >> 32 == 0x2001'0000) return EmbeddedIpv4{~tail, 96};  // Teredo
  return std::nullopt;
}

}  // namespace demarc::geo
