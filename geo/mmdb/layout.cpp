#include "geo/mmdb/layout.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

namespace demarc::geo {
namespace {

using Bytes = std::span<const std::uint8_t>;

std::uint64_t big_endian(Bytes bytes) noexcept {
  std::uint64_t number = 0;
  for (const std::uint8_t byte : bytes) number = number << 8 | byte;
  return number;
}

/// One value's head: `size` is bytes, pairs (map), elements (array) or the target (pointer).
struct Head {
  MmdbType type{};
  std::size_t size = 0;
  std::size_t payload = 0;  // the offset after the head
};

/// Reads a section (data or metadata) of outside bytes. Nothing is trusted: offsets, sizes and
/// nesting are checked before use, and all work is bounded by mmdb_values_max.
class SectionReader {
 public:
  explicit SectionReader(Bytes section) : section_(section) {}

  [[nodiscard]] const std::string& error() const noexcept { return error_; }

  /// The head at `offset`; a pointer is not followed.
  std::optional<Head> head(std::size_t offset) {
    if (offset >= section_.size()) return fail("ends in the middle of a value");
    const std::uint8_t control = section_[offset++];
    unsigned type = control >> 5;
    if (type == 1) return pointer(control, offset);
    if (type == 0) {
      if (offset >= section_.size()) return fail("ends in the middle of a value");
      type = 7U + section_[offset++];
    }
    std::size_t size = control & 0x1f;
    if (size >= 29) {
      const std::size_t more = size - 28;
      const auto bytes = take(offset, more);
      if (!bytes) return std::nullopt;
      // What the shorter forms can say is not said again by the longer ones.
      static constexpr std::array<std::size_t, 4> base = {0, 29, 285, 65'821};
      size = base[more] + big_endian(*bytes);
      offset += more;
    }
    return checked(Head{static_cast<MmdbType>(type), size, offset});
  }

  /// Checks the value at `offset` and all inside; the offset after it.
  std::optional<std::size_t> skip(std::size_t offset, unsigned depth) {
    if (++values_ > mmdb_values_max) return fail("has too many values");
    if (depth > mmdb_depth_max) return fail("is nested too deeply");
    const auto found = head(offset);
    if (!found) return std::nullopt;
    switch (found->type) {
      case MmdbType::pointer:
        return skip(found->size, depth + 1) && !is_pointer(found->size)
                   ? std::optional(found->payload)
                   : fail("has a pointer to a pointer");
      case MmdbType::map:
      case MmdbType::array:
        return skip_members(*found, depth);
      case MmdbType::boolean:
        return found->payload;  // its value is its size
      default:
        return found->payload + found->size;
    }
  }

  /// The head at `offset`, or of what a pointer there points to.
  std::optional<Head> resolved(std::size_t offset) {
    const auto found = head(offset);
    return found && found->type == MmdbType::pointer ? head(found->size) : found;
  }

  /// The value of `key` in the map at `offset`, which skip() has passed.
  std::optional<Head> find(std::size_t offset, std::string_view key) {
    const auto map = resolved(offset);
    if (!map || map->type != MmdbType::map) return std::nullopt;
    std::size_t at = map->payload;
    for (std::size_t i = 0; i < map->size; ++i) {
      const auto name = resolved(at);
      const auto value_at = skip(at, 0);
      if (!name || !value_at) return std::nullopt;
      if (text(*name) == key) return resolved(*value_at);
      const auto next = skip(*value_at, 0);
      if (!next) return std::nullopt;
      at = *next;
    }
    return std::nullopt;
  }

  [[nodiscard]] std::string_view text(const Head& head) const noexcept {
    if (head.type != MmdbType::text) return {};
    return {reinterpret_cast<const char*>(section_.data()) + head.payload, head.size};
  }

  [[nodiscard]] std::optional<std::uint64_t> number(const Head& head) const noexcept {
    const bool is_number = head.type == MmdbType::uint16 || head.type == MmdbType::uint32 ||
                           head.type == MmdbType::uint64;
    if (!is_number) return std::nullopt;
    return big_endian(section_.subspan(head.payload, head.size));
  }

 private:
  std::nullopt_t fail(std::string_view what) {
    if (error_.empty()) error_ = what;
    return std::nullopt;
  }

  std::optional<Bytes> take(std::size_t offset, std::size_t count) {
    if (offset > section_.size() || count > section_.size() - offset) {
      return fail("ends in the middle of a value");
    }
    return section_.subspan(offset, count);
  }

  std::optional<Head> pointer(std::uint8_t control, std::size_t offset) {
    static constexpr std::array<std::size_t, 4> base = {0, 2'048, 526'336, 0};
    const std::size_t form = (control >> 3) & 3;
    const auto bytes = take(offset, form + 1);
    if (!bytes) return std::nullopt;
    std::size_t target = base[form] + big_endian(*bytes);
    if (form < 3) target += std::size_t{control & 7U} << (8 * (form + 1));
    if (target >= section_.size()) return fail("points outside of its section");
    return Head{MmdbType::pointer, target, offset + form + 1};
  }

  bool is_pointer(std::size_t offset) const noexcept { return section_[offset] >> 5 == 1; }

  std::optional<Head> checked(const Head& head) {
    std::size_t size_max = 0;
    switch (head.type) {
      case MmdbType::map:
      case MmdbType::array:
        return head;  // counted while they are skipped
      case MmdbType::boolean:
        return head.size <= 1 ? std::optional(head) : fail("has a boolean that is not 0 or 1");
      case MmdbType::float64:
      case MmdbType::float32:
        size_max = head.type == MmdbType::float64 ? 8 : 4;
        if (head.size != size_max) return fail("has a number of the wrong size");
        break;
      case MmdbType::uint16:
        size_max = 2;
        break;
      case MmdbType::uint32:
      case MmdbType::int32:
        size_max = 4;
        break;
      case MmdbType::uint64:
        size_max = 8;
        break;
      case MmdbType::uint128:
        size_max = 16;
        break;
      case MmdbType::text:
      case MmdbType::bytes:
        size_max = section_.size();
        break;
      case MmdbType::pointer:
      default:  // the type came from outside: it may be no enumerator at all
        return fail("has a value of an unknown type");
    }
    if (head.size > size_max) return fail("has a number of the wrong size");
    if (!take(head.payload, head.size)) return std::nullopt;
    return head;
  }

  std::optional<std::size_t> skip_members(const Head& container, unsigned depth) {
    std::size_t at = container.payload;
    for (std::size_t i = 0; i < container.size; ++i) {
      if (container.type == MmdbType::map) {
        const auto key = resolved(at);
        if (!key) return std::nullopt;
        if (key->type != MmdbType::text) return fail("has a map key that is no text");
        const auto after_key = skip(at, depth + 1);
        if (!after_key) return std::nullopt;
        at = *after_key;
      }
      const auto next = skip(at, depth + 1);
      if (!next) return std::nullopt;
      at = *next;
    }
    return at;
  }

  Bytes section_;
  std::string error_;
  unsigned values_ = 0;
};

std::optional<std::size_t> find_marker(Bytes file) {
  const std::size_t tail_bytes = std::min(file.size(), mmdb_metadata_bytes_max);
  const Bytes tail = file.last(tail_bytes);
  const std::string_view text(reinterpret_cast<const char*>(tail.data()), tail.size());
  const std::size_t at = text.rfind(mmdb_marker);
  if (at == text.npos) return std::nullopt;
  return file.size() - tail_bytes + at;
}

/// Reads what the metadata says into `layout`; an error's text, or empty.
std::string read_metadata(Bytes metadata, MmdbLayout& layout) {
  SectionReader reader(metadata);
  if (!reader.skip(0, 0)) return "has bad metadata: it " + reader.error();

  const auto number = [&](std::string_view key) -> std::uint64_t {
    SectionReader fresh(metadata);
    const auto head = fresh.find(0, key);
    return head ? fresh.number(*head).value_or(0) : 0;
  };
  const std::uint64_t format = number("binary_format_major_version");
  if (format != 2) return fmt::format("has binary format {}, expected 2", format);
  layout.ip_version = static_cast<unsigned>(std::min<std::uint64_t>(number("ip_version"), 255));
  if (layout.ip_version != 4 && layout.ip_version != 6) {
    return fmt::format("has ip_version {}, expected 4 or 6", layout.ip_version);
  }
  layout.record_bits = static_cast<unsigned>(std::min<std::uint64_t>(number("record_size"), 255));
  if (layout.record_bits != 24 && layout.record_bits != 28 && layout.record_bits != 32) {
    return fmt::format("has record_size {}, expected 24, 28 or 32", layout.record_bits);
  }
  const std::uint64_t node_count = number("node_count");
  if (node_count == 0 || node_count > 0xffff'ffff) {
    return fmt::format("has node_count {}, expected 1 to 4294967295", node_count);
  }
  layout.node_count = static_cast<std::uint32_t>(node_count);
  layout.build_epoch = number("build_epoch");
  SectionReader texts(metadata);
  if (const auto type = texts.find(0, "database_type")) layout.database_type = texts.text(*type);
  return {};
}

std::string check_tree(const MmdbLayout& layout) {
  const std::uint64_t first_data = std::uint64_t{layout.node_count} + mmdb_separator_bytes;
  for (std::uint32_t node = 0; node < layout.node_count; ++node) {
    for (const unsigned side : {0U, 1U}) {
      const std::uint64_t record = layout.record(node, side);
      const bool is_above = record != 0 && record <= layout.node_count;  // 0 is the root: a loop
      const bool is_data = record >= first_data && record - first_data < layout.data.size();
      if (!is_above && !is_data) {
        return fmt::format("has a bad tree: node {} points to {}, which is nowhere", node, record);
      }
    }
  }
  return {};
}

/// An in-order walk of one family's tree into a map of data offsets plus one.
template <typename Key>
class TreeWalk {
 public:
  TreeWalk(const MmdbLayout& layout, RangeMap<Key>& map, std::uint64_t& visits_left)
      : layout_(layout), map_(map), visits_left_(visits_left) {}

