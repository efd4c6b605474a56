// DNS Cookies (RFC 7873) as all servers of a zone can make and check them (RFC 9018): proof that a
// client receives what is sent to its address.
// dns/query.h reads the option, dns/responder.h asks here, dns/reply.h sends the answer's cookie.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "geo/base/address.h"
#include "geo/base/result.h"

namespace demarc::dns {

inline constexpr std::size_t client_cookie_size = 8;
inline constexpr std::size_t server_cookie_size = 16;  // ours; RFC 7873 §4 allows 8 to 32
inline constexpr std::size_t cookie_size = client_cookie_size + server_cookie_size;

/// 128 bits, the same on all servers of an anycast address.
using CookieSecret = std::array<std::uint8_t, 16>;

/// The first one signs; all of them are believed, so that a new secret can be spread before it is
/// used and an old one can fade away (RFC 9018 §5). Empty: cookies are off.
using CookieSecrets = std::vector<CookieSecret>;

/// Life of a server cookie in seconds (RFC 9018 §4.3).
inline constexpr std::int64_t cookie_age_max = 3600;
inline constexpr std::int64_t cookie_ahead_max = 300;  // other servers' clocks

enum class CookieState : std::uint8_t {
  none,     // the client sent none, or cookies are off
  unknown,  // no server cookie, or one that is not ours, or too old
  good,
};

/// What a query's option says. `option` is its data: 8 bytes, or 16 to 40 (the reader checked).
/// Any thread; allocates nothing.
[[nodiscard]] CookieState check_cookie(std::span<const std::uint8_t> option,
                                       const geo::Address& client, std::int64_t now_seconds,
                                       const CookieSecrets& secrets) noexcept;

/// The whole option data of an answer. Precondition: `option` has a client cookie, `secrets` is not
/// empty.
[[nodiscard]] std::array<std::uint8_t, cookie_size> make_cookie(
    std::span<const std::uint8_t> option, const geo::Address& client, std::int64_t now_seconds,
    const CookieSecrets& secrets) noexcept;

/// 32 hexadecimal digits, white space around them allowed; the error says what was expected.
[[nodiscard]] Result<CookieSecret, std::string_view> parse_cookie_secret(std::string_view text);

}  // namespace demarc::dns
