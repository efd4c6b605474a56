// Compact JWS (RFC 7515) with EdDSA (RFC 8037) and ES256 (RFC 7518 §3.4), and nothing else: taken
// apart strictly, checked and made. zones/token.h says what the payload means.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "geo/base/result.h"
#include "zones/model.h"

namespace demarc::zones {

/// A longer token is refused unread: real ones have under a kilobyte.
inline constexpr std::size_t token_bytes_max = 8192;

struct Jws {
  std::string header;         // JSON text
  std::string payload;        // JSON text
  std::string signing_input;  // the bytes that are signed
  std::string signature;      // raw bytes
};

/// base64url without padding (RFC 7515 §2). Decoding is strict: one text for each value, so that
/// nothing can be changed in a token without breaking its signature.
[[nodiscard]] std::string base64url(std::string_view bytes);
[[nodiscard]] std::optional<std::string> decode_base64url(std::string_view text);

/// Three base64url parts and two dots, at most token_bytes_max; the error says which part is wrong.
/// White space around the token is allowed, nothing else. Checks no signature.
[[nodiscard]] Result<Jws, std::string> parse_jws(std::string_view text,
                                                 std::size_t bytes_max = token_bytes_max);

/// Whether the signature is the key's. False as well if the PEM is no public key of the algorithm.
[[nodiscard]] bool is_signed_by(const Jws& jws, KeyAlgorithm algorithm,
                                const std::string& public_key_pem);

/// SHA-256 in hex of the key itself (SubjectPublicKeyInfo, DER), so that one key is known under any
/// id and in any layout of its PEM; of the text, if it holds no public key.
[[nodiscard]] std::string public_key_digest(const std::string& public_key_pem);

/// Signs; the error says what is wrong with the key. For the CLI: private keys never come to a
/// server.
[[nodiscard]] Result<std::string, std::string> sign_jws(std::string_view header,
                                                        std::string_view payload,
                                                        KeyAlgorithm algorithm,
                                                        const std::string& private_key_pem);

struct KeyPair {
  std::string private_key_pem;  // PKCS#8
  std::string public_key_pem;   // SubjectPublicKeyInfo
};

[[nodiscard]] Result<KeyPair, std::string> make_key_pair(KeyAlgorithm algorithm);

}  // namespace demarc::zones
