// SHA-256 of text, for names of things that must be the same everywhere: policies, changes,
// entries.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

struct evp_md_ctx_st;

namespace demarc::zones {

using Sha256 = std::array<std::uint8_t, 32>;

[[nodiscard]] Sha256 sha256(std::string_view bytes);
[[nodiscard]] std::string to_hex(std::span<const std::uint8_t> bytes);
/// SHA-256 in lower-case hexadecimal: 64 characters.
[[nodiscard]] std::string sha256_hex(std::string_view bytes);

/// SHA-256 of a text in pieces, and of many texts one after the other without looking the algorithm
/// up each time, which takes longer than hashing thirty bytes.
class Sha256Stream {
 public:
  Sha256Stream();
  void add(std::string_view bytes);
  /// Of what was added since the last finish().
  [[nodiscard]] Sha256 finish();

 private:
  struct Free {
    void operator()(evp_md_ctx_st* context) const noexcept;
  };
  std::unique_ptr<evp_md_ctx_st, Free> context_;
};

/// HMAC-SHA256 (RFC 2104) of many texts with one key.
class HmacSha256 {
 public:
  explicit HmacSha256(std::string_view key);
  [[nodiscard]] Sha256 of(std::string_view text);

 private:
  std::array<char, 64> inner_{};  // the key's two blocks
  std::array<char, 64> outer_{};
  Sha256Stream stream_;
};

}  // namespace demarc::zones
