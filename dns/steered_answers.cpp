#include "dns/steered_answers.h"

#include <algorithm>
#include <cassert>
#include <string_view>

#include "dns/service_compiler.h"
#include "dns/sticky_draw.h"
#include "dns/wire.h"

namespace demarc::dns {

namespace {

std::uint16_t stride_of(SteeredType type) noexcept {
  return static_cast<std::uint16_t>(rr_rdata_at + (type == SteeredType::a ? 4 : 16));
}

}  // namespace

RecordBytes ServiceAnswers::addresses(std::uint32_t at, std::uint16_t count,
                                      SteeredType type) const noexcept {
  const std::uint16_t stride = stride_of(type);
  return {{bytes_.data() + at, std::size_t{count} * stride}, count, stride};
}

inline void ServiceAnswers::append(const Record& record, SteeredType type,
                                   Drawn& drawn) const noexcept {
  if (type == SteeredType::other) return;
  if (type == SteeredType::https) {
    if (record.https_size == 0) return;
    drawn.parts[drawn.part_count++] = one_record(record.https_at, record.https_size);
    return;
  }
  const auto index = static_cast<std::size_t>(type);
  if (record.address_count[index] == 0) return;
  drawn.parts[drawn.part_count++] =
      addresses(record.addresses_at[index], record.address_count[index], type);
}

inline std::uint16_t ServiceAnswers::first_place(const Choice& choice,
                                                 Chance& chance) const noexcept {
  if (is_sticky_) [[unlikely]]
    return next_place(choice, choice.weight_sum, chance);
  const std::span columns(columns_.data() + choice.first_column, choice.column_count);
  return dns::draw(columns, choice.weight_sum, chance.random.next());
}

// One of those that were not drawn yet, by weight; `sum_left` is the sum of theirs.
std::uint16_t ServiceAnswers::next_place(const Choice& choice, std::uint32_t sum_left,
                                         Chance& chance) const noexcept {
  const std::span weights(weight_of_column_.data() + choice.first_column, choice.column_count);
  const auto is_drawn = [&](std::uint16_t place) {
    return (chance.memory.is_drawn[place / 64] >> (place % 64) & 1) != 0;
  };
  if (is_sticky_) {
    const std::span hashes(hash_of_column_.data() + choice.first_column, choice.column_count);
    return draw_sticky(chance.client, hashes, weights, is_drawn).value_or(0);
  }
  std::uint32_t level = scaled(static_cast<std::uint32_t>(chance.random.next() >> 32), sum_left);
  for (std::uint16_t place = 0;; ++place) {
    if (is_drawn(place)) continue;
    if (level < weights[place]) return place;
    level -= weights[place];
  }
}

void ServiceAnswers::draw(const Choice& choice, SteeredType type, Chance& chance,
                          Drawn& drawn) const noexcept {
  drawn.part_count = 0;
  const std::uint16_t place = first_place(choice, chance);
  const Record& record = record_of(choice, place);
  if (record.cname_size != 0) {
    drawn.parts[drawn.part_count++] = one_record(record.cname_at, record.cname_size);
    return;
  }
  if (answers_ == 1 || choice.column_count == 1) return append(record, type, drawn);
  if (answers_ < choice.column_count) {
    return draw_more(choice, type, place, chance, drawn);
  }
  append({.addresses_at = choice.all_at,
          .address_count = choice.all_count,
          .https_size = choice.all_https_size,
          .https_at = choice.all_https_at},
         type, drawn);
}

// Without replacement: each further record by its weight among those that are left.
void ServiceAnswers::draw_more(const Choice& choice, SteeredType type, std::uint16_t first,
                               Chance& chance, Drawn& drawn) const noexcept {
  DrawMemory& memory = chance.memory;
  const std::uint16_t* const weights = weight_of_column_.data() + choice.first_column;
  const auto wanted = std::min(answers_, drawn_records_max);
  std::uint32_t sum_left = choice.weight_sum;
  std::uint16_t place = first;
  for (std::size_t count = 0; count < wanted; ++count) {
    memory.places[count] = place;
    memory.is_drawn[place / 64] |= std::uint64_t{1} << (place % 64);
    sum_left -= weights[place];
    if (type != SteeredType::https) append(record_of(choice, place), type, drawn);
    if (count + 1 < wanted) place = next_place(choice, sum_left, chance);
  }
  for (std::size_t count = 0; count < wanted; ++count) {
    memory.is_drawn[memory.places[count] / 64] = 0;
  }
  if (type != SteeredType::https || https_front_.size == 0) return;
  drawn.parts[drawn.part_count++] = merged_https(choice, wanted, memory);
}

// The addresses of the records that were drawn, from their rendered A and AAAA records.
RecordBytes ServiceAnswers::merged_https(const Choice& choice, std::size_t drawn_count,
                                         DrawMemory& memory) const noexcept {
  HintWriter writer({bytes_.data() + https_front_.at, https_front_.size}, memory.https);
  for (const SteeredType type : {SteeredType::a, SteeredType::aaaa}) {
    writer.begin(type == SteeredType::a ? geo::Family::ipv4 : geo::Family::ipv6);
    const auto index = static_cast<std::size_t>(type);
    for (std::size_t count = 0; count < drawn_count; ++count) {
      const Record& record = record_of(choice, memory.places[count]);
      const RecordBytes part =
          addresses(record.addresses_at[index], record.address_count[index], type);
      for (std::size_t at = rr_rdata_at; at < part.bytes.size(); at += part.stride) {
        if (addresses_repeat_) {
          writer.add_once(part.bytes.data() + at);
        } else {
          writer.add(part.bytes.data() + at);
        }
      }
    }
  }
  const auto size = static_cast<std::uint16_t>(writer.finish());
  put16(memory.https.data() + rr_rdata_at - 2, size - rr_rdata_at);
  return {{memory.https.data(), size}, 1, size};
}

ServiceAnswers compile_service(const zones::Repository& repository, const zones::Views& views,
                               const zones::ClearedWeights& cleared) {
  return ServiceCompiler(repository, views, cleared).build();
}

}  // namespace demarc::dns
