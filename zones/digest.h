// SHA-256 of text, for names of things that must be the same everywhere: policies, changes,
// entries.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace demarc::zones {

using Sha256 = std::array<std::uint8_t, 32>;

[[nodiscard]] Sha256 sha256(std::string_view bytes);
[[nodiscard]] std::string to_hex(std::span<const std::uint8_t> bytes);
/// RFC 2104 with SHA-256: what a holder of `key` says of `bytes`.
[[nodiscard]] Sha256 hmac_sha256(std::string_view key, std::string_view bytes);
/// SHA-256 in lower-case hexadecimal: 64 characters.
[[nodiscard]] std::string sha256_hex(std::string_view bytes);

}  // namespace demarc::zones