  [[nodiscard]] std::size_t networks() const noexcept { return networks_; }

  /// `record` is all that is known of the prefix `start`/`length`. An error's text, or empty.
  std::string walk(std::uint32_t record, Key start, unsigned length) {
    if (record == layout_.node_count || is_answered_by_ipv4(start, length)) {
      map_.append(start, 0);
      return {};
    }
    if (record > layout_.node_count) {
      ++networks_;
      map_.append(start, record - layout_.node_count - std::uint32_t{mmdb_separator_bytes} + 1);
      return {};
    }
    if (length == key_bits<Key>) {
      return fmt::format("has a bad tree: node {} is deeper than the {} bits of an address", record,
                         length);
    }
    if (visits_left_-- == 0) return "has a bad tree: its nodes form loops";
    std::string error = walk(layout_.record(record, 0), start, length + 1);
    if (!error.empty()) return error;
    const auto half = static_cast<Key>(start | Key{1} << (key_bits<Key> - length - 1));
    return walk(layout_.record(record, 1), half, length + 1);
  }

 private:
  /// The aliases of the IPv4 tree would be walked once more for each.
  static bool is_answered_by_ipv4(Key start, unsigned length) noexcept {
    if constexpr (key_bits<Key> == 32) {
      return false;
    } else {
      if (length == 96 && start == 0) return true;
      return std::ranges::any_of(embedded_ranges, [&](const Range<Key>& range) {
        return start == range.first && (start | host_mask<Key>(length)) == range.last;
      });
    }
  }

