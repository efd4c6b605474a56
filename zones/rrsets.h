// The static RRsets of a zone, in one buffer: a million records take some thirty bytes each, and no
// allocation of their own. zones/yaml/zone_rules.h fills it, zones/model.h keeps it,
// dns/zone_compiler.h renders what is in it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <iterator>
#include <optional>
#include <ranges>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "zones/name.h"

namespace demarc::zones {

/// RDATA as uncompressed wire bytes, names in it in the case they were written.
using Rdata = std::string;

/// What the records of one zone may take: what 32 bits can say.
inline constexpr std::size_t rrsets_bytes_max = 0xffff'ffff;

class RRsets;

/// One RRset of many: borrowed, good until those change or move.
struct RRset {
  std::uint16_t type = 0;
  std::uint32_t ttl = 0;  // seconds; the lowest of its records
  const RRsets* all = nullptr;
  std::uint32_t first = 0;  // position of its first record
  std::uint32_t count = 0;  // records: at least one

  [[nodiscard]] Name owner() const;
  /// The owner without the labels of the apex; empty for the apex.
  [[nodiscard]] std::string_view labels() const noexcept;
  [[nodiscard]] bool is_at(const Name& owner) const noexcept;
  [[nodiscard]] bool is_at_or_below(const Name& ancestor) const noexcept;
  /// Whether the owner's leftmost label is `*` (RFC 4592).
  [[nodiscard]] bool is_wildcard() const noexcept;
  /// The data of its records, in the order of the files: a range of std::string_view.
  [[nodiscard]] auto rdata() const;
  /// Whether it is that one, not only one like it.
  bool operator==(const RRset& other) const noexcept {
    return all == other.all && first == other.first;
  }
};

/// Filled by one thread; any number may read it afterwards.
///
///   bytes: labels' size, labels, TYPE, TTL, RDLENGTH, RDATA of each record
///   order: where each record starts; after sort() by owner, type, and the order of add()
class RRsets {
 public:
  struct Record {
    std::string_view labels;  // of the owner, without those of the apex
    std::uint16_t type = 0;
    std::uint32_t ttl = 0;
    std::string_view rdata;
  };
  /// Where a record was written. 0 is none.
  struct Origin {
    std::uint16_t file = 0;  // the caller's number of it
    std::uint32_t line = 0;
    std::uint32_t column = 0;

    bool operator==(const Origin&) const = default;
  };
  class Iterator;

  RRsets() = default;
  /// `bytes_max` is at most rrsets_bytes_max.
  explicit RRsets(Name apex, std::size_t bytes_max = rrsets_bytes_max)
      : apex_(std::move(apex)), bytes_max_(bytes_max) {}

  /// Appends one record; sort() before looking. Precondition: `owner` is at or below the apex, and
  /// `rdata` has at most 65,535 bytes. False, and nothing is done: all would need over `bytes_max`.
  [[nodiscard]] bool add(const Name& owner, std::uint16_t type, std::uint32_t ttl,
                         std::string_view rdata, Origin origin);
  [[nodiscard]] bool add(const Name& owner, std::uint16_t type, std::uint32_t ttl,
                         std::string_view rdata) {
    return add(owner, type, ttl, rdata, Origin());
  }
  /// Room for that many records of the size of A records, so that adding them copies nothing.
  void reserve(std::size_t records);
  /// Likewise for what master files of so many bytes usually hold.
  void reserve_for_text(std::size_t text_bytes);
  /// Puts the records into order, and drops what an RRset has twice.
  void sort() {
    put_in_order();
    drop_duplicates();
  }
  /// The two halves of sort(), for who looks at duplicates in between. The TTL of an RRset stays
  /// the lowest of all its records, those included that are dropped.
  void put_in_order();
  void drop_duplicates();
  /// Origins are for findings: afterwards each is none.
  void forget_origins() noexcept { std::vector<OriginRun>().swap(origins_); }

