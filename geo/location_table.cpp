#include "geo/location_table.h"

#include <algorithm>
#include <bit>
#include <cassert>
#include <span>
#include <unordered_map>
#include <utility>

#include "geo/mmdb/file.h"
#include "geo/ranges.h"

namespace demarc::geo {
namespace {

/// The value, in place of a class, of the IPv6 ranges that are answered by the IPv4 half. It equals
/// no class, so no block and no scope of the native tree reaches into them.
constexpr std::uint32_t embedded_mark = class_count_max;

/// IPv6 buckets with more starts than this get buckets of their own inside.
constexpr std::uint32_t coarse_starts_max = 4;
constexpr unsigned fine_bits_max = 16;

/// Distinct locations, numbered; 0 is the unknown one.
class LocationPool {
 public:
  LocationPool() { (void)number_of(Location{}); }

  std::uint32_t number_of(const Location& location) {
    const auto [known, is_new] =
        numbers_.try_emplace(location, static_cast<std::uint32_t>(locations_.size()));
    if (is_new) locations_.push_back(&known->first);
    return known->second;
  }
  [[nodiscard]] const Location& at(std::uint32_t number) const { return *locations_[number]; }
  [[nodiscard]] std::size_t size() const noexcept { return locations_.size(); }

 private:
  std::unordered_map<Location, std::uint32_t, LocationHash> numbers_;
  std::vector<const Location*> locations_;  // the map's keys, which stay where they are
};

template <typename Key>
constexpr Family family_of = key_bits<Key> == 32 ? Family::ipv4 : Family::ipv6;

std::uint32_t the_winner(std::uint32_t winner, std::uint32_t) noexcept { return winner; }

template <typename Key>
const RangeMap<Key>& ranges_of(const MmdbFile& file) noexcept {
  if constexpr (key_bits<Key> == 32) {
    return file.ipv4();
  } else {
    return file.ipv6();
  }
}

/// Overrides, databases and marks of one family as one map of pool numbers.
template <typename Key>
class FamilyMerge {
 public:
  explicit FamilyMerge(LocationPool& pool) : pool_(pool) {}

  RangeMap<Key> overrides(const std::vector<Override>& overrides) {
    std::vector<Range<Key>> ranges;
    for (const Override& one : overrides) {
      if (one.network.address.family != family_of<Key>) continue;
      Location location = completed(one.location);
      location.network_mark = no_network_mark;
      ranges.push_back(range_of<Key>(one.network, pool_.number_of(location)));
    }
    return nested(std::move(ranges), merge_);
  }

  RangeMap<Key> with_database(const RangeMap<Key>& map, const MmdbFile& file) {
    std::vector<std::uint32_t> numbers;
    for (const Location& location : file.locations()) numbers.push_back(pool_.number_of(location));
    return combined(map, ranges_of<Key>(file), [&](std::uint32_t winner, std::uint32_t loser) {
      return winner == 0 ? numbers[loser] : merge_(winner, numbers[loser]);
    });
  }

  RangeMap<Key> with_marks(const RangeMap<Key>& map, const std::vector<Prefix>& marks) {
    std::vector<Range<Key>> ranges;
    for (std::uint32_t i = 0; i < marks.size(); ++i) {
      if (marks[i].address.family != family_of<Key>) continue;
      ranges.push_back(range_of<Key>(marks[i], i + 1));
    }
    if (ranges.empty()) return map;
    PairCache marked([this](std::uint32_t number, std::uint32_t mark) {
      Location location = pool_.at(number);
      location.network_mark = mark - 1;
      return pool_.number_of(location);
    });
    return combined(map, nested(std::move(ranges), the_winner),
                    [&](std::uint32_t number, std::uint32_t mark) {
                      return mark == 0 ? number : marked(number, mark);
                    });
  }

 private:
  /// Folds repeated networks first: what remains is nested, at most one of each length.
  template <typename Combine>
  static RangeMap<Key> nested(std::vector<Range<Key>> ranges, Combine&& combine) {
    std::ranges::stable_sort(ranges, [](const Range<Key>& a, const Range<Key>& b) {
      return std::pair(a.first, a.last) < std::pair(b.first, b.last);
    });
    std::vector<Range<Key>> distinct;
    for (const Range<Key>& range : ranges) {
      const bool repeats = !distinct.empty() && distinct.back().first == range.first &&
                           distinct.back().last == range.last;
      if (repeats) {
        distinct.back().value = combine(distinct.back().value, range.value);
      } else {
        distinct.push_back(range);
      }
    }
    auto map = overlaid(std::move(distinct), combine);
    assert(map);  // overlap_max is above the 129 lengths of a prefix
    return std::move(map).value_or(RangeMap<Key>{{0}, {0}});
  }

