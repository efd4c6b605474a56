// NOTIFY (RFC 1996): which secondary is to be told of which serial, when, how often; the messages,
// and which answers count. Pure: tools/zone_transfers.h has the sockets and the clock.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "dns/transfer_table.h"
#include "dns/tsig.h"
#include "geo/base/moment.h"

namespace demarc::dns {

/// Tries for one serial; after each the wait doubles from the first to the longest: four minutes in
/// all. A secondary that misses them still asks by itself (RFC 1035's REFRESH).
inline constexpr unsigned notify_tries_max = 8;
inline constexpr Milliseconds notify_wait_first{2'000};
inline constexpr Milliseconds notify_wait_longest{60'000};
/// A secondary hears of one zone at most this often, however fast it changes.
inline constexpr Milliseconds notify_spacing{1'000};
/// Messages in one go; the rest follows in the next.
inline constexpr std::size_t notify_burst_max = 256;

/// A message for a secondary.
struct NotifyMessage {
  geo::Address address;
  std::uint16_t port = 0;
  std::vector<std::uint8_t> bytes;
};

/// What became of telling a secondary.
struct NotifyOutcome {
  zones::Name apex;
  NotifyTarget target;
  std::uint32_t serial = 0;
  enum class Kind : std::uint8_t { taken, refused, unanswered } kind = Kind::taken;
  unsigned rcode = 0;  // of `refused`
};

/// Control thread.
class NotifyQueue {
 public:
  /// `next_id` gives the messages' ids, which nobody should guess.
  explicit NotifyQueue(std::function<std::uint16_t()> next_id) : next_id_(std::move(next_id)) {}

  /// The secondaries of a load. What was under way for those that stay goes on.
  void configure(const TransferTable& table);

  /// The zone has that serial now: each of its secondaries is to be told.
  void change(const zones::Name& apex, std::uint32_t serial, MonotonicTime now);

  struct Due {
    std::vector<NotifyMessage> messages;
    std::vector<NotifyOutcome> given_up;
  };
  /// What is to be sent now.
  [[nodiscard]] Due take_due(Moment now);

  /// A datagram that came from `address` and `port`: nothing if it is no answer to what is under
  /// way (another source, id, opcode or question, or a signature that does not hold).
  [[nodiscard]] std::optional<NotifyOutcome> take_answer(const geo::Address& address,
                                                         std::uint16_t port,
                                                         std::span<const std::uint8_t> bytes,
                                                         WallTime now);

  /// How many secondaries have not answered yet.
  [[nodiscard]] std::size_t waiting() const noexcept;

 private:
  struct Entry {
    zones::Name apex;
    NotifyTarget target;
    std::optional<TsigKey> key;
    bool is_pending = false;
    std::uint32_t serial = 0;
    unsigned tries = 0;
    MonotonicTime due{};
    std::optional<MonotonicTime> sent_at;
    std::uint16_t id = 0;
    TsigMac mac{};
  };

  [[nodiscard]] NotifyMessage write(Entry& entry, WallTime now);
  [[nodiscard]] static bool answers(const Entry& entry, std::span<const std::uint8_t> bytes,
                                    WallTime now);

  std::function<std::uint16_t()> next_id_;
  std::vector<Entry> entries_;
};

}  // namespace demarc::dns
