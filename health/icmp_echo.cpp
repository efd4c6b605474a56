#include "health/icmp_echo.h"

#include <algorithm>
#include <array>

namespace demarc::health {
namespace {

constexpr std::size_t header_bytes = 8;

struct Types {
  std::uint8_t request = 0;
  std::uint8_t reply = 0;
};

constexpr Types types_of(geo::Family family) noexcept {
  return family == geo::Family::ipv4 ? Types{8, 0} : Types{128, 129};
}

std::array<std::uint8_t, 8> bytes_of(std::uint64_t token) noexcept {
  std::array<std::uint8_t, 8> bytes{};
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    bytes[i] = static_cast<std::uint8_t>(token >> (56 - 8 * i));
  }
  return bytes;
}

}  // namespace

std::vector<std::uint8_t> write_echo(geo::Family family, std::uint64_t token) {
  std::vector<std::uint8_t> out(header_bytes, 0);
  out[0] = types_of(family).request;
  out[7] = 1;  // sequence number
  const auto payload = bytes_of(token);
  out.insert(out.end(), payload.begin(), payload.end());
  return out;
}

bool is_echo_reply(geo::Family family, std::uint64_t token,
                   std::span<const std::uint8_t> bytes) noexcept {
  if (bytes.size() != header_bytes + sizeof token) return false;
  return bytes[0] == types_of(family).reply && bytes[1] == 0 &&
         std::ranges::equal(bytes.subspan(header_bytes), bytes_of(token));
}

}  // namespace demarc::health
