#include "zones/jws.h"

#include <array>
#include <memory>

#include <openssl/bio.h>
#include <openssl/ec.h>
#include <openssl/ecdsa.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include "zones/digest.h"

namespace demarc::zones {
namespace {

template <auto function>
struct Free {
  template <typename T>
  void operator()(T* value) const {
    function(value);
  }
};
using Key = std::unique_ptr<EVP_PKEY, Free<EVP_PKEY_free>>;
using KeyContext = std::unique_ptr<EVP_PKEY_CTX, Free<EVP_PKEY_CTX_free>>;
using DigestContext = std::unique_ptr<EVP_MD_CTX, Free<EVP_MD_CTX_free>>;
using Signature = std::unique_ptr<ECDSA_SIG, Free<ECDSA_SIG_free>>;
struct FreeBio {
  void operator()(BIO* bio) const { BIO_free_all(bio); }
};
using Bio = std::unique_ptr<BIO, FreeBio>;

constexpr std::string_view alphabet =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
constexpr std::size_t p256_part_bytes = 32;

const unsigned char* bytes_of(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

Bio bio_of(const std::string& text) {
  return Bio(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
}

std::string text_of(BIO* bio) {
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio, &data);
  return size > 0 ? std::string(data, static_cast<std::size_t>(size)) : std::string{};
}

bool fits(const EVP_PKEY* key, KeyAlgorithm algorithm) {
  if (algorithm == KeyAlgorithm::EdDSA) return EVP_PKEY_get_base_id(key) == EVP_PKEY_ED25519;
  if (EVP_PKEY_get_base_id(key) != EVP_PKEY_EC) return false;
  std::array<char, 64> group{};
  std::size_t length = 0;
  return EVP_PKEY_get_group_name(key, group.data(), group.size(), &length) == 1 &&
         std::string_view(group.data(), length) == "prime256v1";
}

const EVP_MD* digest_of(KeyAlgorithm algorithm) {
  return algorithm == KeyAlgorithm::EdDSA ? nullptr : EVP_sha256();
}

/// r and s side by side (RFC 7518 §3.4) to the DER that OpenSSL checks; empty if the length is
/// wrong.
std::string der_of_raw(std::string_view raw) {
  if (raw.size() != 2 * p256_part_bytes) return {};
  Signature signature(ECDSA_SIG_new());
  BIGNUM* r = BN_bin2bn(bytes_of(raw), p256_part_bytes, nullptr);
  BIGNUM* s = BN_bin2bn(bytes_of(raw) + p256_part_bytes, p256_part_bytes, nullptr);
  if (r == nullptr || s == nullptr || ECDSA_SIG_set0(signature.get(), r, s) != 1) {
    BN_free(r);
    BN_free(s);
    return {};
  }
  unsigned char* der = nullptr;
  const int size = i2d_ECDSA_SIG(signature.get(), &der);
  if (size <= 0) return {};
  std::string text(reinterpret_cast<char*>(der), static_cast<std::size_t>(size));
  OPENSSL_free(der);
  return text;
}

std::string raw_of_der(std::string_view der) {
  const unsigned char* cursor = bytes_of(der);
  const Signature signature(d2i_ECDSA_SIG(nullptr, &cursor, static_cast<long>(der.size())));
  if (!signature) return {};
  std::string raw(2 * p256_part_bytes, '\0');
  auto* out = reinterpret_cast<unsigned char*>(raw.data());
  BN_bn2binpad(ECDSA_SIG_get0_r(signature.get()), out, p256_part_bytes);
  BN_bn2binpad(ECDSA_SIG_get0_s(signature.get()), out + p256_part_bytes, p256_part_bytes);
  return raw;
}

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view space = " \t\r\n";
  const auto first = text.find_first_not_of(space);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(space) - first + 1);
}

}  // namespace

std::string base64url(std::string_view bytes) {
  std::string text;
  text.reserve((bytes.size() * 4 + 2) / 3);
  std::uint32_t window = 0;
  unsigned bits = 0;
  for (const char c : bytes) {
    window = (window << 8) | static_cast<unsigned char>(c);
    for (bits += 8; bits >= 6; bits -= 6) text += alphabet[(window >> (bits - 6)) & 63];
  }
  if (bits != 0) text += alphabet[(window << (6 - bits)) & 63];
  return text;
}

std::optional<std::string> decode_base64url(std::string_view text) {
  std::string bytes;
  bytes.reserve(text.size() * 3 / 4);
  std::uint32_t window = 0;
  unsigned bits = 0;
  for (const char c : text) {
    const auto value = alphabet.find(c);
    if (value == std::string_view::npos) return std::nullopt;
    window = (window << 6) | static_cast<std::uint32_t>(value);
    bits += 6;
    if (bits >= 8) {
      bits -= 8;
      bytes += static_cast<char>((window >> bits) & 0xff);
    }
  }
  // A lone last character, or bits that no byte uses, would be a second spelling of the same bytes.
  if (text.size() % 4 == 1 || (window & ((1U << bits) - 1)) != 0) return std::nullopt;
  return bytes;
}

