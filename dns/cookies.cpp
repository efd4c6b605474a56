#include "dns/cookies.h"

#include <algorithm>
#include <cassert>
#include <charconv>

#include <sodium/crypto_shorthash_siphash24.h>

#include "dns/wire.h"

namespace demarc::dns {

namespace {

// Version, three reserved bytes, the time; then comes the hash (RFC 9018 §4).
constexpr std::uint8_t version = 1;
constexpr std::size_t time_at = 4;
constexpr std::size_t hash_at = 8;
constexpr std::size_t hash_size = crypto_shorthash_siphash24_BYTES;
static_assert(hash_at + hash_size == server_cookie_size);
static_assert(crypto_shorthash_siphash24_KEYBYTES == std::tuple_size_v<CookieSecret>);

using Hash = std::array<std::uint8_t, hash_size>;

/// Over the client cookie, the server cookie up to its hash, and the client's address.
Hash hash_of(std::span<const std::uint8_t> cookie, const geo::Address& client,
             const CookieSecret& secret) noexcept {
  std::array<std::uint8_t, client_cookie_size + hash_at + 16> input{};
  const std::size_t head = client_cookie_size + hash_at;
  const std::size_t address_size = client.bits() / 8;
  std::copy_n(cookie.begin(), head, input.begin());
  std::copy_n(client.bytes.begin(), address_size, input.begin() + head);
  Hash hash{};
  crypto_shorthash_siphash24(hash.data(), input.data(), head + address_size, secret.data());
  return hash;
}

/// Takes the same time whatever differs.
bool is_equal(const Hash& ours, std::span<const std::uint8_t> theirs) noexcept {
  unsigned difference = 0;
  for (std::size_t at = 0; at < hash_size; ++at) difference |= unsigned(ours[at] ^ theirs[at]);
  return difference == 0;
}

/// Serial number arithmetic (RFC 1982): the 32 bits of the time wrap in 2106.
bool is_recent(std::uint32_t made, std::int64_t now_seconds) noexcept {
  const auto age = static_cast<std::int32_t>(static_cast<std::uint32_t>(now_seconds) - made);
  return age <= cookie_age_max && age >= -cookie_ahead_max;
}

}  // namespace

CookieState check_cookie(std::span<const std::uint8_t> option, const geo::Address& client,
                         std::int64_t now_seconds, const CookieSecrets& secrets) noexcept {
  if (option.empty() || secrets.empty()) return CookieState::none;
  if (option.size() != cookie_size) return CookieState::unknown;
  const auto server = option.subspan(client_cookie_size);
  if (server[0] != version || !is_recent(get32(server.data() + time_at), now_seconds)) {
    return CookieState::unknown;
  }
  const bool is_ours = std::ranges::any_of(secrets, [&](const CookieSecret& secret) {
    return is_equal(hash_of(option, client, secret), server.subspan(hash_at));
  });
  return is_ours ? CookieState::good : CookieState::unknown;
}

std::array<std::uint8_t, cookie_size> make_cookie(std::span<const std::uint8_t> option,
                                                  const geo::Address& client,
                                                  std::int64_t now_seconds,
                                                  const CookieSecrets& secrets) noexcept {
  assert(option.size() >= client_cookie_size && !secrets.empty());
  std::array<std::uint8_t, cookie_size> cookie{};
  std::copy_n(option.begin(), client_cookie_size, cookie.begin());
  std::uint8_t* const server = cookie.data() + client_cookie_size;
  server[0] = version;
  put32(server + time_at, static_cast<std::uint32_t>(now_seconds));
  const Hash hash = hash_of(cookie, client, secrets.front());
  std::ranges::copy(hash, server + hash_at);
  return cookie;
}

Result<CookieSecret, std::string_view> parse_cookie_secret(std::string_view text) {
  constexpr std::string_view expected = "expected 32 hexadecimal digits";
  constexpr std::string_view white = " \t\r\n";
  const auto first = text.find_first_not_of(white);
  if (first == std::string_view::npos) return std::unexpected(expected);
  text = text.substr(first, text.find_last_not_of(white) - first + 1);
  CookieSecret secret{};
  if (text.size() != 2 * secret.size()) return std::unexpected(expected);
  for (std::size_t at = 0; at < secret.size(); ++at) {
    const char* const digits = text.data() + 2 * at;
    const auto [end, error] = std::from_chars(digits, digits + 2, secret[at], 16);
    if (error != std::errc{} || end != digits + 2) return std::unexpected(expected);
  }
  return secret;
}

}  // namespace demarc::dns
