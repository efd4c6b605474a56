// Whether a PEM text is a public key that policy.yaml may name.
// zones/yaml/policy_model.h asks; zones/jws.h checks signatures with the key.
#pragma once

#include <string>

#include "geo/base/result.h"
#include "zones/model.h"
#include "zones/yaml/fields.h"

namespace demarc::zones::yaml {

inline constexpr std::size_t key_file_bytes_max = 16'384;

enum class KeyFault : std::uint8_t { is_private, no_public_key, wrong_algorithm };

/// The SHA-256 in hex of the key itself (SubjectPublicKeyInfo, DER), by which two files with one
/// key are known as such; or what is wrong with the text as the public key of the algorithm:
/// Ed25519 for EdDSA (RFC 8037), P-256 for ES256 (RFC 7518 §3.4).
[[nodiscard]] Result<std::string, KeyFault> parse_public_key(const std::string& pem,
                                                             KeyAlgorithm algorithm);

/// The finding for it (private-key, bad-public-key, key-algorithm), at the file's name.
void report_key_fault(const Reading& reading, const TextAt& file, KeyAlgorithm algorithm,
                      KeyFault fault);

}  // namespace demarc::zones::yaml
