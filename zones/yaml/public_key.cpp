#include "zones/yaml/public_key.h"

#include <array>
#include <memory>
#include <string_view>

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include "zones/digest.h"

namespace demarc::zones::yaml {
namespace {

struct FreeBio {
  void operator()(BIO* bio) const noexcept { BIO_free(bio); }
};
struct FreeKey {
  void operator()(EVP_PKEY* key) const noexcept { EVP_PKEY_free(key); }
};

bool is_of(EVP_PKEY* key, KeyAlgorithm algorithm) {
  if (algorithm == KeyAlgorithm::EdDSA) return EVP_PKEY_is_a(key, "ED25519") == 1;
  if (EVP_PKEY_is_a(key, "EC") != 1) return false;
  std::array<char, 64> group{};
  std::size_t size = 0;
  if (EVP_PKEY_get_group_name(key, group.data(), group.size(), &size) != 1) return false;
  return std::string_view(group.data(), size) == "prime256v1";
}

std::string fingerprint(EVP_PKEY* key) {
  unsigned char* der = nullptr;
  const int size = i2d_PUBKEY(key, &der);
  if (size <= 0) return {};
  std::string hex =
      sha256_hex({reinterpret_cast<const char*>(der), static_cast<std::size_t>(size)});
  OPENSSL_free(der);
  return hex;
}

}  // namespace

Result<std::string, KeyFault> parse_public_key(const std::string& pem, KeyAlgorithm algorithm) {
  if (pem.find("PRIVATE KEY") != std::string::npos) return std::unexpected(KeyFault::is_private);
  const std::unique_ptr<BIO, FreeBio> bio(
      BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  const std::unique_ptr<EVP_PKEY, FreeKey> key(
      PEM_read_bio_PUBKEY(bio.get(), nullptr, nullptr, nullptr));
  ERR_clear_error();
  if (!key) return std::unexpected(KeyFault::no_public_key);
  if (!is_of(key.get(), algorithm)) return std::unexpected(KeyFault::wrong_algorithm);
  return fingerprint(key.get());
}

void report_key_fault(const Reading& reading, const TextAt& file, KeyAlgorithm algorithm,
                      KeyFault fault) {
  const std::string& path = file.value;
  const Position at = file.at;
  switch (fault) {
    case KeyFault::is_private:
      reading.error(at, "private-key",
                    "{} holds a private key; expected the public one (openssl pkey -pubout), "
                    "private keys never come to the server",
                    path);
      return;
    case KeyFault::no_public_key:
      reading.error(at, "bad-public-key", "{} holds no public key; expected PEM with PUBLIC KEY",
                    path);
      return;
    case KeyFault::wrong_algorithm:
      reading.error(at, "key-algorithm", "{} holds a key of another kind; expected {}", path,
                    algorithm == KeyAlgorithm::EdDSA ? "Ed25519, as `alg: EdDSA` says"
                                                     : "P-256, as `alg: ES256` says");
      return;
  }
}

}  // namespace demarc::zones::yaml