Result<Jws, std::string> parse_jws(std::string_view text, std::size_t bytes_max) {
  if (text.size() > bytes_max) {
    return std::unexpected("it is longer than " + std::to_string(bytes_max) + " bytes");
  }
  text = trimmed(text);
  const auto first = text.find('.');
  const auto second = first == std::string_view::npos ? first : text.find('.', first + 1);
  if (second == std::string_view::npos || text.find('.', second + 1) != std::string_view::npos) {
    return std::unexpected(std::string("it is no compact JWS: expected three parts with two dots"));
  }
  const auto header = decode_base64url(text.substr(0, first));
  const auto payload = decode_base64url(text.substr(first + 1, second - first - 1));
  const auto signature = decode_base64url(text.substr(second + 1));
  if (!header) return std::unexpected(std::string("its header is no canonical base64url"));
  if (!payload) return std::unexpected(std::string("its payload is no canonical base64url"));
  if (!signature) return std::unexpected(std::string("its signature is no canonical base64url"));
  return Jws{*header, *payload, std::string(text.substr(0, second)), *signature};
}

bool is_signed_by(const Jws& jws, KeyAlgorithm algorithm, const std::string& public_key_pem) {
  const Bio bio = bio_of(public_key_pem);
  const Key key(PEM_read_bio_PUBKEY(bio.get(), nullptr, nullptr, nullptr));
  bool valid = false;
  if (key && fits(key.get(), algorithm)) {
    const std::string signature =
        algorithm == KeyAlgorithm::EdDSA ? jws.signature : der_of_raw(jws.signature);
    const DigestContext context(EVP_MD_CTX_new());
    valid = !signature.empty() &&
            EVP_DigestVerifyInit(context.get(), nullptr, digest_of(algorithm), nullptr,
                                 key.get()) == 1 &&
            EVP_DigestVerify(context.get(), bytes_of(signature), signature.size(),
                             bytes_of(jws.signing_input), jws.signing_input.size()) == 1;
  }
  ERR_clear_error();
  return valid;
}

std::string public_key_digest(const std::string& public_key_pem) {
  const Bio bio = bio_of(public_key_pem);
  const Key key(PEM_read_bio_PUBKEY(bio.get(), nullptr, nullptr, nullptr));
  unsigned char* der = nullptr;
  const int size = key ? i2d_PUBKEY(key.get(), &der) : 0;
  ERR_clear_error();
  if (size <= 0) return sha256_hex(public_key_pem);
  std::string hex =
      sha256_hex({reinterpret_cast<const char*>(der), static_cast<std::size_t>(size)});
  OPENSSL_free(der);
  return hex;
}

Result<std::string, std::string> sign_jws(std::string_view header, std::string_view payload,
                                          KeyAlgorithm algorithm,
                                          const std::string& private_key_pem) {
  const std::string input = base64url(header) + '.' + base64url(payload);
  const Bio bio = bio_of(private_key_pem);
  const Key key(PEM_read_bio_PrivateKey(bio.get(), nullptr, nullptr, nullptr));
  if (!key || !fits(key.get(), algorithm)) {
    ERR_clear_error();
    return std::unexpected(algorithm == KeyAlgorithm::EdDSA
                               ? std::string("expected a PEM private key of type Ed25519")
                               : std::string("expected a PEM private key on curve P-256"));
  }
  const DigestContext context(EVP_MD_CTX_new());
  std::string signature(256, '\0');
  std::size_t size = signature.size();
  if (EVP_DigestSignInit(context.get(), nullptr, digest_of(algorithm), nullptr, key.get()) != 1 ||
      EVP_DigestSign(context.get(), reinterpret_cast<unsigned char*>(signature.data()), &size,
                     bytes_of(input), input.size()) != 1) {
    ERR_clear_error();
    return std::unexpected(std::string("the key could not sign"));
  }
  signature.resize(size);
  if (algorithm == KeyAlgorithm::ES256) signature = raw_of_der(signature);
  return input + '.' + base64url(signature);
}

Result<KeyPair, std::string> make_key_pair(KeyAlgorithm algorithm) {
  const Key key(algorithm == KeyAlgorithm::EdDSA ? EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519")
                                                 : EVP_EC_gen("P-256"));
  const Bio secret(BIO_new(BIO_s_mem()));
  const Bio open(BIO_new(BIO_s_mem()));
  if (!key ||
      PEM_write_bio_PKCS8PrivateKey(secret.get(), key.get(), nullptr, nullptr, 0, nullptr,
                                    nullptr) != 1 ||
      PEM_write_bio_PUBKEY(open.get(), key.get()) != 1) {
    ERR_clear_error();
    return std::unexpected(std::string("no key could be made"));
  }
  return KeyPair{text_of(secret.get()), text_of(open.get())};
}

}  // namespace demarc::zones
