#include "tests/speed/kinds.h"

#include <fmt/format.h>

#include <functional>
#include <random>

#include "tests/dns/world.h"

namespace demarc::dns::test {
namespace {

using Random64 = std::mt19937_64;

std::string static_name(std::size_t index) { return fmt::format("h{:06}.example.com", index); }

std::string random_label(Random64& random) {
  std::string label(10, 'a');
  for (char& letter : label) letter = static_cast<char>('a' + random() % 26);
  return label;
}

void add_names(World& world, std::size_t count) {
  zones::RRsets& rrsets = world.repository.zones.back().rrsets;
  for (std::size_t index = 0; index < count; ++index) {
    const auto low = static_cast<char>(index & 0xff);
    const zones::Rdata rdata{'\xc0', '\x00', '\x02', low};
    if (!rrsets.add(name(static_name(index)), rrtype::a, 300, rdata)) {
      throw std::runtime_error("too many records");
    }
  }
  rrsets.sort();
  world.add("*.wild.example.com. 300 IN A 192.0.2.99");
  world.add("alias.example.com. 300 IN CNAME api.example.com.");
  world.add("mail.example.com. 300 IN MX 10 api.example.com.");
  world.add("sub.example.com. 300 IN NS ns.sub.example.com.");
  world.add("ns.sub.example.com. 300 IN A 192.0.2.54");
  world.add("led.example.com. 300 IN DNAME example.com.");
}

void add_services(World& world) {
  for (const char* const owner : {"api.example.com", "kept.example.com"}) {
    zones::Service& service = world.add_service(owner);
    World::route_by_country(service);
    World::add_record(service, 0, 60, "eu1.example.net", {"192.0.2.1", "2001:db8::1"});
    World::add_record(service, 0, 40, "eu2.example.net", {"192.0.2.2", "2001:db8::2"});
    World::add_record(service, 1, 100, "us.example.net", {"192.0.2.3", "2001:db8::3"});
    service.https = zones::HttpsBinding{.alpn = {"h2", "h3"}, .port = 443};
    service.is_sticky = service.label == "kept.example.com";
  }
}

geo::Address random_ipv4(Random64& random) {
  return geo::Address::ipv4(static_cast<std::uint32_t>(random()) & 0x7fff'ffff);
}

// In a /20 of 2000::/3, where what is assigned lies.
geo::Address random_ipv6(Random64& random) {
  geo::Address address = geo::parse_address("2001::").value();
  for (std::size_t i = 2; i < 16; ++i) address.bytes[i] = static_cast<std::uint8_t>(random());
  address.bytes[2] |= 0x10;  // not Teredo's
  return address;
}

void add_networks(World& world, std::size_t count, Random64& random) {
  for (std::size_t index = 0; index < count; ++index) {
    for (const geo::Prefix prefix :
         {geo::Prefix{random_ipv4(random), 24}, geo::Prefix{random_ipv6(random), 48}}) {
      geo::Override& network = world.repository.overrides.emplace_back();
      network.network = {geo::masked(prefix.address, prefix.length), prefix.length};
      network.location.country = index % 2 == 0 ? geo::Code2{{'D', 'E'}} : geo::Code2{{'U', 'S'}};
    }
  }
}

QueryParts question(std::string qname, std::uint16_t type) {
  QueryParts parts;
  parts.name = std::move(qname);
  parts.type = type;
  return parts;
}

QueryParts with_subnet(QueryParts parts, const geo::Address& subnet) {
  const bool is_ipv4 = subnet.family == geo::Family::ipv4;
  const std::uint8_t length = is_ipv4 ? 24 : 56;
  parts.has_edns = true;
  parts.options = ecs_bytes(is_ipv4 ? 1 : 2, length,
                            Bytes(subnet.bytes.begin(), subnet.bytes.begin() + length / 8));
  return parts;
}

}  // namespace

SpeedWorld::SpeedWorld(std::size_t name_count, std::size_t query_count) {
  Random64 random(7);
  World world;
  add_names(world, name_count);
  add_services(world);
  add_networks(world, name_count, random);
  snapshot_ = world.build();

  const auto add = [&](std::string kind_name, const std::function<QueryParts()>& make) {
    Kind kind{std::move(kind_name), {}};
    for (std::size_t index = 0; index < query_count; ++index) {
      kind.queries.push_back({query_bytes(make()), random_ipv4(random)});
    }
    kinds_.push_back(std::move(kind));
  };
  const auto any_name = [&] { return static_name(random() % name_count); };
  const auto api = [] { return question("api.example.com", rrtype::a); };
  add("static", [&] { return question(any_name(), rrtype::a); });
  add("nodata", [&] { return question(any_name(), rrtype::mx); });
  add("nxdomain", [&] { return question(random_label(random) + ".example.com", rrtype::a); });
  add("wildcard", [&] { return question(random_label(random) + ".wild.example.com", rrtype::a); });
  add("referral", [&] { return question(random_label(random) + ".sub.example.com", rrtype::a); });
  add("dname", [&] {
    return question(static_name(random() % name_count).substr(0, 8) + "led.example.com", rrtype::a);
  });
  add("refused", [&] { return question(random_label(random) + ".test", rrtype::a); });
  add("service", api);
  add("service-ecs", [&] { return with_subnet(api(), random_ipv4(random)); });
  add("service-ecs-ipv6", [&] { return with_subnet(api(), random_ipv6(random)); });
  add("service-https", [] { return question("api.example.com", rrtype::https); });
  add("service-by-alias", [] { return question("alias.example.com", rrtype::a); });
  add("service-sticky", [] { return question("kept.example.com", rrtype::a); });
  add("service-in-additional", [] { return question("mail.example.com", rrtype::mx); });
}

std::size_t SpeedWorld::answer(const Kind& kind, Worker& worker) {
  std::size_t size = 0;
  for (const Kind::Asked& asked : kind.queries) {
    received_.packet = asked.packet;
    received_.client = asked.client;
    received_.reading = read_query(received_.packet, received_.query);
    size += respond(*snapshot_, worker, received_, Transport::udp, out_);
  }
  return size;
}

}  // namespace demarc::dns::test
