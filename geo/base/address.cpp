#include "geo/base/address.h"

#include <arpa/inet.h>

#include <algorithm>
#include <charconv>
#include <cstring>

namespace demarc::geo {
namespace {

/// A decimal number of bits, 0 to `bits_max`, without sign or leading zero.
std::optional<std::uint8_t> parse_length(std::string_view text, unsigned bits_max) noexcept {
  if (text.empty() || (text.size() > 1 && text.front() == '0')) return std::nullopt;
  unsigned length = 0;
  const char* const begin = text.data();
  const char* const end = begin + text.size();
  const auto [parsed_to, error] = std::from_chars(begin, end, length);
  if (error != std::errc{} || parsed_to != end || length > bits_max) return std::nullopt;
  return static_cast<std::uint8_t>(length);
}

std::uint64_t word_at(const Address& address, std::size_t byte) noexcept {
  std::uint64_t word = 0;
  for (std::size_t i = 0; i < 8; ++i) word = (word << 8) | address.bytes[byte + i];
  return word;
}

}  // namespace

bool Prefix::contains(const Address& candidate) const noexcept {
  return candidate.family == address.family && masked(candidate, length) == address;
}

bool Prefix::contains(const Prefix& candidate) const noexcept {
  return candidate.length >= length && contains(candidate.address);
}

Address masked(const Address& address, unsigned length) noexcept {
  Address result = address;
  for (unsigned byte = 0; byte < result.bytes.size(); ++byte) {
    const unsigned bits_kept = length > byte * 8 ? std::min(length - byte * 8, 8U) : 0;
    result.bytes[byte] = static_cast<std::uint8_t>(result.bytes[byte] & (0xff00U >> bits_kept));
  }
  return result;
}

std::optional<Address> parse_address(std::string_view text) noexcept {
  std::array<char, INET6_ADDRSTRLEN> terminated{};
  if (text.size() >= terminated.size() || text.find('\0') != text.npos) return std::nullopt;
  std::ranges::copy(text, terminated.begin());  // an empty view may have no bytes to point at

  Address address;
  address.family = text.find(':') == text.npos ? Family::ipv4 : Family::ipv6;
  const int family = address.family == Family::ipv4 ? AF_INET : AF_INET6;
  if (inet_pton(family, terminated.data(), address.bytes.data()) != 1) return std::nullopt;
  return address;
}

std::optional<Prefix> parse_prefix(std::string_view text) noexcept {
  const std::size_t slash = text.find('/');
  const auto address = parse_address(text.substr(0, slash));
  if (!address) return std::nullopt;
  if (slash == text.npos) return Prefix{*address, static_cast<std::uint8_t>(address->bits())};

  const auto length = parse_length(text.substr(slash + 1), address->bits());
  if (!length || masked(*address, *length) != *address) return std::nullopt;
  return Prefix{*address, *length};
}

std::string to_text(const Address& address) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  const int family = address.family == Family::ipv4 ? AF_INET : AF_INET6;
  inet_ntop(family, address.bytes.data(), text.data(), text.size());
  return text.data();
}

std::string to_text(const Prefix& prefix) {
  return to_text(prefix.address) + "/" + std::to_string(prefix.length);
}

std::optional<Address> embedded_ipv4(const Address& address) noexcept {
  if (address.family != Family::ipv6) return std::nullopt;
  const auto embedded = find_embedded_ipv4(word_at(address, 0), word_at(address, 8));
  if (!embedded) return std::nullopt;
  return Address::ipv4(embedded->value);
}

}  // namespace demarc::geo
