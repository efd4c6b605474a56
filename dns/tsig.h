// Transaction signatures with HMAC-SHA256 (RFC 8945): the TSIG record that ends a message, whether
// it holds, and the one that ends ours.
// dns/query.h finds it, dns/responder.h checks queries, dns/transfer_stream.h signs transfers.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "dns/wire.h"
#include "zones/name.h"

namespace demarc::dns {

/// A key that both sides know. The algorithm is hmac-sha256, always.
struct TsigKey {
  zones::Name name;
  std::vector<std::uint8_t> secret;
};
using TsigKeys = std::vector<TsigKey>;

inline constexpr std::size_t tsig_mac_size = 32;
/// How far the clocks of both sides may be apart, in seconds (RFC 8945 §10).
inline constexpr std::uint16_t tsig_fudge = 300;
/// What any TSIG record of ours needs at most: two names of 255 bytes, the rest fixed.
inline constexpr std::size_t tsig_size_max = 2 * name_size_max + 10 + 16 + tsig_mac_size + 6;

using TsigMac = std::array<std::uint8_t, tsig_mac_size>;

/// What a TSIG record says of the message before it (RFC 8945 §3).
enum class TsigError : std::uint16_t {
  none = 0,
  badsig = 16,
  badkey = 17,
  badtime = 18,
  badtrunc = 22,
};

/// A name as it is signed: lower case, not compressed.
struct TsigName {
  std::array<std::uint8_t, name_size_max> bytes;
  std::size_t size = 0;
  [[nodiscard]] std::span<const std::uint8_t> view() const noexcept { return {bytes.data(), size}; }
};

/// The record, as it was read. The spans point into the message.
struct Tsig {
  std::size_t at = 0;  // where the record begins: what is before it is signed
  TsigName key;
  TsigName algorithm;
  std::uint64_t time_signed = 0;  // seconds since 1970, 48 bits
  std::uint16_t fudge = 0;        // seconds
  std::span<const std::uint8_t> mac;
  std::uint16_t original_id = 0;
  std::uint16_t error = 0;
  std::span<const std::uint8_t> other;
};

/// Reads the TSIG record that begins at `at` and ends the message. Nothing: it is malformed, has
/// the wrong class or TTL, or is not the last one, which the caller answers with FORMERR (§5.2).
/// Any bytes are fine; allocates nothing.
[[nodiscard]] std::optional<Tsig> read_tsig(std::span<const std::uint8_t> message,
                                            std::size_t at) noexcept;

/// A request's signature and what was found: all that its answer's signature needs. Borrows the
/// key.
struct TsigRequest {
  TsigError error = TsigError::badkey;
  const TsigKey* key = nullptr;  // null: nobody of that name, or another algorithm
  Tsig record;                   // its spans point into the request
};

/// Checks the signature of a request: key, MAC, time, truncation, in this order (§5.2). The MACs
/// are compared in constant time. `now` in seconds since 1970.
[[nodiscard]] TsigRequest check_tsig(std::span<const std::uint8_t> message, const Tsig& record,
                                     const TsigKeys& keys, std::uint64_t now);

/// Whether `record` signs the answer to a request that had `request_mac`.
[[nodiscard]] bool holds_for_answer(std::span<const std::uint8_t> message, const Tsig& record,
                                    const TsigKey& key, const TsigMac& request_mac,
                                    std::uint64_t now);

/// What the TSIG record of the answer needs at most, in bytes.
[[nodiscard]] std::size_t tsig_room(const Tsig& record) noexcept;

/// Appends a TSIG record to the answer in `out`, of `size` bytes, which has tsig_room() behind it;
/// returns the new size. With BADKEY and BADSIG the record is not signed (§5.3.2).
[[nodiscard]] std::size_t append_tsig(const TsigRequest& request, std::span<std::uint8_t> out,
                                      std::size_t size, std::uint64_t now);

/// Signs a request of ours, with tsig_size_max bytes of room; `mac` becomes what its answer is
/// checked with.
[[nodiscard]] std::size_t sign_request(const TsigKey& key, std::span<std::uint8_t> out,
                                       std::size_t size, std::uint64_t now, TsigMac& mac);

/// The signatures of an answer of many messages: each signs the one before it (§5.3.1). Borrows the
/// key.
class TsigChain {
 public:
  TsigChain() = default;  // signs nothing
  /// Precondition: request.error is none.
  explicit TsigChain(const TsigRequest& request);

  [[nodiscard]] bool signs() const noexcept { return key_ != nullptr; }
  /// As append_tsig(), of the next message.
  [[nodiscard]] std::size_t append(std::span<std::uint8_t> out, std::size_t size,
                                   std::uint64_t now);

 private:
  const TsigKey* key_ = nullptr;
  bool is_first_ = true;
  TsigMac last_{};
};

}  // namespace demarc::dns
