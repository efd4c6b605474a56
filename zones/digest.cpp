#include "zones/digest.h"

#include <algorithm>
#include <new>

#include <openssl/evp.h>
#include <openssl/sha.h>

namespace demarc::zones {
namespace {

std::string_view as_text(const Sha256& digest) {
  return {reinterpret_cast<const char*>(digest.data()), digest.size()};
}

/// What only a machine without memory or without SHA-256 can make of OpenSSL.
void require(bool holds) {
  if (!holds) throw std::bad_alloc();
}

}  // namespace

Sha256 sha256(std::string_view bytes) {
  Sha256 digest{};
  SHA256(reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size(), digest.data());
  return digest;
}

std::string to_hex(std::span<const std::uint8_t> bytes) {
  static constexpr std::string_view digits = "0123456789abcdef";
  std::string text;
  text.reserve(bytes.size() * 2);
  for (const std::uint8_t byte : bytes) {
    text += digits[byte >> 4];
    text += digits[byte & 15];
  }
  return text;
}

std::string sha256_hex(std::string_view bytes) { return to_hex(sha256(bytes)); }

void Sha256Stream::Free::operator()(evp_md_ctx_st* context) const noexcept {
  EVP_MD_CTX_free(context);
}

Sha256Stream::Sha256Stream() : context_(EVP_MD_CTX_new()) {
  require(context_ && EVP_DigestInit_ex(context_.get(), EVP_sha256(), nullptr) == 1);
}

void Sha256Stream::add(std::string_view bytes) {
  require(EVP_DigestUpdate(context_.get(), bytes.data(), bytes.size()) == 1);
}

Sha256 Sha256Stream::finish() {
  Sha256 digest{};
  require(EVP_DigestFinal_ex(context_.get(), digest.data(), nullptr) == 1);
  require(EVP_DigestInit_ex(context_.get(), nullptr, nullptr) == 1);
  return digest;
}

HmacSha256::HmacSha256(std::string_view key) {
  constexpr char inner_pad = 0x36;
  constexpr char outer_pad = 0x5c;
  const Sha256 short_key = sha256(key);
  if (key.size() > inner_.size()) key = as_text(short_key);
  std::ranges::copy(key, inner_.begin());
  outer_ = inner_;
  for (char& byte : inner_) byte = static_cast<char>(byte ^ inner_pad);
  for (char& byte : outer_) byte = static_cast<char>(byte ^ outer_pad);
}

Sha256 HmacSha256::of(std::string_view text) {
  stream_.add({inner_.data(), inner_.size()});
  stream_.add(text);
  const Sha256 inner = stream_.finish();
  stream_.add({outer_.data(), outer_.size()});
  stream_.add(as_text(inner));
  return stream_.finish();
}

}  // namespace demarc::zones
