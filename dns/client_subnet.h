// EDNS Client Subnet: the option's data, from the wire and back to it (RFC 7871 §6).
// dns/query.cpp finds the option; geo/location_table.h turns the prefix into a location class.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "geo/base/address.h"
#include "geo/base/result.h"

namespace demarc::dns {

enum class EcsError : std::uint8_t {
  truncated,
  unknown_family,
  prefix_too_long,
  wrong_size,
  host_bits_set,
  scope_set,
};

/// FAMILY, SOURCE PREFIX-LENGTH, SCOPE PREFIX-LENGTH and up to 16 bytes of address.
inline constexpr std::size_t client_subnet_size_max = 20;

/// Reads what follows the option's code and length; `prefix.length` is the SOURCE PREFIX-LENGTH in
/// bits (0..32 or 0..128). Length 0, where FAMILY may be 0, asks for no tailored answer (§7.1.2).
///
/// The caller answers every EcsError with FORMERR (§6, §7.2.1). Any bytes, any thread are fine;
/// borrows nothing, allocates nothing, does not throw.
[[nodiscard]] Result<geo::Prefix, EcsError> parse_client_subnet(
    std::span<const std::uint8_t> data) noexcept;

/// Writes the answer's option with its code and length: the query's `data` with our scope in it, as
/// a client compares the rest (§7.2.1). Returns the bytes used, 0 if `out` is too small.
/// `scope_prefix` may exceed the source's length: how specific the answer really is.
/// Precondition: parse_client_subnet() accepted `data`.
std::size_t write_client_subnet(std::span<const std::uint8_t> data, std::uint8_t scope_prefix,
                                std::span<std::uint8_t> out) noexcept;

}  // namespace demarc::dns
