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

/// What the example zone does not have: an apex service, empty non-terminals, DNAMEs and CNAMEs
/// into wildcards, services and a delegation, which lies where nobody but `child` answers.
void add_names(const Server& server) {
  const std::string zone = server.path("repository/zones/example.com.yaml");
  edit(zone, "\n  partner:",
       "\n  old: { DNAME: preview }\n"
       "  moved: { DNAME: '@' }\n"
       "  lost: { DNAME: here }\n"
       "  a.b.ent: { TXT: deep }\n"
       "  chain: { CNAME: chain2 }\n"
       "  chain2: { CNAME: api.moved }\n"
       "  into: { CNAME: www.here }\n"
       "  here: { NS: ns.here }\n"
       "  ns.here: { A: 127.53.7.1 }\n"
       "  partner:");
  edit(zone, "\nservices:\n",
       "\nservices:\n"
       "  '@':\n"
       "    records: [{ region: eu, weight: 1, endpoint: apex.eu.example.net, addresses: "
       "192.0.2.111 }]\n");
}

/// A demarcd for the delegated part. Resolvers ask port 53 of what a referral names, and not
/// everybody may listen there.
class Child {
 public:
  Child() {
    folder_.write("repository/zones/here.yaml",
                  "zone: here.example.com\n"
                  "soa: { primary: ns, contact: h@example.com }\n"
                  "nameservers: [ns]\n"
                  "records: { ns: { A: 127.53.7.1 }, www: { A: 192.0.2.77 } }\n");
    folder_.write("demarcd.yaml",
                  "listen: \"127.53.7.1:53\"\nrepository: repository\n");
    process_.emplace(ProcessOptions{.argv = {DEMARC_BINARY_DIR "/tools/demarcd", "--config",
                                             folder_.path() + "/demarcd.yaml"}});
    listens_ = process_->wait_for_line("ready ").has_value();
  }
  [[nodiscard]] bool listens() const noexcept { return listens_; }

 private:
  TempFolder folder_;
  std::optional<Process> process_;
  bool listens_ = false;
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
  add_names(server);
  server.start();
  const Child child;
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
           {"example.com", "A", "192.0.2.111"},
           {"example.com", "AAAA", "status: NOERROR"},
           {"example.com", "NS", "ns1.example.com."},
           {"a.b.ent.example.com", "TXT", "deep"},
           {"b.ent.example.com", "A", "status: NOERROR"},
           {"c.ent.example.com", "A", "status: NXDOMAIN"},
           {"x.y.old.example.com", "A", "192.0.2.90"},
           {"old.example.com", "DNAME", "preview.example.com."},
           {"api.moved.example.com", "A", "192.0.2.10"},
           {"api.moved.example.com", "AAAA", "2001:db8:1::10"},
           {"no.moved.example.com", "A", "status: NXDOMAIN"},
           {"chain.example.com", "A", "192.0.2.10"},
           {"www.here.example.com", "A", "192.0.2.77"},
           {"into.example.com", "A", "192.0.2.77"},
           {"www.lost.example.com", "A", "192.0.2.77"},
       }) {
    const bool is_delegated = std::string_view(row.expected) == "192.0.2.77";
    if (is_delegated && !child.listens()) continue;
    INFO(row.name << " " << row.type);
    const std::string answer = resolver.ask(row.name, row.type);
    INFO(answer);
    CHECK(has(answer, row.expected));
    CHECK_FALSE(has(answer, "SERVFAIL"));
  }
  if (!child.listens()) WARN("left out: a delegation, since port 53 of 127.53.7.1 is not ours");
  INFO(resolver.errors());
  const auto counters = server.status().at("counters");
  CHECK(counters.at("dropped") == 0);
  CHECK(counters.at("by-rcode").value("1", 0) == 0);
  CHECK(counters.at("by-rcode").value("2", 0) == 0);
}

}  // namespace
}  // namespace demarc::testing
