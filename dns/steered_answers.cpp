#include "dns/steered_answers.h"

#include <algorithm>
#include <cassert>
#include <string_view>

#include "dns/service_compiler.h"
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

void ServiceAnswers::append(const Record& record, SteeredType type, Drawn& drawn) const noexcept {
  if (type == SteeredType::other) return;
  const auto index = static_cast<std::size_t>(type);
  if (record.address_count[index] == 0) return;
  drawn.parts[drawn.part_count++] =
      addresses(record.addresses_at[index], record.address_count[index], type);
}

void ServiceAnswers::draw(const Choice& choice, SteeredType type, Random& random,
                          DrawMemory& memory, Drawn& drawn) const noexcept {
  drawn.part_count = 0;
  const std::span columns(columns_.data() + choice.first_column, choice.column_count);
  const std::uint16_t place = dns::draw(columns, choice.weight_sum, random.next());
  const Record& record = record_of(choice, place);
  if (record.cname_size != 0) {
    drawn.parts[drawn.part_count++] = {
        {bytes_.data() + record.cname_at, record.cname_size}, 1, record.cname_size};
    return;
  }
  if (answers_ == 1 || choice.column_count == 1) return append(record, type, drawn);
  if (answers_ < choice.column_count) {
    return draw_more(choice, type, place, random, memory, drawn);
  }
  const auto index = static_cast<std::size_t>(type);
  if (type == SteeredType::other || choice.all_count[index] == 0) return;
  drawn.parts[drawn.part_count++] = addresses(choice.all_at[index], choice.all_count[index], type);
}

// Without replacement: each further record by its weight among those that are left.
void ServiceAnswers::draw_more(const Choice& choice, SteeredType type, std::uint16_t first,
                               Random& random, DrawMemory& memory, Drawn& drawn) const noexcept {
  const std::uint16_t* const weights = weight_of_column_.data() + choice.first_column;
  const auto wanted = std::min(answers_, drawn_records_max);
  std::array<std::uint16_t, drawn_records_max> places;
  std::uint32_t sum_left = choice.weight_sum;
  std::uint16_t place = first;
  for (std::size_t count = 0; count < wanted; ++count) {
    places[count] = place;
    memory.is_drawn[place / 64] |= std::uint64_t{1} << (place % 64);
    sum_left -= weights[place];
    append(record_of(choice, place), type, drawn);
    if (count + 1 == wanted) break;

    std::uint32_t level = scaled(static_cast<std::uint32_t>(random.next() >> 32), sum_left);
    for (place = 0;; ++place) {
      if ((memory.is_drawn[place / 64] >> (place % 64) & 1) != 0) continue;
      if (level < weights[place]) break;
      level -= weights[place];
    }
  }
  for (std::size_t count = 0; count < wanted; ++count) memory.is_drawn[places[count] / 64] = 0;
}

ServiceAnswers compile_service(const zones::Repository& repository, const zones::Views& views,
                               const zones::ClearedWeights& cleared) {
  return ServiceCompiler(repository, views, cleared).build();
}

}  // namespace demarc::dns
