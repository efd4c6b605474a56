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
  std::array<std::uint8_t, header_bytes + sizeof token> message{};
  message[0] = types_of(family).request;
  message[7] = 1;  // sequence number
  std::ranges::copy(bytes_of(token), message.begin() + header_bytes);
  return {message.begin(), message.end()};
}

bool is_echo_reply(geo::Family family, std::uint64_t token,
                   std::span<const std::uint8_t> bytes) noexcept {
  if (bytes.size() != header_bytes + sizeof token) return false;
  return bytes[0] == types_of(family).reply && bytes[1] == 0 &&
         std::ranges::equal(bytes.subspan(header_bytes), bytes_of(token));
}

}  // namespace demarc::health
