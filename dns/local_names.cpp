#include "dns/local_names.h"

#include <algorithm>
#include <array>

#include "dns/wire.h"

namespace demarc::dns {

namespace {

constexpr std::size_t string_size_max = 255;

}  // namespace

bool is_challenge_name(std::span<const std::uint8_t> name) noexcept {
  if (name.size() <= challenge_label.size() + 1 || name[0] != challenge_label.size()) return false;
  return std::ranges::equal(name.subspan(1, challenge_label.size()), challenge_label, {}, {},
                            [](char letter) { return static_cast<std::uint8_t>(letter); });
}

void TextRecords::add(std::string_view text, std::uint32_t ttl) {
  const std::size_t strings =
      std::max<std::size_t>((text.size() + string_size_max - 1) / string_size_max, 1);
  std::array<std::uint8_t, rr_rdata_at> head{};
  put16(head.data(), 0xc000 | header_size);
  put16(head.data() + 2, rrtype::txt);
  put16(head.data() + 4, rrclass::in);
  put32(head.data() + rr_ttl_at, ttl);
  put16(head.data() + rr_rdata_at - 2, text.size() + strings);
  bytes_.insert(bytes_.end(), head.begin(), head.end());
  for (std::size_t string = 0; string < strings; ++string) {
    const std::string_view part = text.substr(string * string_size_max, string_size_max);
    bytes_.push_back(static_cast<std::uint8_t>(part.size()));
    bytes_.insert(bytes_.end(), part.begin(), part.end());
  }
  ++count_;
}

}  // namespace demarc::dns
