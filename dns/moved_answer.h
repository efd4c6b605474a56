// An answer that was rendered for one message, put into another: behind a chain of aliases its
// owner is no longer the QNAME, so every compression pointer leads elsewhere (RFC 1035 §4.1.4).
// dns/redirected_reply.cpp uses it; dns/answer_writer.h rendered the bytes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "dns/wire.h"

namespace demarc::dns {

/// Where a message has a name: its first `head_size` bytes in one place, the rest in another.
struct WrittenName {
  std::size_t size = 0;  // of the whole name, in bytes on the wire
  std::size_t head_at = header_size;
  std::size_t head_size = 0;
  std::size_t tail_at = 0;

  /// Where the last `suffix_size` bytes of the name begin. Precondition: they are whole labels.
  [[nodiscard]] std::uint16_t suffix_at(std::size_t suffix_size) const noexcept {
    const std::size_t skipped = size - suffix_size;
    return static_cast<std::uint16_t>(skipped < head_size ? head_at + skipped
                                                          : tail_at + (skipped - head_size));
  }
  [[nodiscard]] std::uint16_t at() const noexcept { return suffix_at(size); }
  /// How many of its last bytes stand in one place.
  [[nodiscard]] std::size_t joined_size() const noexcept {
    return head_size == size ? size : size - head_size;
  }
};

/// What a body was rendered for, and where it is now.
struct MovedAnswer {
  std::span<const std::uint8_t> rendered_owner;  // the QNAME then, in lower case
  bool is_wildcard = false;                      // `rendered_owner` is the wildcard that covers it
  WrittenName name;                              // the name that has the answer now
  std::size_t body_at = 0;                       // in the message

  /// Where this message has what the body's own message had at `position`.
  [[nodiscard]] std::uint16_t moved(std::size_t position) const noexcept;
};

/// Rewrites all pointers of `body`, which is a whole number of records as rendered. Precondition:
/// the message up to the body's end has at most pointed_size_max bytes.
void move_names(const MovedAnswer& answer, std::span<std::uint8_t> body) noexcept;

/// What a compression pointer can reach.
inline constexpr std::size_t pointed_size_max = 0x3fff;

/// Writes the name at the start of the RDATA of `body`'s first record, in full. Returns its size.
/// `out` has name_size_max bytes.
std::size_t first_rdata_name(const MovedAnswer& answer, std::span<const std::uint8_t> body,
                             std::span<std::uint8_t> out) noexcept;

}  // namespace demarc::dns
