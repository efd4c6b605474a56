// The messages that a load sends, written before it begins: names, a type, client subnets.
// tools/load/stream.cpp sends them with an ID of its own each.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "geo/base/address.h"
#include "geo/base/result.h"
#include "zones/name.h"

namespace demarc::tools::load {

/// More messages than this are not kept at once; a load goes round.
inline constexpr std::size_t questions_max = 1'000'000;

/// DNS messages of any lengths, one after another in memory. Immutable once built.
class Questions {
 public:
  [[nodiscard]] std::size_t size() const noexcept { return ends_.size(); }
  [[nodiscard]] std::span<const std::uint8_t> operator[](std::size_t i) const noexcept {
    const std::size_t begin = i == 0 ? 0 : ends_[i - 1];
    return std::span(bytes_).subspan(begin, ends_[i] - begin);
  }
  void add(std::span<const std::uint8_t> message) {
    bytes_.insert(bytes_.end(), message.begin(), message.end());
    ends_.push_back(bytes_.size());
  }

 private:
  std::vector<std::uint8_t> bytes_;
  std::vector<std::size_t> ends_;
};

struct Wanted {
  std::vector<zones::Name> names;  // not empty
  std::uint16_t qtype = 1;
  bool random_labels = false;  // each question is for a random label below one of the names
  bool has_edns = true;
  std::size_t subnets = 0;  // so many random public IPv4 /24 as ECS; 0: none
};

/// At least one message for each name, `subnets` of them or 50,000 with random labels; the same
/// `seed` gives the same messages.
[[nodiscard]] Questions build_questions(const Wanted& wanted, std::uint64_t seed);

/// A public IPv4 address: none of the special-purpose networks of RFC 6890, none of the ranges
/// that are kept for tests, no multicast.
[[nodiscard]] geo::Address random_public_address(std::uint64_t random) noexcept;

/// Names one a line, each with or without the last dot; empty lines and those with # are left out.
[[nodiscard]] Result<std::vector<zones::Name>, std::string> read_names(const std::string& path);

}  // namespace demarc::tools::load
