// Who may have which zone, and what of it is static: the part of zone transfers (RFC 5936) that
// changes with the files alone. The rest is dns/transfer_records.h.
// dns/transfer_reply.h asks it per query, dns/transfer_stream.h sends what it lists.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "dns/tsig.h"
#include "geo/base/address.h"
#include "geo/base/result.h"
#include "zones/model.h"

namespace demarc::dns {

/// A secondary that is told of changes (RFC 1996).
struct NotifyTarget {
  geo::Address address;
  std::uint16_t port = 53;
  std::optional<std::uint32_t> key;  // index into TransferTable::keys(): signs the message
  auto operator<=>(const NotifyTarget&) const = default;
};

/// A zone that may be transferred. It knows its static RRsets and the names of what is steered, and
/// no record of a service: those come from cleared weights only.
struct TransferZone {
  zones::Name apex;
  std::string digest;                     // of the files it was made of
  std::uint32_t serial = 0;               // as the files have it, or as it was assigned at load
  const zones::RRsets* rrsets = nullptr;  // the SOA of the apex too
  zones::RRset soa;
  std::vector<zones::ServiceId> services;
  std::vector<geo::Prefix> networks;  // whose requests are allowed
  std::vector<std::uint32_t> keys;    // index into TransferTable::keys(): allowed when signed so
  std::vector<NotifyTarget> notify;

  /// Whether a request from `client`, signed by `key` of `keys` (null: by nobody), is allowed.
  [[nodiscard]] bool allows(const geo::Address& client, const TsigKey* key,
                            const TsigKeys& known) const noexcept;
};

/// Immutable; any thread may read it. Keeps the repository it was made from alive.
class TransferTable {
 public:
  /// `repository` has its serials. The errors are lines `file:line:column: [rule] text`: a zone
  /// names a key that is not in `keys`. Control side.
  [[nodiscard]] static Result<TransferTable, std::vector<std::string>> build(
      std::shared_ptr<const zones::Repository> repository, TsigKeys keys);

  /// The zone of that index in the repository; null: nobody may have it.
  [[nodiscard]] const TransferZone* find(std::uint32_t zone) const noexcept {
    return zone < zones_.size() && zones_[zone] ? &*zones_[zone] : nullptr;
  }
  /// By apex.
  [[nodiscard]] std::optional<std::uint32_t> find_apex(const zones::Name& apex) const noexcept;
  [[nodiscard]] std::uint32_t zone_count() const noexcept {
    return static_cast<std::uint32_t>(zones_.size());
  }
  /// Whether it has a key, or a zone that may be transferred.
  [[nodiscard]] bool is_needed() const noexcept;
  [[nodiscard]] const TsigKeys& keys() const noexcept { return keys_; }

 private:
  TransferTable() = default;

  std::shared_ptr<const zones::Repository> repository_;
  TsigKeys keys_;
  std::vector<std::optional<TransferZone>> zones_;
};

}  // namespace demarc::dns
