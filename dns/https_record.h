// HTTPS records of services (RFC 9460): what all those of a service begin with, the hints of one
// answer, and from a record back to its hints. dns/service_compiler.h renders what can be known
// before a query, dns/steered_answers.h what several records drawn together say.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "geo/base/address.h"
#include "zones/model.h"

namespace demarc::dns {

/// The RDATA up to the hints: a ServiceMode record of priority 1 whose target is the owner itself
/// (`.`), the alpn ids, and a port other than 443. That one is left out, as clients expect it at a
/// name without a port label anyway (§9.1), and some ignore records that spell it out.
[[nodiscard]] std::vector<std::uint8_t> https_front(const zones::HttpsBinding& binding);

/// More than the hints of as many addresses as a message has room for: no file asks for more
/// (`answers-too-large`).
inline constexpr std::size_t https_rdata_size_max = 60'000;

/// The whole RDATA, with hints of all `addresses` up to https_rdata_size_max bytes.
[[nodiscard]] std::vector<std::uint8_t> https_rdata(const zones::HttpsBinding& binding,
                                                    std::span<const geo::Address> addresses);

/// Writes hints behind what a record begins with: those of IPv4, then those of IPv6, as the keys
/// have to be in order (§2.2). A family without addresses gets no hint. An address for which there
/// is no room is left out: hints need not be complete (§7.3). Allocates nothing.
class HintWriter {
 public:
  /// `front` fits into `out`.
  HintWriter(std::span<const std::uint8_t> front, std::span<std::uint8_t> out) noexcept;

  void begin(geo::Family family) noexcept;
  /// The bytes of an address of that family, 4 or 16.
  void add(const std::uint8_t* address) noexcept;
  /// The same, unless it is there already.
  void add_once(const std::uint8_t* address) noexcept;
  /// The bytes written, the front's included.
  [[nodiscard]] std::size_t finish() noexcept;

 private:
  void end() noexcept;
  [[nodiscard]] bool has_room_for(std::size_t size_bytes) const noexcept {
    return out_.size() - size_ >= size_bytes;
  }

  std::span<std::uint8_t> out_;
  std::size_t size_ = 0;
  std::size_t hints_at_ = 0;  // 0: no family has begun
  std::size_t address_size_ = 0;
};

/// The hints of one family in an RDATA of ours, address by address; empty if it has none.
[[nodiscard]] std::span<const std::uint8_t> hints_of(std::span<const std::uint8_t> rdata,
                                                     geo::Family family) noexcept;

}  // namespace demarc::dns