  const MmdbLayout& layout_;
  RangeMap<Key>& map_;
  std::uint64_t& visits_left_;
  std::size_t networks_ = 0;
};

/// The record of ::/96, where a tree of both families has its IPv4 half.
std::uint32_t ipv4_record(const MmdbLayout& layout) {
  std::uint32_t record = 0;
  if (layout.ip_version == 4) return record;
  for (unsigned depth = 0; depth < 96 && record < layout.node_count; ++depth) {
    record = layout.record(record, 0);
  }
  return record;
}

/// A wide record may reach over what belongs to IPv4: there nothing is known.
RangeMap<Key6> without_ipv4(const RangeMap<Key6>& map) {
  std::vector<Range<Key6>> holes = {{0, 0xffff'ffff}};
  holes.insert(holes.end(), embedded_ranges.begin(), embedded_ranges.end());
  return combined(map, mask_of<Key6>(holes), [](std::uint32_t value, std::uint32_t is_hole) {
    return is_hole != 0 ? 0 : value;
  });
}

}  // namespace

std::uint32_t MmdbLayout::record(std::uint32_t node, unsigned side) const noexcept {
  const std::uint8_t* const at = tree.data() + std::size_t{node} * (record_bits / 4);
  const auto byte = [at](unsigned i) { return std::uint32_t{at[i]}; };
  if (record_bits == 24) {
    const unsigned i = side * 3;
    return byte(i) << 16 | byte(i + 1) << 8 | byte(i + 2);
  }
  if (record_bits == 28) {  // the middle byte has the top four bits of both
    if (side == 0) return (byte(3) >> 4) << 24 | byte(0) << 16 | byte(1) << 8 | byte(2);
    return (byte(3) & 0xf) << 24 | byte(4) << 16 | byte(5) << 8 | byte(6);
  }
  const unsigned i = side * 4;
  return byte(i) << 24 | byte(i + 1) << 16 | byte(i + 2) << 8 | byte(i + 3);
}

Result<MmdbLayout, std::string> check_mmdb_layout(Bytes file) {
  if (file.empty()) return std::unexpected("is empty");
  const auto marker = find_marker(file);
  if (!marker) return std::unexpected("is no MMDB file, or cut off: it has no metadata");

  MmdbLayout layout;
  std::string error = read_metadata(file.subspan(*marker + mmdb_marker.size()), layout);
  if (!error.empty()) return std::unexpected(std::move(error));

  const std::uint64_t tree_bytes = std::uint64_t{layout.node_count} * (layout.record_bits / 4);
  if (tree_bytes + mmdb_separator_bytes > *marker) {
    return std::unexpected(fmt::format("is cut off: {} nodes take {} bytes, but {} are there",
                                       layout.node_count, tree_bytes, *marker));
  }
  layout.tree = file.first(tree_bytes);
  const Bytes separator = file.subspan(tree_bytes, mmdb_separator_bytes);
  if (std::ranges::any_of(separator, [](std::uint8_t byte) { return byte != 0; })) {
    return std::unexpected("has no 16 zero bytes after its tree: node_count is wrong");
  }
  const std::size_t data_at = tree_bytes + mmdb_separator_bytes;
  layout.data = file.subspan(data_at, *marker - data_at);

  error = check_tree(layout);
  if (!error.empty()) return std::unexpected(std::move(error));
  return layout;
}

std::string check_mmdb_record(Bytes data, std::size_t offset) {
  SectionReader reader(data);
  const auto head = reader.resolved(offset);
  if (head && head->type != MmdbType::map) return "is no map";
  return reader.skip(offset, 0) ? std::string{} : reader.error();
}

Result<MmdbRanges, std::string> walk_mmdb(const MmdbLayout& layout) {
  MmdbRanges ranges;
  std::uint64_t visits_left = mmdb_visits_per_node_max * layout.node_count + key_bits<Key6>;

  TreeWalk<Key4> ipv4(layout, ranges.ipv4, visits_left);
  std::string error = ipv4.walk(ipv4_record(layout), 0, 0);
  if (!error.empty()) return std::unexpected(std::move(error));

  if (layout.ip_version == 6) {
    TreeWalk<Key6> ipv6(layout, ranges.ipv6, visits_left);
    error = ipv6.walk(0, 0, 0);
    if (!error.empty()) return std::unexpected(std::move(error));
    ranges.ipv6 = without_ipv4(ranges.ipv6);
    ranges.networks = ipv6.networks();
  } else {
    ranges.ipv6.append(0, 0);
  }
  ranges.networks += ipv4.networks();
  return ranges;
}

}  // namespace demarc::geo
