// How much the control side does: a reload parses what changed, a verdict compiles what it touches.
#include <fstream>

#include <fmt/format.h>
#include <catch2/catch.hpp>

#include "tests/integration/server.h"

namespace demarc::testing {
namespace {

constexpr int services = 20;
constexpr int services_at_hub = 3;

void write(const std::string& path, const std::string& text) {
  std::ofstream(path, std::ios::binary) << text;
}

/// Each service has a record at an endpoint that is probed, and one that takes over.
std::string zone_with(std::uint16_t hub_port, std::uint16_t other_port) {
  std::string text =
      "zone: work.example\nsoa: { primary: ns1.example.net., contact: h@example.net }\n"
      "nameservers: [ns1.example.net.]\nservices:\n";
  for (int i = 0; i < services; ++i) {
    const bool is_at_hub = i < services_at_hub;
    text += fmt::format(
        "  s{}:\n    records:\n"
        "      - {{ region: eu, weight: 100, endpoint: {}, addresses: [192.0.2.101] }}\n"
        "      - {{ region: eu, weight: 0, endpoint: r.example.net, addresses: [192.0.2.102] }}\n"
        "    health-checks:\n      - {{ endpoint: \"http://{}/\", probe-at: \"127.0.0.1:{}\", "
        "interval: 1s, timeout: 500ms, fall: 1, rise: 1 }}\n",
        i, is_at_hub ? "hub.example.net" : "other.example.net",
        is_at_hub ? "hub.example.net" : "other.example.net", is_at_hub ? hub_port : other_port);
  }
  return text;
}

/// Minus one if there is no such metric.
long metric(std::uint16_t port, const std::string& name) {
  const std::string text =
      "\n" + run({"curl", "-s", fmt::format("http://127.0.0.1:{}/metrics", port)}).out;
  const auto at = text.find("\n" + name + " ");
  return at == std::string::npos ? -1 : std::stol(text.substr(at + name.size() + 2));
}

}  // namespace

TEST_CASE("work: a reload parses what changed, a verdict compiles what it touches",
          "[integration]") {
  Server server;
  HttpBackend hub;
  HttpBackend other;
  const std::uint16_t port = [] { return HttpBackend().port(); }();
  edit(server.path("demarcd.yaml"), "node: test",
       fmt::format("node: test\nhttp: 127.0.0.1:{}", port));
  write(server.path("repository/zones/work.yaml"), zone_with(hub.port(), other.port()));
  server.start();
  const auto value = [&](const char* name) { return metric(port, name); };

  const long parsed = value("demarc_zone_files_parsed_total");
  REQUIRE(parsed >= 2);
  CHECK(value("demarc_zone_files_unchanged_total") == 0);
  const long built = value("demarc_zone_parts_built_total");
  REQUIRE(built >= 1);
  CHECK(value("demarc_zone_parts_kept_total") == 0);
  REQUIRE(server.ask({"reload"}).exit == 0);
  CHECK(value("demarc_zone_parts_built_total") == built);
  CHECK(value("demarc_zone_parts_kept_total") == built);
  CHECK(value("demarc_zone_files_parsed_total") == parsed);
  CHECK(value("demarc_zone_files_unchanged_total") == parsed);
  // In one step, and no reload is asked for: the server notices by itself, once.
  write(server.path("work.yaml"),
        zone_with(hub.port(), other.port()) + "records: { www: { A: 192.0.2.103 } }\n");
  std::filesystem::rename(server.path("work.yaml"), server.path("repository/zones/work.yaml"));
  REQUIRE(wait_for([&] { return server.answers("www.work.example", "192.0.2.103"); }));
  CHECK(value("demarc_zone_files_parsed_total") == parsed + 1);

  REQUIRE(wait_for([&] { return server.answers("s0.work.example", "192.0.2.101"); }));
  const long compiled = value("demarc_services_compiled_total");
  REQUIRE(compiled >= services);
  hub.status(503);
  for (int i = 0; i < services_at_hub; ++i) {
    const std::string name = fmt::format("s{}.work.example", i);
    CAPTURE(name);
    REQUIRE(wait_for([&] { return server.answers(name, "192.0.2.102"); }));
  }
  CHECK(value("demarc_services_compiled_total") == compiled + services_at_hub);
  CHECK(server.answers("s19.work.example", "192.0.2.101"));
}

}  // namespace demarc::testing
