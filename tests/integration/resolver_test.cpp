// A real recursive resolver in front of demarcd: Debian's unbound with strict QNAME minimisation
// (RFC 9156) and 0x20, asking as resolvers in the wild do. Left out where it is not installed.
#include <filesystem>
#include <optional>

#include <fmt/format.h>
#include <catch2/catch.hpp>

#include "tests/integration/server.h"
#include "tests/support/free_port.h"

namespace demarc::testing {
namespace {

class Resolver {
 public:
  Resolver(const std::string& program, std::uint16_t authority) {
    folder_.write("unbound.conf",
                  fmt::format("server:\n"
                              "  interface: 127.0.0.1\n  port: {}\n  do-daemonize: no\n"
                              "  username: \"\"\n  chroot: \"\"\n  directory: \"{}\"\n"
                              "  pidfile: \"\"\n  use-syslog: no\n  num-threads: 1\n"
                              "  do-not-query-localhost: no\n  module-config: \"iterator\"\n"
                              "  qname-minimisation: yes\n  qname-minimisation-strict: yes\n"
                              "  use-caps-for-id: yes\n  harden-below-nxdomain: yes\n"
                              "  harden-referral-path: yes\n  cache-max-ttl: 86400\n"
                              "stub-zone:\n  name: example.com\n  stub-addr: 127.0.0.1@{}\n"
                              "  stub-prime: no\n"
                              "remote-control:\n  control-enable: no\n",
                              port_, folder_.path(), authority));
    process_.emplace(
        ProcessOptions{.argv = {program, "-d", "-c", folder_.path() + "/unbound.conf"}});
  }

  [[nodiscard]] std::string ask(const std::string& name, const std::string& type) const {
    return run({"dig", "@127.0.0.1", "-p", std::to_string(port_), "+time=5", "+tries=3", name,
                type})
        .out;
  }
  [[nodiscard]] std::string errors() const { return process_->errors(); }

 private:
  TempFolder folder_;
  std::uint16_t port_ = free_port();  // unbound takes no port 0
  std::optional<Process> process_;
};

bool has(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

TEST_CASE("resolver: unbound finds everything, minimised and in mixed case",
          "[integration][resolver]") {
  const std::string program = "/usr/sbin/unbound";
  if (!std::filesystem::exists(program)) {
    WARN("left out: unbound is not installed (apt-get install unbound)");
    return;
  }
  Server server;
  server.start();
  const Resolver resolver(program, server.port());
  REQUIRE(wait_for([&] { return has(resolver.ask("ns1.example.com", "A"), "192.0.2.53"); }));
  struct Row {
    const char* name;
    const char* type;
    const char* expected;
  };
  for (const Row& row : std::initializer_list<Row>{
           {"api.example.com", "A", "192.0.2.10"},
           {"api.example.com", "AAAA", "2001:db8:1::10"},
           {"shop.example.com", "A", "192.0.2.20"},
           {"www.example.com", "A", "198.51.100.50"},
           {"example.com", "MX", "mail.example.com."},
           {"example.com", "CAA", "ca.example.net"},
           {"a.b.c.preview.example.com", "A", "192.0.2.90"},
           {"_xmpp-server._tcp.example.com", "SRV", "5269 mail.example.com."},
           {"_tcp.example.com", "A", "status: NOERROR"},
           {"nothing.example.com", "A", "status: NXDOMAIN"},
           {"a.b.c.nothing.example.com", "A", "status: NXDOMAIN"},
           {"api.example.com", "TXT", "status: NOERROR"},
       }) {
    INFO(row.name << " " << row.type);
    const std::string answer = resolver.ask(row.name, row.type);
    INFO(answer);
    CHECK(has(answer, row.expected));
    CHECK_FALSE(has(answer, "SERVFAIL"));
  }
  INFO(resolver.errors());
  const auto counters = server.status().at("counters");
  CHECK(counters.at("dropped") == 0);
  CHECK(counters.at("by-rcode").value("1", 0) == 0);
  CHECK(counters.at("by-rcode").value("2", 0) == 0);
}

}  // namespace
}  // namespace demarc::testing