  struct Merge {
    LocationPool& pool;
    std::uint32_t operator()(std::uint32_t winner, std::uint32_t loser) const {
      return pool.number_of(merged(pool.at(winner), pool.at(loser)));
    }
  };

  LocationPool& pool_;
  PairCache<Merge> merge_{Merge{pool_}};
};

template <typename Key>
RangeMap<Key> merged_family(LocationPool& pool, const std::vector<MmdbFile>& files,
                            const std::vector<Override>& overrides,
                            const std::vector<Prefix>& marks) {
  FamilyMerge<Key> merge(pool);
  RangeMap<Key> map = merge.overrides(overrides);
  for (const MmdbFile& file : files) map = merge.with_database(map, file);
  return merge.with_marks(map, marks);
}

RangeMap<Key6> with_embedded_marked(const RangeMap<Key6>& classes) {
  const auto embedded = mask_of<Key6>(embedded_ranges);
  return combined(classes, embedded, [](std::uint32_t value, std::uint32_t is_embedded) {
    return is_embedded != 0 ? embedded_mark : value;
  });
}

/// Asks `classify` once for each location that a map really has.
class Classifier {
 public:
  Classifier(const LocationPool& pool, const Classify& classify)
      : pool_(pool), classify_(classify), classes_(pool.size(), unasked) {
    (void)class_of(0);  // unknown clients are class 0
  }

  [[nodiscard]] bool failed() const noexcept { return failed_; }
  [[nodiscard]] std::size_t class_count() const noexcept { return class_count_; }

  template <typename Key>
  RangeMap<Key> classes(const RangeMap<Key>& numbers) {
    RangeMap<Key> map;
    map.starts.reserve(numbers.size());
    map.values.reserve(numbers.size());
    for (std::size_t i = 0; i < numbers.size() && !failed_; ++i) {
      map.append(numbers.starts[i], class_of(numbers.values[i]));
    }
    return map;
  }

 private:
  static constexpr std::uint32_t unasked = 0xffff'ffff;

  std::uint32_t class_of(std::uint32_t number) {
    std::uint32_t& known = classes_[number];
    if (known != unasked) return known;
    const auto answer = classify_(pool_.at(number));
    failed_ = failed_ || !answer || *answer >= class_count_max;
    known = failed_ ? 0 : *answer;
    class_count_ = std::max(class_count_, std::size_t{known} + 1);
    return known;
  }

