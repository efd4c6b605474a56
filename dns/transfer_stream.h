// One zone transfer, message by message (RFC 5936): the SOA, everything, the SOA again, each
// message made when the client takes it. dns/transfer_reply.h grants it, dns/tcp_transfers.cpp
// sends it.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "dns/query.h"
#include "dns/transfer_table.h"
#include "dns/tsig.h"
#include "dns/wire.h"

namespace demarc::dns {

struct Snapshot;

/// What was asked and granted. Borrows its key from the snapshot it was granted by.
struct TransferRequest {
  std::uint32_t zone = 0;
  std::uint16_t id = 0;
  std::uint8_t flags = 0;  // the header's third byte: RD
  bool has_edns = false;
  bool dnssec_ok = false;
  std::array<std::uint8_t, name_size_max + 4> question;
  std::size_t question_size = 0;
  TsigChain chain;
};

/// Messages have this size at most, but for a record that needs more: pointers reach that far.
inline constexpr std::size_t transfer_message_size = 16'384;

class TransferStream {
 public:
  /// Begins; `snapshot` is the one the request was granted by, and outlives the transfer.
  void begin(const Snapshot& snapshot, const TransferRequest& request) noexcept;

  /// Writes the next message; returns its size, 0 after the last one or if a record fits no
  /// message: then is_whole() is false, and the connection is to be cut. `out` has message_size_max
  /// bytes; `now` in seconds since 1970. Signing allocates.
  [[nodiscard]] std::size_t write_message(std::span<std::uint8_t> out, std::uint64_t now);

  [[nodiscard]] bool is_whole() const noexcept { return phase_ == Phase::done; }

 private:
  enum class Phase : std::uint8_t { first_soa, rrsets, services, last_soa, done };
  /// A record to be sent, borrowed from the zone.
  struct Record {
    std::span<const std::uint8_t> labels;  // of the owner, without those of the apex
    std::span<const std::uint8_t> rdata;
    std::uint32_t ttl = 0;
    std::uint16_t type = 0;
    bool is_soa = false;
  };

  [[nodiscard]] const Record* current() noexcept;
  void next() noexcept;
  void find_rrset() noexcept;
  void find_service_record() noexcept;
  void take(const zones::RRset& rrset, std::size_t position) noexcept;
  [[nodiscard]] std::size_t begin_message(std::span<std::uint8_t> out) const noexcept;
  [[nodiscard]] std::size_t write_record(std::span<std::uint8_t> out, std::size_t at,
                                         std::size_t limit) const noexcept;
  [[nodiscard]] std::size_t end_message(std::span<std::uint8_t> out, std::size_t size,
                                        std::size_t count, std::uint64_t now);

  const Snapshot* snapshot_ = nullptr;
  const TransferZone* zone_ = nullptr;
  TransferRequest request_;
  Phase phase_ = Phase::done;
  zones::RRset rrset_;         // whose records are sent
  std::size_t record_at_ = 0;  // position of the next one
  std::size_t service_at_ = 0;
  std::size_t byte_at_ = 0;  // into the records of a service
  Record record_;
};

}  // namespace demarc::dns
