// Maps from ranges of addresses to values: overlaid, and combined.
// Private to geo/: geo/mmdb/file.cpp and geo/mmdb/writer.cpp fill the maps, geo/location_table.cpp
// merges them and turns them into what is searched.
#pragma once

#include <algorithm>
#include <cassert>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <unordered_map>
#include <utility>
#include <vector>

#include "geo/address_key.h"

namespace demarc::geo {

/// A value for every address: value `values[i]` from `starts[i]` to before `starts[i + 1]`.
/// `starts[0]` is 0, and neighbours differ in value.
template <typename Key>
struct RangeMap {
  std::vector<Key> starts;
  std::vector<std::uint32_t> values;

  /// `start` is above every start so far, and 0 in an empty map.
  void append(Key start, std::uint32_t value) {
    assert(starts.empty() ? start == 0 : start > starts.back());
    if (!values.empty() && values.back() == value) return;
    starts.push_back(start);
    values.push_back(value);
  }
  [[nodiscard]] std::size_t size() const noexcept { return starts.size(); }
  [[nodiscard]] Key last(std::size_t i) const noexcept {
    return i + 1 < starts.size() ? static_cast<Key>(starts[i + 1] - 1) : key_max<Key>;
  }
  [[nodiscard]] std::uint32_t find(Key key) const noexcept {
    const auto after = std::upper_bound(starts.begin(), starts.end(), key);
    return values[static_cast<std::size_t>(after - starts.begin()) - 1];
  }
};

/// The map that has 1 in `ranges`, which are in order and apart, and 0 elsewhere.
template <typename Key>
[[nodiscard]] RangeMap<Key> mask_of(std::span<const Range<Key>> ranges) {
  RangeMap<Key> map;
  if (ranges.empty() || ranges.front().first != 0) map.append(0, 0);
  for (const Range<Key>& range : ranges) {
    map.append(range.first, 1);
    if (range.last != key_max<Key>) map.append(static_cast<Key>(range.last + 1), 0);
  }
  return map;
}

/// Remembers what `compute` made of a pair, and numbers the results through it.
template <typename Compute>
class PairCache {
 public:
  explicit PairCache(Compute compute) : compute_(std::move(compute)) {}

  std::uint32_t operator()(std::uint32_t a, std::uint32_t b) {
    const std::uint64_t pair = std::uint64_t{a} << 32 | b;
    const auto [entry, is_new] = known_.try_emplace(pair, 0);
    if (is_new) entry->second = compute_(a, b);
    return entry->second;
  }

 private:
  Compute compute_;
  std::unordered_map<std::uint64_t, std::uint32_t> known_;
};

/// Both maps as one: the value of an address is `combine(a's value, b's value)`.
template <typename Key, typename Combine>
[[nodiscard]] RangeMap<Key> combined(const RangeMap<Key>& a, const RangeMap<Key>& b,
                                     Combine&& combine) {
  RangeMap<Key> result;
  result.starts.reserve(a.size() + b.size());
  result.values.reserve(a.size() + b.size());
  std::size_t i = 0;
  std::size_t j = 0;
  Key start = 0;
  while (true) {
    result.append(start, combine(a.values[i], b.values[j]));
    const Key last = std::min(a.last(i), b.last(j));
    if (last == key_max<Key>) return result;
    start = static_cast<Key>(last + 1);
    if (a.last(i) == last) ++i;
    if (b.last(j) == last) ++j;
  }
}

/// Ranges that cover one address at once: more are refused, for the work grows with them. Nested
/// prefixes cannot be more than 129, so only ranges of odd edges come near it.
inline constexpr std::size_t overlap_max = 256;

/// Overlapping ranges as a map. Where several cover an address, `combine(winner, loser)` is applied
/// from the smallest to the widest, of equal size from the first in `ranges` on; 0 where none does.
/// Nothing if more than overlap_max cover one address.
template <typename Key, typename Combine>
[[nodiscard]] std::optional<RangeMap<Key>> overlaid(std::vector<Range<Key>> ranges,
                                                    Combine&& combine) {
  const auto by_first = [](const Range<Key>& a, const Range<Key>& b) { return a.first < b.first; };
  if (!std::is_sorted(ranges.begin(), ranges.end(), by_first)) {
    std::stable_sort(ranges.begin(), ranges.end(), by_first);
  }
  const auto is_narrower = [](const Range<Key>& a, const Range<Key>& b) {
    return a.last - a.first < b.last - b.first;
  };

  RangeMap<Key> map;
  map.starts.reserve(ranges.size() + 1);
  map.values.reserve(ranges.size() + 1);
  std::vector<Range<Key>> active;  // those that cover `position`, the narrowest first
  std::size_t next = 0;
  Key position = 0;
  while (true) {
    std::erase_if(active, [&](const Range<Key>& range) { return range.last < position; });
    for (; next < ranges.size() && ranges[next].first == position; ++next) {
      active.insert(std::upper_bound(active.begin(), active.end(), ranges[next], is_narrower),
                    ranges[next]);
    }
    if (active.size() > overlap_max) return std::nullopt;

    std::uint32_t value = active.empty() ? 0 : active.front().value;
    for (std::size_t i = 1; i < active.size(); ++i) value = combine(value, active[i].value);
    map.append(position, value);

    Key last = next < ranges.size() ? static_cast<Key>(ranges[next].first - 1) : key_max<Key>;
    for (const Range<Key>& range : active) last = std::min(last, range.last);
    if (last == key_max<Key>) return map;
    position = static_cast<Key>(last + 1);
  }
}

}  // namespace demarc::geo
