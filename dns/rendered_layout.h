// How a rendered answer lies in the tail of its node (dns/table_part.h): a head of nine 16-bit
// numbers and one of 32 bits (high byte first), the patches, the steered targets, the body. Most
// answers are a few records and nothing else: those have a short head of three bytes, the number of
// records with its top bit set and the body's size. dns/part_writer.cpp writes it.
#pragma once

#include <cstddef>
#include <cstdint>

#include "dns/wire.h"

namespace demarc::dns {

struct RenderedLayout {
  static constexpr std::size_t answer_count_at = 0;
  static constexpr std::size_t authority_count_at = 2;
  static constexpr std::size_t additional_count_at = 4;
  static constexpr std::size_t next_owner_at = 6;
  static constexpr std::size_t required_size_at = 8;
  static constexpr std::size_t body_size_at = 10;
  static constexpr std::size_t patch_count_at = 12;
  static constexpr std::size_t required_additional_at = 14;
  static constexpr std::size_t target_count_at = 16;
  static constexpr std::size_t soa_zone_at = 18;  // 32 bits: 1 + the zone, 0: no SOA ends it
  static constexpr std::size_t head_size = 22;
  // No message has 32,768 records: the first byte of a long head has no top bit.
  static constexpr std::uint8_t is_short = 0x80;
  static constexpr std::size_t short_count_max = 0x7f;
  static constexpr std::size_t short_body_size_at = 1;
  static constexpr std::size_t short_head_size = 3;
  /// A steered target: where the message has its name (0: nowhere), then its node in 32 bits.
  static constexpr std::size_t target_size = 6;
  static constexpr std::size_t never_fits = 0xffff;  // as the required size
};

}  // namespace demarc::dns
