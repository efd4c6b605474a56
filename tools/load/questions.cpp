#include "tools/load/questions.h"

#include <algorithm>
#include <array>
#include <fstream>

#include <fmt/format.h>

#include "dns/random.h"
#include "dns/wire.h"

namespace demarc::tools::load {
namespace {

constexpr std::size_t random_questions = 50'000;
constexpr std::size_t random_label_size = 10;
constexpr std::uint8_t subnet_bits = 24;

void put16(std::vector<std::uint8_t>& out, std::size_t value) {
  out.push_back(static_cast<std::uint8_t>(value >> 8U & 0xffU));
  out.push_back(static_cast<std::uint8_t>(value & 0xffU));
}

std::vector<std::uint8_t> question(const zones::Name& name, std::uint16_t qtype) {
  std::vector<std::uint8_t> message(dns::header_size, 0);
  message[5] = 1;  // QDCOUNT
  message.insert(message.end(), name.bytes().begin(), name.bytes().end());
  put16(message, qtype);
  put16(message, dns::rrclass::in);
  return message;
}

/// RFC 6891 §6.1.2, with RFC 7871's option if there is a subnet.
void add_opt(std::vector<std::uint8_t>& message, const std::optional<geo::Address>& subnet) {
  message[11] = 1;       // ARCOUNT
  message.push_back(0);  // the root
  put16(message, dns::rrtype::opt);
  put16(message, dns::udp_size_max);
  message.insert(message.end(), 4, 0);  // extended rcode, version, flags
  constexpr std::size_t address_bytes = subnet_bits / 8;
  constexpr std::size_t data_size = 4 + address_bytes;
  put16(message, subnet ? dns::edns::option_header_size + data_size : 0);
  if (!subnet) return;
  put16(message, dns::edns::client_subnet);
  put16(message, data_size);
  put16(message, 1);  // FAMILY: IPv4
  message.push_back(subnet_bits);
  message.push_back(0);  // scope
  message.insert(message.end(), subnet->bytes.begin(), subnet->bytes.begin() + address_bytes);
}

std::optional<zones::Name> with_random_label(const zones::Name& below, dns::Random& random) {
  std::string label;
  for (std::size_t i = 0; i < random_label_size; ++i) {
    label += static_cast<char>('a' + dns::scaled(static_cast<std::uint32_t>(random.next()), 26));
  }
  return zones::Name::parse(label, below);
}

bool is_public(const geo::Address& address) {
  // RFC 6890's registry, 0/8 and multicast and what is reserved above it.
  static const std::vector<geo::Prefix> kept = [] {
    std::vector<geo::Prefix> list;
    for (const char* text :
         {"0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16",
          "172.16.0.0/12", "192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16",
          "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/3"}) {
      list.push_back(*geo::parse_prefix(text));
    }
    return list;
  }();
  return std::ranges::none_of(kept, [&](const geo::Prefix& p) { return p.contains(address); });
}

}  // namespace

geo::Address random_public_address(std::uint64_t random) noexcept {
  dns::Random numbers(random);
  for (;;) {  // nine of ten are public
    const auto address = geo::Address::ipv4(static_cast<std::uint32_t>(numbers.next()));
    if (is_public(address)) return address;
  }
}

Questions build_questions(const Wanted& wanted, std::uint64_t seed) {
  dns::Random random(seed);
  std::size_t count = std::max(wanted.names.size(), wanted.subnets);
  if (wanted.random_labels) count = std::max(count, random_questions);
  count = std::min(count, questions_max);
  Questions questions;
  for (std::size_t i = 0; i < count; ++i) {
    zones::Name name = wanted.names[i % wanted.names.size()];
    if (wanted.random_labels) name = with_random_label(name, random).value_or(name);
    auto message = question(name, wanted.qtype);
    std::optional<geo::Address> subnet;
    if (wanted.subnets != 0) subnet = random_public_address(random.next());
    if (subnet || wanted.has_edns) add_opt(message, subnet);
    questions.add(message);
  }
  return questions;
}

Result<std::vector<zones::Name>, std::string> read_names(const std::string& path) {
  std::ifstream in(path);
  if (!in)
    return std::unexpected(fmt::format("{}: cannot be read; expected names, one a line", path));
  std::vector<zones::Name> names;
  std::size_t number = 0;
  for (std::string line; std::getline(in, line);) {
    ++number;
    if (line.empty() || line.front() == '#') continue;
    auto name = zones::Name::parse_absolute(line);
    if (!name)
      return std::unexpected(fmt::format("{}:{}:1: `{}` is no domain name", path, number, line));
    if (names.size() == questions_max) {
      return std::unexpected(
          fmt::format("{}:{}:1: more than {} names", path, number, questions_max));
    }
    names.push_back(std::move(*name));
  }
  if (names.empty()) return std::unexpected(path + ": no names in it; expected one a line");
  return names;
}

}  // namespace demarc::tools::load
