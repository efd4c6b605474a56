// Fuzzes dns/responder.h over a zone with every kind of answer. The law: an answer is a message
// that parses, has the query's id and question, and fits the client's size.

#include <cstdint>
#include <cstdlib>
#include <memory>
#include <span>

#include "dns/responder.h"
#include "tests/dns/world.h"

namespace {

using namespace demarc::dns;

void require(bool holds) {
  if (!holds) std::abort();
}

std::shared_ptr<const OperatorView> make_operator_view() {
  auto view = std::make_shared<OperatorView>();
  view->zones = {{{*demarc::geo::parse_prefix("198.51.100.0/24")}, true, true, true}};
  view->services.resize(2);
  for (ServiceTexts& texts : view->services) {
    for (int line = 0; line < 20; ++line) texts.health.add(std::string(200, 'h'), 0);
    texts.gate_home.add(std::string(400, 'g'), 0);
    texts.regions = texts.fenced_regions = std::vector<std::string>(4, std::string(300, 'r'));
  }
  return view;
}

std::shared_ptr<const Challenges> make_challenges() {
  auto challenges = std::make_shared<Challenges>();
  const test::Bytes owner = test::name_bytes("_acme-challenge.api.example.com");
  (*challenges)[std::string(owner.begin(), owner.end())].add(std::string(43, 'v'), 5);
  return challenges;
}

std::unique_ptr<const Snapshot> make_snapshot() {
  test::World world;
  world.add("example.com. 300 IN MX 10 mail.example.com.");
  world.add("mail.example.com. 300 IN A 192.0.2.25");
  world.add("*.wild.example.com. 300 IN MX 5 mail.example.com.");
  world.add("sub.example.com. 300 IN NS ns.sub.example.com.");
  world.add("ns.sub.example.com. 300 IN A 192.0.2.54");
  world.add("*.alias.example.com. 300 IN CNAME api.example.com.");
  auto& api = world.add_service("api.example.com");
  test::World::route_by_country(api);
  test::World::add_record(api, 0, 60, "eu1.example.net", {"192.0.2.1", "2001:db8::1"});
  test::World::add_record(api, 1, 40, "us.example.net", {});
  api.https = demarc::zones::HttpsBinding{.alpn = {"h2", "h3"}, .port = 8443};
  auto& two = world.add_service("two.example.com");
  two.answers = 2;
  two.https = demarc::zones::HttpsBinding{.alpn = {"h2"}, .has_default_alpn = false};
  for (const char* const address : {"192.0.2.1", "192.0.2.2", "192.0.2.3"}) {
    test::World::add_record(two, 0, 1, address + std::string(".example.net"), {address});
  }
  world.add("steered.example.com. 300 IN MX 10 two.example.com.");
  world.add("steered.example.com. 300 IN SRV 0 0 443 api.example.com.");
  world.add("*.steered.example.com. 300 IN HTTPS 1 two.example.com.");
  world.add("example.com. 300 IN HTTPS 0 api.example.com.");
  world.add("far.example.com. 300 IN NS two.example.com.");
  world.add("led.example.com. 300 IN DNAME example.com.");
  world.add("longer.example.com. 300 IN DNAME " + std::string(60, 'l') + ".led.example.com.");
  world.add("led2.example.com. 300 IN DNAME longer.example.com.");
  world.add_network("198.51.0.0/16", "US");
  world.add_network("2001:db8::/32", "DE");
  return with_local_names(*world.build(), make_operator_view(), make_challenges());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const std::unique_ptr<const Snapshot> snapshot = make_snapshot();
  static const auto worker = std::make_unique<Worker>(1);
  static test::Bytes out(message_size_max);
  const auto client = demarc::geo::Address::ipv4(0xc633'6401);
  const std::span packet(data, size);
  for (const Transport transport : {Transport::udp, Transport::tcp}) {
    const std::size_t answer_size = respond(*snapshot, *worker, packet, client, transport, out);
    if (answer_size == 0) continue;
    require(size >= header_size && (data[2] & qr_bit) == 0);
    require(transport == Transport::tcp || answer_size <= udp_size_max);
    require(get16(out.data()) == get16(data) && (out[2] & qr_bit) != 0);
    // Throws if it does not parse.
    const test::Message message{std::span<const std::uint8_t>(out).first(answer_size)};
    if (message.question_count() == 0) continue;
    Query query;
    (void)read_query(packet, query);
    require(std::equal(query.question.begin(), query.question.end(), out.begin() + header_size));
    require(message.has_edns() == query.edns.present);
  }
  return 0;
}
