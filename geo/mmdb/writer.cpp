#include "geo/mmdb/writer.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <bit>
#include <map>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "geo/mmdb/layout.h"
#include "geo/ranges.h"

namespace demarc::geo {
namespace {

void append_big_endian(std::string& out, std::uint64_t number, unsigned bytes) {
  for (unsigned i = bytes; i-- > 0;) out.push_back(static_cast<char>(number >> (8 * i) & 0xff));
}

/// A value's first bytes: its type and size (the format's "control byte" and what follows it).
std::string head(MmdbType type, std::size_t size) {
  const auto number = static_cast<unsigned>(type);
  const unsigned more = size < 29 ? 0 : size < 285 ? 1 : size < 65'821 ? 2 : 3;
  static constexpr std::array<std::size_t, 4> base = {0, 29, 285, 65'821};
  const std::size_t in_control = more == 0 ? size : 28 + more;
  std::string out;
  out.push_back(static_cast<char>((number <= 7 ? number << 5 : 0) | in_control));
  if (number > 7) out.push_back(static_cast<char>(number - 7));
  append_big_endian(out, size - base[more], more);
  return out;
}

std::string text_value(std::string_view text) {
  return head(MmdbType::text, text.size()).append(text);
}

std::string number_value(MmdbType type, std::uint64_t number) {
  const auto bytes = static_cast<unsigned>(std::bit_width(number) + 7) / 8;  // as few as it needs
  std::string out = head(type, bytes);
  append_big_endian(out, number, bytes);
  return out;
}

std::string degrees_value(double degrees) {
  std::string out = head(MmdbType::float64, 8);
  append_big_endian(out, std::bit_cast<std::uint64_t>(degrees), 8);
  return out;
}

/// The data section: each distinct value stands there once, others point to it.
class DataSection {
 public:
  /// Where `encoded` stands.
  std::uint64_t place(const std::string& encoded) {
    const auto [known, is_new] = places_.try_emplace(encoded, bytes_.size());
    if (is_new) bytes_ += encoded;
    return known->second;
  }

  /// What stands for `encoded` inside of another value: a pointer, or itself where that is as
  /// short.
  std::string refer(const std::string& encoded) {
    constexpr std::size_t pointer_bytes = 4;
    return encoded.size() <= pointer_bytes ? encoded : pointer(place(encoded));
  }

  using Members = std::vector<std::pair<std::string_view, std::string>>;
  std::string map(const Members& members) {
    std::string out = head(MmdbType::map, members.size());
    for (const auto& [key, value] : members) out += refer(text_value(key)) + refer(value);
    return out;
  }

  [[nodiscard]] const std::string& bytes() const noexcept { return bytes_; }

 private:
  static std::string pointer(std::uint64_t target) {
    static constexpr std::array<std::uint64_t, 4> base = {0, 2'048, 526'336, 0};
    const unsigned form = target < 2'048 ? 0 : target < 526'336 ? 1 : target < 134'744'064 ? 2 : 3;
    const std::uint64_t rest = target - base[form];
    const std::uint64_t in_control = form == 3 ? 0 : rest >> (8 * (form + 1));
    std::string out(1, static_cast<char>(1U << 5 | form << 3 | in_control));
    append_big_endian(out, rest, form + 1);
    return out;
  }

  std::string bytes_;
  std::unordered_map<std::string, std::uint64_t> places_;
};

/// The record of one network in GeoIP2's layout; `known` is not empty of facts.
std::string record_value(DataSection& data, const NetworkLocation& known) {
  const Location& location = known.location;
  const auto code_map = [&](std::string_view key, std::string_view code) {
    return data.map({{key, text_value(code)}});
  };
  DataSection::Members members;
  if (location.asn != 0) {
    members.emplace_back("autonomous_system_number", number_value(MmdbType::uint32, location.asn));
  }
  if (!known.as_organization.empty()) {
    members.emplace_back("autonomous_system_organization", text_value(known.as_organization));
  }
  if (!known.city.empty()) {
    const std::string names = data.map({{"en", text_value(known.city)}});
    members.emplace_back("city", data.map({{"names", names}}));
  }
  if (location.continent.known()) {
    members.emplace_back("continent", code_map("code", location.continent.text()));
  }
  if (location.country.known()) {
    members.emplace_back("country", code_map("iso_code", location.country.text()));
  }
  if (location.coordinates) {
    members.emplace_back("location",
                         data.map({{"latitude", degrees_value(location.coordinates->latitude)},
                                   {"longitude", degrees_value(location.coordinates->longitude)}}));
  }
  if (location.registered_country.known()) {
    members.emplace_back("registered_country",
                         code_map("iso_code", location.registered_country.text()));
  }
  if (!location.subdivision.empty()) {
    const std::string code = location.subdivision.substr(3);  // GeoIP2 leaves out "US-"
    const std::string element = data.refer(code_map("iso_code", code));
    members.emplace_back("subdivisions", head(MmdbType::array, 1) + element);
  }
  return data.map(members);
}

bool same_place(const NetworkLocation& winner, const NetworkLocation& loser) {
  return !winner.location.country.known() || !loser.location.country.known() ||
         winner.location.country == loser.location.country;
}

/// merged() for the names too: a city goes with its place, an organization with its ASN.
NetworkLocation merged_network(const NetworkLocation& winner, const NetworkLocation& loser) {
  NetworkLocation result{merged(winner.location, loser.location), winner.city,
                         winner.as_organization};
  if (result.city.empty() && same_place(winner, loser)) result.city = loser.city;
  const bool same_as = winner.location.asn == 0 || winner.location.asn == loser.location.asn;
  if (result.as_organization.empty() && same_as) result.as_organization = loser.as_organization;
  return result;
}

/// Distinct locations by number; 0 is the one of which nothing is known.
class NetworkPool {
 public:
  NetworkPool() { (void)number_of({}); }

  std::uint32_t number_of(const NetworkLocation& one) {
    const auto [known, is_new] =
        numbers_.try_emplace(one, static_cast<std::uint32_t>(list_.size()));
    if (is_new) list_.push_back(&known->first);
    return known->second;
  }
  [[nodiscard]] const NetworkLocation& at(std::uint32_t number) const { return *list_[number]; }
  [[nodiscard]] std::size_t size() const noexcept { return list_.size(); }

 private:
  std::map<NetworkLocation, std::uint32_t> numbers_;
  std::vector<const NetworkLocation*> list_;
};

constexpr std::uint32_t to_ipv4_tree = 0x7fff'ffff;  // in place of a location

/// A tree in the making: a record is a node's index, or leaf_bit with a location's number.
class TreeBuilder {
 public:
  static constexpr std::uint32_t leaf_bit = 0x8000'0000;
  struct Node {
    std::array<std::uint32_t, 2> records{};
  };

  /// Adds the tree of `map`; returns the record that stands for all of it.
  template <typename Key>
  std::uint32_t add(const RangeMap<Key>& map) {
    std::size_t cursor = 0;
    return add_part(map, Key{0}, 0, cursor);
  }

  /// Replaces each leaf of `location` by `record`.
  void replace(std::uint32_t location, std::uint32_t record) {
    for (Node& node : nodes_) std::ranges::replace(node.records, leaf_bit | location, record);
  }

  [[nodiscard]] const std::vector<Node>& nodes() const noexcept { return nodes_; }

 private:
  /// `cursor` moves along the map: parts are visited in the order of their addresses.
  template <typename Key>
  std::uint32_t add_part(const RangeMap<Key>& map, Key start, unsigned length,
                         std::size_t& cursor) {
    while (map.last(cursor) < start) ++cursor;
    const auto last = static_cast<Key>(start | host_mask<Key>(length));
    if (map.last(cursor) >= last) return leaf_bit | map.values[cursor];

    const auto node = static_cast<std::uint32_t>(nodes_.size());
    nodes_.emplace_back();
    const std::uint32_t left = add_part(map, start, length + 1, cursor);
    const auto half = static_cast<Key>(start | Key{1} << (key_bits<Key> - length - 1));
    const std::uint32_t right = add_part(map, half, length + 1, cursor);
    nodes_[node].records = {left, right};
    return node;
  }

  std::vector<Node> nodes_;
};

/// The ranges of one family without overlaps; nothing if too many lie over one another.
template <typename Key>
std::optional<RangeMap<Key>> family_map(const NetworkList& networks, NetworkPool& pool) {
  std::vector<std::uint32_t> numbers;
  numbers.reserve(networks.locations.size());
  for (NetworkLocation one : networks.locations) {
    one.location = completed(std::move(one.location));
    one.location.network_mark = no_network_mark;
    numbers.push_back(pool.number_of(one));
  }
  constexpr Family family = key_bits<Key> == 32 ? Family::ipv4 : Family::ipv6;
  std::vector<Range<Key>> ranges;
  // Backwards: of equal ranges overlaid() lets the first win, and here that is the later one.
  for (std::size_t i = networks.ranges.size(); i-- > 0;) {
    const NetworkRange& range = networks.ranges[i];
    if (range.first.family != family) continue;
    ranges.push_back({key_of<Key>(range.first), key_of<Key>(range.last), numbers[range.location]});
  }
  std::ranges::stable_sort(ranges, {}, &Range<Key>::first);
  PairCache merge([&pool](std::uint32_t winner, std::uint32_t loser) {
    return pool.number_of(merged_network(pool.at(winner), pool.at(loser)));
  });
  return overlaid(std::move(ranges), merge);
}

/// ::/96 and the aliases lead to the IPv4 tree, whatever the map has there.
RangeMap<Key6> with_ipv4_ways(const RangeMap<Key6>& map) {
  static constexpr std::array<Range<Key6>, 3> ways = {{
      {0, 0xffff'ffff},
      {key6(0, 0xffff'0000'0000), key6(0, 0xffff'ffff'ffff)},
      {key6(0x2002'0000'0000'0000, 0), key6(0x2002'ffff'ffff'ffff, ~0ULL)},
  }};
  return combined(map, mask_of<Key6>(ways), [](std::uint32_t value, std::uint32_t is_way) {
    return is_way != 0 ? to_ipv4_tree : value;
  });
}

void append_node(std::vector<std::uint8_t>& out, std::uint64_t left, std::uint64_t right,
                 unsigned record_bits) {
  std::string bytes;
  if (record_bits == 28) {
    append_big_endian(bytes, left & 0xff'ffff, 3);
    append_big_endian(bytes, (left >> 24) << 4 | right >> 24, 1);
    append_big_endian(bytes, right & 0xff'ffff, 3);
  } else {
    append_big_endian(bytes, left, record_bits / 8);
    append_big_endian(bytes, right, record_bits / 8);
  }
  out.insert(out.end(), bytes.begin(), bytes.end());
}

std::string metadata_value(const MmdbMetadata& metadata, const MmdbImage& image) {
  const std::vector<std::pair<std::string_view, std::string>> members = {
      {"binary_format_major_version", number_value(MmdbType::uint16, 2)},
      {"binary_format_minor_version", number_value(MmdbType::uint16, 0)},
      {"build_epoch", number_value(MmdbType::uint64, metadata.build_epoch)},
      {"database_type", text_value(metadata.database_type)},
      {"description", head(MmdbType::map, 1) + text_value("en") + text_value(metadata.description)},
      {"ip_version", number_value(MmdbType::uint16, 6)},
      {"languages", head(MmdbType::array, 1) + text_value("en")},
      {"node_count", number_value(MmdbType::uint32, image.node_count)},
      {"record_size", number_value(MmdbType::uint16, image.record_bits)},
  };
  std::string out = head(MmdbType::map, members.size());
  for (const auto& [key, value] : members) out += text_value(key) + value;
  return out;
}

void append(std::vector<std::uint8_t>& out, std::string_view bytes) {
  out.insert(out.end(), bytes.begin(), bytes.end());
}

/// The finished file, or none if not even 32-bit records reach its end.
std::optional<MmdbImage> assembled(const TreeBuilder& tree, const DataSection& data,
                                   const std::vector<std::uint64_t>& place_of,
                                   const MmdbMetadata& metadata) {
  const std::uint64_t node_count = tree.nodes().size();
  const std::uint64_t first_data = node_count + mmdb_separator_bytes;
  const auto bits = static_cast<unsigned>(std::bit_width(first_data + data.bytes().size()));
  if (bits > 32 || node_count >= TreeBuilder::leaf_bit) return std::nullopt;

  MmdbImage image;
  image.node_count = static_cast<std::uint32_t>(node_count);
  image.record_bits = bits <= 24 ? 24 : bits <= 28 ? 28 : 32;
  const auto final_record = [&](std::uint32_t record) -> std::uint64_t {
    if (record < TreeBuilder::leaf_bit) return record;
    const std::uint32_t location = record - TreeBuilder::leaf_bit;
    return location == 0 ? node_count : first_data + place_of[location];
  };
  image.bytes.reserve(node_count * (image.record_bits / 4) + data.bytes().size() + 1024);
  for (const TreeBuilder::Node& node : tree.nodes()) {
    append_node(image.bytes, final_record(node.records[0]), final_record(node.records[1]),
                image.record_bits);
  }
  image.bytes.resize(image.bytes.size() + mmdb_separator_bytes);
  append(image.bytes, data.bytes());
  append(image.bytes, mmdb_marker);
  append(image.bytes, metadata_value(metadata, image));
  return image;
}

}  // namespace

Result<MmdbImage, SystemError> build_mmdb(const NetworkList& networks,
                                          const MmdbMetadata& metadata) {
  NetworkPool pool;
  const auto ipv4 = family_map<Key4>(networks, pool);
  const auto ipv6 = family_map<Key6>(networks, pool);
  if (!ipv4 || !ipv6) {
    return failure(fmt::format("more than {} networks overlap at one address", overlap_max));
  }
  TreeBuilder tree;
  tree.add(with_ipv4_ways(*ipv6));  // its root is node 0: ::/96 alone makes it one
  tree.replace(to_ipv4_tree, tree.add(*ipv4));

  // Only what the tree points to is written: overlaps leave locations that no address has.
  DataSection data;
  std::vector<std::uint64_t> place_of(pool.size(), 0);
  std::vector<bool> is_placed(pool.size(), false);
  std::size_t record_count = 0;
  for (const TreeBuilder::Node& node : tree.nodes()) {
    for (const std::uint32_t record : node.records) {
      if (record <= TreeBuilder::leaf_bit) continue;
      const std::uint32_t location = record - TreeBuilder::leaf_bit;
      if (is_placed[location]) continue;
      place_of[location] = data.place(record_value(data, pool.at(location)));
      is_placed[location] = true;
      ++record_count;
    }
  }
  auto image = assembled(tree, data, place_of, metadata);
  if (!image) return failure("the networks are too many for one MMDB file");
  image->record_count = record_count;
  return std::move(*image);
}

}  // namespace demarc::geo
