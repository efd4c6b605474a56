// A name as the tables look it up: in lower case, with a hash of each of its suffixes.
// dns/query.h makes one of each QNAME, dns/name_collector.cpp one of each owner.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "dns/wire.h"

namespace demarc::dns {

/// A name with its labels counted from the left: suffix 0 is the whole name, suffix label_count()
/// the root. Left unset until read() has succeeded, so that a query pays only for what it uses.
class NameKey {
 public:
  /// Takes the uncompressed name at the start of `bytes`, in any case. Returns its size in bytes, 0
  /// if there is none: a label or the name is too long, it is cut short, or it is compressed.
  std::size_t read(std::span<const std::uint8_t> bytes) noexcept;

  [[nodiscard]] std::size_t size() const noexcept { return size_; }
  [[nodiscard]] std::size_t label_count() const noexcept { return label_count_; }

  /// The suffix that begins with label `first`, lower case, with the root's zero byte.
  /// Precondition: `first` <= label_count().
  [[nodiscard]] std::span<const std::uint8_t> suffix(std::size_t first) const noexcept {
    return {lower_.data() + label_at_[first], size_ - label_at_[first]};
  }
  [[nodiscard]] std::uint64_t hash(std::size_t first) const noexcept { return hashes_[first]; }

  /// The hash of `*` and the suffix that begins with label `first`.
  [[nodiscard]] std::uint64_t wildcard_hash(std::size_t first) const noexcept;

 private:
  void lower_letters() noexcept;
  void hash_suffixes() noexcept;

  static constexpr std::size_t padding = 8;  // both passes read eight bytes at a time
  std::array<std::uint8_t, name_size_max + 1 + padding> lower_;
  std::array<std::uint8_t, label_count_max + 1> label_at_;
  std::array<std::uint64_t, label_count_max + 1> hashes_;
  std::size_t size_;
  std::size_t label_count_;
};

}  // namespace demarc::dns
