#include "zones/rrsets.h"

#include <algorithm>
#include <array>
#include <cassert>
#include <iterator>
#include <tuple>
#include <utility>

namespace demarc::zones {
namespace {

constexpr std::size_t rdata_bytes_max = 0xffff;
constexpr std::size_t head_bytes = 8;  // TYPE, TTL, RDLENGTH
constexpr std::size_t usual_record_bytes = 1 + 12 + head_bytes + 4;
constexpr std::size_t usual_line_bytes = 16;   // "www A 192.0.2.1\n"
constexpr std::size_t run_records_max = 64;    // origin() walks over so many at most
constexpr std::size_t soa_numbers_bytes = 20;  // serial, refresh, retry, expire, minimum
constexpr std::uint16_t type_soa = 6;

char* write_number(char* at, std::uint32_t number, int size) noexcept {
  for (int shift = 8 * (size - 1); shift >= 0; shift -= 8)
    *at++ = static_cast<char>(number >> shift);
  return at;
}

std::uint32_t number_at(const char* at, int size) noexcept {
  std::uint32_t number = 0;
  for (int i = 0; i < size; ++i) number = number << 8U | static_cast<unsigned char>(at[i]);
  return number;
}

bool comes_before(const RRsets::Record& left, const RRsets::Record& right) noexcept {
  return std::tie(left.labels, left.type) < std::tie(right.labels, right.type);
}

std::string_view labels_below(const Name& owner, const Name& apex) noexcept {
  return std::string_view(owner.wire()).substr(0, owner.wire().size() - apex.wire().size());
}

/// The first eight bytes of the labels, zeroes behind shorter ones: where two of them differ, they
/// say which comes first.
std::uint64_t first_letters(const RRsets::Record& record) noexcept {
  std::uint64_t letters = 0;
  for (std::size_t i = 0; i < sizeof(letters); ++i) {
    const auto letter = i < record.labels.size() ? record.labels[i] : '\0';
    letters = letters << 8U | static_cast<unsigned char>(letter);
  }
  return letters;
}

bool is_same_rrset(const RRsets::Record& left, const RRsets::Record& right) noexcept {
  return left.type == right.type && left.labels == right.labels;
}

}  // namespace

Name RRset::owner() const { return all->owner(first); }

std::string_view RRset::labels() const noexcept { return all->record(first).labels; }

bool RRset::is_at(const Name& owner) const noexcept {
  const std::string_view own = labels();
  const std::string_view apex = all->apex().wire();
  const std::string_view other = owner.wire();
  return other.size() == own.size() + apex.size() && other.starts_with(own) &&
         other.ends_with(apex);
}

bool RRset::is_at_or_below(const Name& ancestor) const noexcept {
  const Name& apex = all->apex();
  if (apex.is_at_or_below(ancestor)) return true;
  if (!ancestor.is_at_or_below(apex)) return false;
  const std::string_view own = labels();
  const std::string_view other = labels_below(ancestor, apex);
  if (!own.ends_with(other)) return false;
  // The bytes match; the cut must also lie between two labels.
  const std::size_t cut = own.size() - other.size();
  std::size_t at = 0;
  while (at < cut) at += std::size_t{1} + static_cast<unsigned char>(own[at]);
  return at == cut;
}

bool RRset::is_wildcard() const noexcept {
  const std::string_view own = labels();
  return own.empty() ? all->apex().is_wildcard() : own.starts_with("\1*");
}

bool RRsets::add(const Name& owner, std::uint16_t type, std::uint32_t ttl, std::string_view rdata,
                 Origin origin) {
  assert(owner.is_at_or_below(apex_) && rdata.size() <= rdata_bytes_max);
  const std::string_view labels = labels_below(owner, apex_);
  const std::size_t start = bytes_.size();
  if (start + 1 + labels.size() + head_bytes + rdata.size() > bytes_max_) return false;
  std::array<char, head_bytes> head;
  char* at = write_number(head.data(), type, 2);
  at = write_number(at, ttl, 4);
  write_number(at, static_cast<std::uint32_t>(rdata.size()), 2);
  bytes_.push_back(static_cast<char>(labels.size()));
  bytes_.insert(bytes_.end(), labels.begin(), labels.end());
  bytes_.insert(bytes_.end(), head.begin(), head.end());
  bytes_.insert(bytes_.end(), rdata.begin(), rdata.end());
  order_.push_back(static_cast<std::uint32_t>(start));
  note_origin(static_cast<std::uint32_t>(start), origin);
  return true;
}

void RRsets::note_origin(std::uint32_t start, Origin origin) {
  if (origins_.empty() && origin.line == 0) return;
  if (origins_.empty() || run_size_ == run_records_max || origin != next_origin_) {
    origins_.push_back({start, origin});
    run_size_ = 0;
  }
  ++run_size_;
  next_origin_ = origin;
  if (origin.line != 0) ++next_origin_.line;
}

// Memory that is not written to is only asked for, not taken.
void RRsets::reserve(std::size_t records) {
  bytes_.reserve(std::min(records * usual_record_bytes, bytes_max_));
  order_.reserve(records);
}

// Twice the text, for names that the file writes relative and the data here have whole. A small
// file is not worth it, and what says of itself to be larger than any is not believed.
void RRsets::reserve_for_text(std::size_t text_bytes) {
  constexpr std::size_t text_bytes_min = std::size_t{1} << 20U;
  constexpr std::size_t text_bytes_max = std::size_t{512} << 20U;
  if (text_bytes < text_bytes_min) return;
  text_bytes = std::min(text_bytes, text_bytes_max);
  bytes_.reserve(std::min(bytes_.size() + 2 * text_bytes, bytes_max_));
  order_.reserve(order_.size() + text_bytes / usual_line_bytes);
}

// A large file is mostly in order but for the apex and a few others at its beginning: so runs that
// are in order are merged, which moves the few.
void RRsets::put_in_order() {
  constexpr int runs_max = 8;
  const auto before = [this](std::uint32_t left, std::uint32_t right) {
    return comes_before(read(left), read(right));
  };
  auto sorted_to = std::is_sorted_until(order_.begin(), order_.end(), before);
  for (int run = 1; run < runs_max && sorted_to != order_.end(); ++run) {
    const auto run_end = std::is_sorted_until(sorted_to, order_.end(), before);
    std::inplace_merge(order_.begin(), sorted_to, run_end, before);
    sorted_to = run_end;
  }
  if (sorted_to != order_.end()) sort_by_keys();
}

// Records that are in no order lie all over the memory: most comparisons look at a key alone.
void RRsets::sort_by_keys() {
  struct Keyed {
    std::uint64_t key;
    std::uint32_t start;
  };
  std::vector<Keyed> keyed;
  keyed.reserve(order_.size());
  for (const std::uint32_t start : order_) keyed.push_back({first_letters(read(start)), start});
  std::ranges::sort(keyed, [this](const Keyed& left, const Keyed& right) {
    if (left.key != right.key) return left.key < right.key;
    const Record a = read(left.start), b = read(right.start);
    return std::tie(a.labels, a.type, left.start) < std::tie(b.labels, b.type, right.start);
  });
  std::ranges::transform(keyed, order_.begin(), &Keyed::start);
}

// Within an RRset the order of add() is that of the starts.
void RRsets::drop_duplicates() {
  std::vector<std::uint32_t> set;
  const auto by_rdata = [this](std::uint32_t start) { return std::pair(read(start).rdata, start); };
  std::size_t kept = 0;
  for (std::size_t position = 0; position < order_.size();) {
    const std::size_t end = set_end(position);
    if (end - position == 1) {
      order_[kept++] = order_[position++];
      continue;
    }
    set.assign(order_.begin() + static_cast<std::ptrdiff_t>(position),
               order_.begin() + static_cast<std::ptrdiff_t>(end));
    std::ranges::sort(set, {}, by_rdata);
    std::size_t distinct = 0;
    for (const std::uint32_t start : set) {
      if (distinct != 0 && read(set[distinct - 1]).rdata == read(start).rdata) {
        lower_ttl(set[distinct - 1], read(start).ttl);
      } else {
        set[distinct++] = start;
      }
    }
    set.resize(distinct);
    std::ranges::sort(set);
    std::ranges::copy(set, order_.begin() + static_cast<std::ptrdiff_t>(kept));
    kept += distinct;
    position = end;
  }
  order_.resize(kept);
}

void RRsets::lower_ttl(std::uint32_t start, std::uint32_t ttl) noexcept {
  const Record record = read(start);
  if (record.ttl <= ttl) return;
  char* const at = bytes_.data() + start + 1 + record.labels.size() + 2;
  write_number(at, ttl, 4);
}

std::size_t RRsets::size_bytes() const noexcept {
  return bytes_.size() + order_.size() * sizeof(order_[0]) + origins_.size() * sizeof(OriginRun);
}

RRsets::Record RRsets::read(std::uint32_t start) const noexcept {
  const char* at = bytes_.data() + start;
  const std::size_t labels_size = static_cast<unsigned char>(*at++);
  Record record;
  record.labels = {at, labels_size};
  at += labels_size;
  record.type = static_cast<std::uint16_t>(number_at(at, 2));
  record.ttl = number_at(at + 2, 4);
  record.rdata = {at + head_bytes, number_at(at + 6, 2)};
  return record;
}

RRsets::Record RRsets::record(std::size_t position) const noexcept {
  assert(position < order_.size());
  return read(order_[position]);
}

RRsets::Origin RRsets::origin(std::size_t position) const noexcept {
  const std::uint32_t start = order_[position];
  const auto after = std::ranges::upper_bound(origins_, start, {}, &OriginRun::start);
  if (after == origins_.begin()) return {};
  const OriginRun& run = *std::prev(after);
  Origin origin = run.origin;
  if (origin.line == 0) return {};
  for (std::size_t at = run.start; at < start; ++origin.line) {
    const Record record = read(static_cast<std::uint32_t>(at));
    at += 1 + record.labels.size() + head_bytes + record.rdata.size();
  }
  return origin;
}

Name RRsets::owner(std::size_t position) const {
  return Name::below(record(position).labels, apex_);
}

std::size_t RRsets::count() const noexcept {
  return static_cast<std::size_t>(std::ranges::distance(begin(), end()));
}

RRset RRsets::at(std::size_t position, std::size_t end) const noexcept {
  const Record first = record(position);
  RRset rrset{.type = first.type,
              .ttl = first.ttl,
              .all = this,
              .first = static_cast<std::uint32_t>(position),
              .count = 1};
  for (std::size_t next = position + 1; next < end; ++next) {
    const Record other = record(next);
    if (!is_same_rrset(first, other)) break;
    rrset.ttl = std::min(rrset.ttl, other.ttl);
    ++rrset.count;
  }
  return rrset;
}

std::size_t RRsets::set_end(std::size_t position) const noexcept {
  return position + at(position, order_.size()).count;
}

std::size_t RRsets::owner_end(std::size_t position) const noexcept {
  const std::string_view labels = record(position).labels;
  std::size_t end = position + 1;
  while (end < order_.size() && read(order_[end]).labels == labels) ++end;
  return end;
}

std::size_t RRsets::find_owner(const Name& owner) const noexcept {
  if (!owner.is_at_or_below(apex_)) return order_.size();
  const std::string_view labels = labels_below(owner, apex_);
  const auto found = std::ranges::lower_bound(
      order_, labels, {}, [this](std::uint32_t start) { return read(start).labels; });
  const bool is_there = found != order_.end() && read(*found).labels == labels;
  return is_there ? static_cast<std::size_t>(found - order_.begin()) : order_.size();
}

std::optional<RRset> RRsets::find(const Name& owner, std::uint16_t type) const noexcept {
  const std::size_t begin = find_owner(owner);
  if (begin == order_.size()) return std::nullopt;
  const std::size_t end = owner_end(begin);
  for (std::size_t position = begin; position < end;) {
    const RRset rrset = at(position, end);
    if (rrset.type == type) return rrset;
    position += rrset.count;
  }
  return std::nullopt;
}

bool RRsets::set_serial(std::uint32_t serial) noexcept {
  const auto soa = find(apex_, type_soa);
  if (!soa || soa->rdata()[0].size() < soa_numbers_bytes) return false;
  const std::string_view rdata = soa->rdata()[0];
  char* const at = bytes_.data() + (rdata.data() - bytes_.data()) +
                   static_cast<std::ptrdiff_t>(rdata.size() - soa_numbers_bytes);
  write_number(at, serial, 4);
  return true;
}

}  // namespace demarc::zones
