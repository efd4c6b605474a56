#include "dns/moved_answer.h"

#include <algorithm>
#include <cassert>

#include "dns/answer_writer.h"
#include "dns/steered_answers.h"

namespace demarc::dns {

namespace {

constexpr std::uint16_t pointer_mark = 0xc000;
constexpr std::size_t question_fixed_size = 4;  // QTYPE, QCLASS

bool is_pointer(std::uint8_t length) noexcept { return length >= 0xc0; }

// Rewrites the pointer that ends the name at `at`, if one does; returns what follows the name.
std::size_t move_name(const MovedAnswer& answer, std::span<std::uint8_t> body,
                      std::size_t at) noexcept {
  while (!is_pointer(body[at])) {
    if (body[at] == 0) return at + 1;
    at += std::size_t{body[at]} + 1;
  }
  const std::size_t position = get16(body.data() + at) & pointed_size_max;
  put16(body.data() + at, std::size_t{pointer_mark} | answer.moved(position));
  return at + 2;
}

}  // namespace

std::uint16_t MovedAnswer::moved(std::size_t position) const noexcept {
  const std::size_t question_end = header_size + rendered_owner.size();
  if (position == header_size && is_wildcard) return name.at();
  if (position < question_end) return name.suffix_at(question_end - position);
  return static_cast<std::uint16_t>(position - (question_end + question_fixed_size) + body_at);
}

void move_names(const MovedAnswer& answer, std::span<std::uint8_t> body) noexcept {
  assert(answer.body_at + body.size() <= pointed_size_max);
  std::size_t at = 0;
  while (at < body.size()) {
    at = move_name(answer, body, at);
    const std::uint16_t type = get16(body.data() + at);
    const std::size_t rdata_at = at + rr_rdata_at - 2;  // the owner's pointer was counted in
    const CompressibleNames names = compressible_names(type);
    std::size_t name_at = rdata_at + names.offset;
    for (std::size_t index = 0; index < names.count; ++index) {
      name_at = move_name(answer, body, name_at);
    }
    at = rdata_at + get16(body.data() + rdata_at - 2);
  }
}

std::size_t first_rdata_name(const MovedAnswer& answer, std::span<const std::uint8_t> body,
                             std::span<std::uint8_t> out) noexcept {
  std::size_t size = 0;
  std::size_t at = rr_rdata_at;
  while (!is_pointer(body[at])) {
    const std::size_t label_size = std::size_t{body[at]} + 1;
    std::ranges::copy(body.subspan(at, label_size), out.data() + size);
    size += label_size;
    if (label_size == 1) return size;
    at += label_size;
  }
  // The first record has nothing before it but the question.
  const std::size_t position = get16(body.data() + at) & pointed_size_max;
  const auto suffix = answer.rendered_owner.subspan(position - header_size);
  std::ranges::copy(suffix, out.data() + size);
  return size + suffix.size();
}

}  // namespace demarc::dns
