#include "dns/part_writer.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cassert>
#include <limits>
#include <new>

#include "dns/rendered_layout.h"

namespace demarc::dns {

namespace {

// Above this share of used slots there are twice as many: a miss then still ends after a few steps.
constexpr std::size_t load_percent_max = 60;
constexpr std::size_t slot_count_min = 2;
constexpr std::size_t block_bytes_max = std::numeric_limits<std::uint32_t>::max();

bool has_short_head(const Rendered& rendered) {
  return rendered.fits && rendered.counts[0] <= RenderedLayout::short_count_max &&
         rendered.counts[1] == 0 && rendered.counts[2] == 0 && rendered.next_owner == 0 &&
         rendered.required_additional_count == 0 && rendered.patches.empty() &&
         rendered.targets.empty() && rendered.soa_zone_plus_1 == 0 &&
         rendered.required_size == rendered.body.size();
}

// With the patches and the targets.
void append_long_head(const Rendered& rendered, std::vector<std::uint8_t>& bytes) {
  const std::size_t at = bytes.size();
  bytes.resize(at + RenderedLayout::head_size);
  std::uint8_t* const head = bytes.data() + at;
  put16(head + RenderedLayout::answer_count_at, rendered.counts[0]);
  put16(head + RenderedLayout::authority_count_at, rendered.counts[1]);
  put16(head + RenderedLayout::additional_count_at, rendered.counts[2]);
  put16(head + RenderedLayout::required_additional_at, rendered.required_additional_count);
  put16(head + RenderedLayout::next_owner_at, rendered.next_owner);
  put16(head + RenderedLayout::required_size_at,
        rendered.fits ? rendered.required_size : RenderedLayout::never_fits);
  put16(head + RenderedLayout::body_size_at, rendered.body.size());
  put16(head + RenderedLayout::patch_count_at, rendered.patches.size());
  put16(head + RenderedLayout::target_count_at, rendered.targets.size());
  put32(head + RenderedLayout::soa_zone_at, rendered.soa_zone_plus_1);
  for (const std::uint16_t patch : rendered.patches) {
    bytes.push_back(static_cast<std::uint8_t>(patch >> 8));
    bytes.push_back(static_cast<std::uint8_t>(patch));
  }
  for (const SteeredTarget& target : rendered.targets) {
    std::array<std::uint8_t, RenderedLayout::target_size> place{};
    put16(place.data(), target.name_at);
    put32(place.data() + 2, target.node);
    bytes.insert(bytes.end(), place.begin(), place.end());
  }
}

void append(std::span<const std::uint8_t> more, std::vector<std::uint8_t>& bytes) {
  bytes.insert(bytes.end(), more.begin(), more.end());
}

}  // namespace

void append_answer(const Rendered& rendered, std::vector<std::uint8_t>& bytes) {
  if (has_short_head(rendered)) {
    bytes.push_back(static_cast<std::uint8_t>(RenderedLayout::is_short | rendered.counts[0]));
    bytes.push_back(static_cast<std::uint8_t>(rendered.body.size() >> 8));
    bytes.push_back(static_cast<std::uint8_t>(rendered.body.size()));
  } else {
    append_long_head(rendered, bytes);
  }
  append(rendered.body, bytes);
}

void PartWriter::begin(std::size_t bytes_max) noexcept {
  heads_.clear();
  tails_.clear();
  bytes_max_ = std::min(bytes_max, block_bytes_max);
  is_full_ = false;
}

void PartWriter::begin_node(const NewNode& node) {
  heads_.push_back({.hash = node.hash,
                    .tail_at = tails_.size(),
                    .special = node.special,
                    .zone = node.zone,
                    .flags = node.flags,
                    .is_found_by_name = node.is_found_by_name});
  entries_.clear();
  answers_.clear();
}

void PartWriter::set_special(std::uint8_t flags, std::uint32_t special) {
  heads_.back().flags |= flags;
  heads_.back().special = special;
}

void PartWriter::add_entry(std::uint16_t type, Rcode rcode, bool is_authoritative,
                           const Rendered& rendered) {
  is_full_ = is_full_ || tails_.size() + answers_.size() > bytes_max_;
  if (is_full_) return;
  TableEntry entry;
  entry.answer_at = static_cast<std::uint32_t>(answers_.size());  // end_node() makes room before it
  entry.type = type;
  entry.rcode = rcode;
  entry.is_authoritative = is_authoritative ? 1 : 0;
  entries_.push_back(entry);
  append_answer(rendered, answers_);
}

void PartWriter::end_node(std::span<const std::uint8_t> owner) {
  Head& head = heads_.back();
  head.entry_count = static_cast<std::uint16_t>(entries_.size());
  head.owner_size = static_cast<std::uint8_t>(owner.size());
  const std::size_t before_answers = entries_.size() * sizeof(TableEntry) + owner.size();
  for (TableEntry& entry : entries_) entry.answer_at += static_cast<std::uint32_t>(before_answers);
  append({reinterpret_cast<const std::uint8_t*>(entries_.data()),
          entries_.size() * sizeof(TableEntry)},
         tails_);
  append(owner, tails_);
  append(answers_, tails_);
}

void PartWriter::write_slots(std::span<TableSlot> slots) const {
  assert(std::has_single_bit(slots.size()));
  const std::size_t mask = slots.size() - 1;
  for (std::uint32_t place = 0; place < heads_.size(); ++place) {
    const Head& head = heads_[place];
    if (!head.is_found_by_name) continue;
    std::size_t at = head.hash & mask;
    while (slots[at].place_plus_1 != 0) at = (at + 1) & mask;
    slots[at] = {static_cast<std::uint32_t>(head.hash >> 32), place + 1};
  }
}

void PartWriter::write_nodes(std::uint8_t* nodes) const {
  const std::size_t nodes_size = heads_.size() * sizeof(Node);
  for (std::size_t place = 0; place < heads_.size(); ++place) {
    const Head& head = heads_[place];
    Node& node = *new (nodes + place * sizeof(Node)) Node;
    node.tail_at = static_cast<std::uint32_t>(nodes_size - place * sizeof(Node) + head.tail_at);
    node.special = head.special;
    node.zone = head.zone;
    node.entry_count = head.entry_count;
    node.owner_size = head.owner_size;
    node.flags = head.flags;
  }
}

std::optional<KeptPart> PartWriter::finish(const KeptPart& last) {
  if (is_full_) return std::nullopt;
  const std::size_t slot_count =
      std::max(slot_count_min, std::bit_ceil(heads_.size() * 100 / load_percent_max + 1));
  const std::size_t slots_size = slot_count * sizeof(TableSlot);
  const std::size_t nodes_size = heads_.size() * sizeof(Node);
  const std::size_t size = slots_size + nodes_size + tails_.size();
  if (size > bytes_max_) return std::nullopt;

  block_.assign((size + sizeof(std::uint64_t) - 1) / sizeof(std::uint64_t), 0);
  auto* const bytes = reinterpret_cast<std::uint8_t*>(block_.data());
  write_slots({reinterpret_cast<TableSlot*>(bytes), slot_count});
  write_nodes(bytes + slots_size);
  std::ranges::copy(tails_, bytes + slots_size + nodes_size);

  const bool is_same = last.block != nullptr && last.part.slot_mask == slot_count - 1 &&
                       last.part.node_count == heads_.size() &&
                       std::ranges::equal(*last.block, block_);
  if (is_same) return last;
  KeptPart kept;
  kept.block = std::make_shared<const PartBytes>(block_.begin(), block_.end());
  const auto* const kept_bytes = reinterpret_cast<const std::uint8_t*>(kept.block->data());
  kept.part = {.slots = reinterpret_cast<const TableSlot*>(kept_bytes),
               .slot_mask = static_cast<std::uint32_t>(slot_count - 1),
               .node_count = static_cast<std::uint32_t>(heads_.size())};
  return kept;
}

}  // namespace demarc::dns