  [[nodiscard]] const Name& apex() const noexcept { return apex_; }
  [[nodiscard]] bool empty() const noexcept { return order_.empty(); }
  [[nodiscard]] std::size_t record_count() const noexcept { return order_.size(); }
  [[nodiscard]] std::size_t size_bytes() const noexcept;
  /// Precondition: `position` < record_count().
  [[nodiscard]] Record record(std::size_t position) const noexcept;
  [[nodiscard]] Origin origin(std::size_t position) const noexcept;
  [[nodiscard]] Name owner(std::size_t position) const;
  /// A hint: record(position) will be read soon.
  void fetch(std::size_t position) const noexcept {
    __builtin_prefetch(bytes_.data() + order_[position]);
  }

  /// The RRsets, by owner and type: the apex first, owners side by side.
  [[nodiscard]] Iterator begin() const noexcept;
  [[nodiscard]] Iterator end() const noexcept;
  [[nodiscard]] std::size_t count() const noexcept;
  /// The RRset that begins at that position; it ends before `end` at the latest.
  [[nodiscard]] RRset at(std::size_t position, std::size_t end) const noexcept;
  /// Where the records of the owner at that position end.
  [[nodiscard]] std::size_t owner_end(std::size_t position) const noexcept;
  /// Where the records of that owner begin; record_count() if it has none.
  [[nodiscard]] std::size_t find_owner(const Name& owner) const noexcept;
  [[nodiscard]] std::optional<RRset> find(const Name& owner, std::uint16_t type) const noexcept;

  /// The first of the five numbers of the apex's SOA (RFC 1035 §3.3.13). False: there is none.
  bool set_serial(std::uint32_t serial) noexcept;

 private:
  /// Where a record was written, and those that were added after it: each a line further than the
  /// one before, as in a master file. A run of line 0 is of records that were written nowhere.
  struct OriginRun {
    std::uint32_t start = 0;  // of the first record in bytes_
    Origin origin;
  };

  [[nodiscard]] Record read(std::uint32_t start) const noexcept;
  void sort_by_keys();
  void note_origin(std::uint32_t start, Origin origin);
  [[nodiscard]] std::size_t set_end(std::size_t position) const noexcept;
  void lower_ttl(std::uint32_t start, std::uint32_t ttl) noexcept;

  Name apex_;
  std::size_t bytes_max_ = rrsets_bytes_max;
  std::vector<char> bytes_;  // no string: one that another is moved into keeps its memory
  std::vector<std::uint32_t> order_;
  std::vector<OriginRun> origins_;  // by start
  Origin next_origin_;              // what would carry the last run on
  std::size_t run_size_ = 0;        // records of it
};

class RRsets::Iterator {
 public:
  using difference_type = std::ptrdiff_t;
  using value_type = RRset;
  using iterator_concept = std::forward_iterator_tag;

  Iterator() = default;
  Iterator(const RRsets* all, std::size_t position) : all_(all), position_(position) { read(); }

  [[nodiscard]] RRset operator*() const noexcept { return rrset_; }
  [[nodiscard]] const RRset* operator->() const noexcept { return &rrset_; }
  Iterator& operator++() noexcept {
    position_ += rrset_.count;
    read();
    return *this;
  }
  Iterator operator++(int) noexcept {
    Iterator before = *this;
    ++*this;
    return before;
  }
  bool operator==(const Iterator& other) const noexcept { return position_ == other.position_; }

 private:
  void read() noexcept {
    if (position_ < all_->record_count()) rrset_ = all_->at(position_, all_->record_count());
  }

  const RRsets* all_ = nullptr;
  std::size_t position_ = 0;
  RRset rrset_;
};

inline RRsets::Iterator RRsets::begin() const noexcept { return {this, 0}; }
inline RRsets::Iterator RRsets::end() const noexcept { return {this, order_.size()}; }

inline auto RRset::rdata() const {
  return std::views::iota(std::size_t{first}, std::size_t{first} + count) |
         std::views::transform(
             [records = all](std::size_t position) { return records->record(position).rdata; });
}

}  // namespace demarc::zones