  const LocationPool& pool_;
  const Classify& classify_;
  std::vector<std::uint32_t> classes_;
  std::size_t class_count_ = 1;
  bool failed_ = false;
};

/// The number of the first `count` entries at `starts`, which are in order, that are not above
/// `key`. Its one comparison becomes a conditional move: nothing for the CPU to predict wrongly.
template <typename Start>
std::uint32_t count_not_above(const Start* starts, std::uint32_t count, Start key) noexcept {
  const Start* at = starts;
  while (count > 0) {
    const std::uint32_t half = (count + 1) / 2;
    at = at[half - 1] <= key ? at + half : at;
    count -= half;
  }
  return static_cast<std::uint32_t>(at - starts);
}

/// Hands out the blocks of one family in order: f(start, length, class).
template <typename Key, typename Block>
void for_each_class_block(const RangeMap<Key>& classes, const Block& block) {
  for (std::size_t i = 0; i < classes.size(); ++i) {
    const auto value = static_cast<ClassId>(classes.values[i]);
    for_each_block(classes.starts[i], classes.last(i),
                   [&](Key start, unsigned length) { block(start, length, value); });
  }
}

/// The scopes of one family's blocks: runs of one variant are cut into their largest prefixes, and
/// each block lies within exactly one of these.
template <typename Key, typename VariantOf>
void write_scopes(std::span<const std::uint8_t> lengths, const VariantOf& variant_of,
                  std::span<std::uint8_t> out) {
  const auto last_of = [&](Key start, std::size_t i) {
    return static_cast<Key>(start | host_mask<Key>(lengths[i]));
  };
  Key start = 0;
  for (std::size_t i = 0; i < lengths.size();) {
    std::size_t run_end = i;
    Key run_last = start;
    for (Key at = start; run_end < lengths.size() && variant_of(run_end) == variant_of(i);
         at = static_cast<Key>(run_last + 1)) {
      run_last = last_of(at, run_end++);
    }
    for_each_block(start, run_last, [&](Key first, unsigned length) {
      const auto last = static_cast<Key>(first | host_mask<Key>(length));
      for (Key at = first; i < run_end && at >= first && at <= last; ++i) {
        out[i] = static_cast<std::uint8_t>(length);
        at = static_cast<Key>(last_of(at, i) + 1);
      }
    });
    start = static_cast<Key>(run_last + 1);
  }
}

}  // namespace

struct LocationTable::ClassMaps {
  RangeMap<Key4> ipv4;
  RangeMap<Key6> ipv6;
  std::size_t class_count = 1;
};

LocationTable::LocationTable() : LocationTable(ClassMaps{{{0}, {0}}, {{0}, {0}}, 1}) {}

LocationTable::LocationTable(const ClassMaps& maps) : class_count_(maps.class_count) {
  for_each_class_block(maps.ipv4, [this](Key4 start, unsigned length, ClassId value) {
    ipv4_starts_.push_back(static_cast<std::uint16_t>(start & 0xffff));
    lengths_.push_back(static_cast<std::uint8_t>(length));
    classes_.push_back(value);
  });
  ipv4_block_count_ = static_cast<std::uint32_t>(classes_.size());
  const auto add_ipv6 = [this](Key6 start, unsigned length, ClassId value) {
    ipv6_high_.push_back(static_cast<std::uint64_t>(start >> 64));
    ipv6_low_.push_back(static_cast<std::uint64_t>(start));
    lengths_.push_back(static_cast<std::uint8_t>(length));
    classes_.push_back(value);
  };
  for_each_class_block(with_embedded_marked(maps.ipv6), add_ipv6);
  index_ipv4();
  index_ipv6();
}

Result<LocationTable, SystemError> LocationTable::build(const Databases& databases,
                                                        const std::vector<Override>& overrides,
                                                        const std::vector<Prefix>& marks,
                                                        const Classify& classify) {
  static const std::vector<MmdbFile> no_files;
  const auto& files = databases.empty() ? no_files : databases.files_->list;
  LocationPool pool;
  const auto ipv4 = merged_family<Key4>(pool, files, overrides, marks);
  const auto ipv6 = merged_family<Key6>(pool, files, overrides, marks);

  Classifier classifier(pool, classify);
  ClassMaps maps;
  maps.ipv4 = classifier.classes(ipv4);
  maps.ipv6 = classifier.classes(ipv6);
  maps.class_count = classifier.class_count();
  if (classifier.failed()) {
    return failure("the routes tell more than " + std::to_string(class_count_max) +
                   " kinds of clients apart");
  }
  return LocationTable(maps);
}

void LocationTable::index_ipv4() {
  ipv4_buckets_.assign(0x1'0001, 0);
  std::uint32_t start = 0;
  for (std::uint32_t i = 0; i < ipv4_block_count_; ++i) {
    ++ipv4_buckets_[(start >> 16) + 1];
    start += host_mask<Key4>(lengths_[i]) + 1;
  }
  for (std::size_t i = 1; i < ipv4_buckets_.size(); ++i) ipv4_buckets_[i] += ipv4_buckets_[i - 1];
}

void LocationTable::index_ipv6() {
  const auto count = static_cast<std::uint32_t>(ipv6_high_.size());
  ipv6_buckets_.resize(0x1'0000);
  std::uint32_t before = 0;  // blocks that start before the current bucket
  for (std::uint64_t top = 0; top < ipv6_buckets_.size(); ++top) {
    std::uint32_t end = before;
    while (end < count && ipv6_high_[end] >> 48 == top) ++end;
    const std::uint32_t inside = end - before;
    const unsigned bits =
        inside <= coarse_starts_max ? 0 : std::min(width(Key4{inside}), fine_bits_max);
    ipv6_buckets_[top] = {static_cast<std::uint32_t>(ipv6_fine_.size()), bits};
    for (std::uint64_t fine = 0; fine < std::uint64_t{1} << bits; ++fine) {
      const std::uint64_t first = top << 48 | fine << (48 - bits);
      while (before < end && ipv6_high_[before] < first) ++before;
      ipv6_fine_.push_back(before);
    }
    before = end;
  }
  ipv6_fine_.push_back(count);
}

std::uint32_t LocationTable::find_ipv4(std::uint32_t address) const noexcept {
  const std::uint32_t* const bucket = ipv4_buckets_.data() + (address >> 16);
  const std::uint32_t before = bucket[0];
  const std::uint32_t not_above = count_not_above(ipv4_starts_.data() + before, bucket[1] - before,
                                                  static_cast<std::uint16_t>(address & 0xffff));
  return before + not_above - 1;
}

std::uint32_t LocationTable::find_ipv6(std::uint64_t high, std::uint64_t low) const noexcept {
  const Ipv6Bucket bucket = ipv6_buckets_[high >> 48];
  const std::uint64_t fine = (high & 0xffff'ffff'ffff) >> (48 - bucket.fine_bits);
  const std::uint32_t* const at = ipv6_fine_.data() + bucket.fine + fine;
  const std::uint32_t before = at[0];
  const std::uint32_t block =
      before + count_not_above(ipv6_high_.data() + before, at[1] - before, high) - 1;
  if (ipv6_high_[block] != high || ipv6_low_[block] <= low) return block;

  // Several blocks share this /64, the first of them starting with it: the lower halves decide.
  const std::uint64_t* const run =
      std::lower_bound(ipv6_high_.data() + before, ipv6_high_.data() + block, high);
  const auto run_first = static_cast<std::uint32_t>(run - ipv6_high_.data());
  return run_first + count_not_above(ipv6_low_.data() + run_first, block - run_first, low) - 1;
}

void LocationTable::fetch_bucket(const Address& address) const noexcept {
  if (address.family == Family::ipv4) {
    __builtin_prefetch(ipv4_buckets_.data() + (address.ipv4_value() >> 16));
  } else {
    __builtin_prefetch(ipv6_buckets_.data() + (key_of<Key6>(address) >> 112));
  }
}

// The middle of the starts in a bucket: where the search begins.
void LocationTable::fetch_starts(const Address& address) const noexcept {
  if (address.family == Family::ipv4) {
    const std::uint32_t* const bucket = ipv4_buckets_.data() + (address.ipv4_value() >> 16);
    const std::uint32_t middle = bucket[0] + (bucket[1] - bucket[0]) / 2;
    __builtin_prefetch(ipv4_starts_.data() + middle);
    __builtin_prefetch(classes_.data() + middle);
  } else {
    const auto high = static_cast<std::uint64_t>(key_of<Key6>(address) >> 64);
    const Ipv6Bucket bucket = ipv6_buckets_[high >> 48];
    const std::uint64_t fine = (high & 0xffff'ffff'ffff) >> (48 - bucket.fine_bits);
    __builtin_prefetch(ipv6_fine_.data() + bucket.fine + fine);
  }
}

Found LocationTable::find(const Address& address) const noexcept {
  if (address.family == Family::ipv4) {
    const std::uint32_t block = find_ipv4(address.ipv4_value());
    return {classes_[block], block, 0};
  }
  const auto key = key_of<Key6>(address);
  const auto high = static_cast<std::uint64_t>(key >> 64);
  const auto low = static_cast<std::uint64_t>(key);
  if (const auto embedded = find_embedded_ipv4(high, low)) {
    const std::uint32_t block = find_ipv4(embedded->value);
    return {classes_[block], block, embedded->offset};
  }
  const std::uint32_t block = ipv4_block_count_ + find_ipv6(high, low);
  return {classes_[block], block, 0};
}

std::vector<std::uint8_t> LocationTable::scopes(
    const std::vector<std::uint16_t>& variant_of_class) const {
  assert(variant_of_class.size() >= class_count_);
  const auto variant_at = [&](std::size_t block) -> std::uint32_t {
    const ClassId value = classes_[block];
    return value == embedded_mark ? embedded_mark + 1 : variant_of_class[value];
  };
  bool is_constant = true;
  for (std::size_t i = 0; i < classes_.size() && is_constant; ++i) {
    is_constant = classes_[i] == embedded_mark || variant_at(i) == variant_at(0);
  }
  if (is_constant) return {};

  std::vector<std::uint8_t> scopes(classes_.size());
  const std::span<const std::uint8_t> lengths(lengths_);
  const std::span<std::uint8_t> out(scopes);
  const std::uint32_t split = ipv4_block_count_;
  write_scopes<Key4>(lengths.first(split), variant_at, out.first(split));
  write_scopes<Key6>(
      lengths.subspan(split), [&](std::size_t i) { return variant_at(split + i); },
      out.subspan(split));
  return scopes;
}

std::size_t LocationTable::class_count() const noexcept { return class_count_; }

std::size_t LocationTable::block_count() const noexcept { return classes_.size(); }

std::size_t LocationTable::size_bytes() const noexcept {
  return ipv4_buckets_.size() * sizeof(ipv4_buckets_[0]) +
         ipv4_starts_.size() * sizeof(ipv4_starts_[0]) +
         ipv6_buckets_.size() * sizeof(ipv6_buckets_[0]) +
         ipv6_fine_.size() * sizeof(ipv6_fine_[0]) + ipv6_high_.size() * sizeof(ipv6_high_[0]) +
         ipv6_low_.size() * sizeof(ipv6_low_[0]) + classes_.size() * sizeof(classes_[0]) +
         lengths_.size() * sizeof(lengths_[0]);
}

}  // namespace demarc::geo
