// Zone transfers with the programs that operators have: dig and kdig ask for the zone, and NSD is a
// real secondary that hears of changes by NOTIFY.
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>

#include <fmt/format.h>
#include <catch2/catch.hpp>

#include "tests/integration/server.h"
#include "tests/support/free_port.h"

namespace demarc::testing {
namespace {

using namespace std::chrono_literals;

constexpr const char* key_name = "transfer.example.net";
constexpr const char* secret = "ZGVtYXJjIHRlc3RzIHRyYW5zZmVycyB3aXRoIHRoaXM=";
constexpr const char* other_secret = "YW5vdGhlciBzZWNyZXQgdGhhdCBub2JvZHkga25vd3M=";

std::string key_argument(const std::string& base64 = secret) {
  return fmt::format("hmac-sha256:{}:{}", key_name, base64);
}

/// demarcd, from which who has the key may transfer the example zone.
class Primary : public Server {
 public:
  /// `notify` is a list in YAML.
  explicit Primary(const std::string& notify = "", const std::string& allow = key_name) {
    write_secret(secret);
    std::ofstream(path("demarcd.yaml"), std::ios::app) << fmt::format(
        "tsig-keys: [{{ name: {}, algorithm: hmac-sha256, secret-file: transfer.secret }}]\n",
        key_name);
    const std::string zone = path("repository/zones/example.com.yaml");
    // The example's other services are not for secondaries: `home: client` is every client's own.
    std::string text = read_file(zone);
    const auto others = text.find("\n  # Hard, with the home of each client");
    REQUIRE(others != std::string::npos);
    std::ofstream(zone) << text.substr(0, others);
    edit(zone, "\nservices:\n",
         fmt::format("\ntransfer:\n  allow: [{}]\n{}\nservices:\n", allow,
                     notify.empty() ? "" : "  notify: " + notify + "\n"));
  }

  void write_secret(const std::string& base64, unsigned mode = 0600) const {
    std::ofstream(path("transfer.secret")) << base64 << "\n";
    std::filesystem::permissions(path("transfer.secret"),
                                 static_cast<std::filesystem::perms>(mode));
  }
  /// What dig prints of a transfer; the options come before the question.
  [[nodiscard]] std::string ask_zone(std::vector<std::string> options,
                                     const std::string& to = "127.0.0.1") const {
    const std::uint16_t asked = to == "::1" ? port_v6() : port();
    options.insert(options.begin(), {"dig", "@" + to, "-p", std::to_string(asked)});
    options.insert(options.end(), {"example.com", "AXFR", "+nocomments"});
    return run(options).out;
  }
  [[nodiscard]] std::uint32_t serial() const {
    const auto soa = dig("127.0.0.1", port(), {"example.com", "SOA"}).rdata("SOA");
    REQUIRE(soa.size() == 1);
    std::istringstream in(soa[0]);
    std::string primary, contact;
    std::uint32_t serial = 0;
    in >> primary >> contact >> serial;
    return serial;
  }
};

/// The lines of a transfer, as dig or kdig prints them, without comments.
std::vector<std::vector<std::string>> records_of(const std::string& text) {
  std::vector<std::vector<std::string>> records;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    if (line.empty() || line.starts_with(';')) continue;
    std::istringstream fields(line);
    std::vector<std::string> record;
    for (std::string field; fields >> field;) record.push_back(field);
    if (record.size() > 4 && record[3] != "TSIG") records.push_back(std::move(record));
  }
  return records;
}

std::set<std::string> rdata_of(const std::vector<std::vector<std::string>>& records,
                               const std::string& owner, const std::string& type) {
  std::set<std::string> found;
  for (const auto& record : records) {
    if (record[0] == owner && record[3] == type) found.insert(record[4]);
  }
  return found;
}

using Found = std::set<std::string>;

TEST_CASE("transfer: dig and kdig get the whole zone with a key", "[integration][transfer]") {
  Primary server;
  server.start();
  const std::string port = std::to_string(server.port());
  for (const auto& command : std::vector<std::vector<std::string>>{
           {"dig", "@127.0.0.1", "-p", port, "example.com", "AXFR", "-y", key_argument(),
            "+nocomments"},
           {"dig", "@127.0.0.1", "-p", port, "example.com", "IXFR=1", "-y", key_argument(),
            "+nocomments"},
           {"kdig", "@127.0.0.1", "-p", port, "example.com", "AXFR", "-y", key_argument()}}) {
    CAPTURE(command);
    const Finished answer = run(command);
    INFO(answer.out << answer.err);
    CHECK(answer.exit == 0);
    CHECK(answer.out.find("verify") == std::string::npos);  // neither likes the signature else
    const auto records = records_of(answer.out);
    REQUIRE(records.size() > 20);
    CHECK(records.front()[3] == "SOA");
    CHECK(records.back() == records.front());
    CHECK(records.front()[6] == std::to_string(server.serial()));
    CHECK(std::ranges::count_if(records, [](const auto& r) { return r[3] == "SOA"; }) == 2);
    CHECK(rdata_of(records, "ns1.example.com.", "A") == Found{"192.0.2.53"});
    CHECK(rdata_of(records, "ns1.partner.example.com.", "A") == Found{"203.0.113.53"});
    CHECK(rdata_of(records, "*.preview.example.com.", "A") == Found{"192.0.2.90"});
    CHECK(rdata_of(records, "api.example.com.", "A") == Found{Server::api_home});
    CHECK(rdata_of(records, "shop.example.com.", "A") == Found{Server::shop_home});
    CHECK(rdata_of(records, "_mode.api.example.com.", "TXT").size() == 1);
  }
  SECTION("IXFR by who is up to date: the SOA alone") {
    const Finished answer =
        run({"dig", "@127.0.0.1", "-p", port, "example.com",
             "IXFR=" + std::to_string(server.serial()), "-y", key_argument(), "+nocomments"});
    CHECK(records_of(answer.out).size() == 1);
  }
  SECTION("what demarcd counts") {
    const auto counters = server.status()["counters"];
    CHECK(counters["transfers"] == 3);
    CHECK(counters["transfers-finished"] == 3);
  }
}

TEST_CASE("transfer: refused, each for its reason", "[integration][transfer]") {
  Primary server;
  server.start();
  SECTION("without a key: REFUSED") {
    const std::string answer = server.ask_zone({});
    CHECK(records_of(answer).empty());
    CHECK(answer.find("Transfer failed.") != std::string::npos);
    const Finished kdig =
        run({"kdig", "@127.0.0.1", "-p", std::to_string(server.port()), "example.com", "AXFR"});
    CHECK((kdig.out + kdig.err).find("REFUSED") != std::string::npos);
  }
  SECTION("with another secret: NOTAUTH, BADSIG") {
    const std::string answer = server.ask_zone({"-y", key_argument(other_secret)});
    CHECK(records_of(answer).empty());
    const DigAnswer soa =
        dig("127.0.0.1", server.port(), {"example.com", "SOA", "-y", key_argument(other_secret)});
    CHECK(soa.text.find("BADSIG") != std::string::npos);
  }
  SECTION("with a key that nobody knows: NOTAUTH, BADKEY") {
    const DigAnswer soa =
        dig("127.0.0.1", server.port(),
            {"example.com", "SOA", "-y", std::string("hmac-sha256:other.example:") + secret});
    CHECK(soa.text.find("BADKEY") != std::string::npos);
  }
  SECTION("over UDP: REFUSED; IXFR over UDP: the SOA, so that it comes by TCP") {
    const std::string answer = server.ask_zone({"+notcp", "+noedns"});
    CHECK(records_of(answer).empty());
  }
  SECTION("DNS UPDATE: REFUSED, signed or not") {
    for (const bool is_signed : {false, true}) {
      std::vector<std::string> command{"nsupdate", "-v"};
      if (is_signed) command.insert(command.end(), {"-y", key_argument()});
      const Finished update =
          run({.argv = command,
               .input = fmt::format("server 127.0.0.1 {}\nzone example.com\n"
                                    "update add evil.example.com 60 A 192.0.2.66\nsend\n",
                                    server.port())});
      CHECK(update.exit != 0);
      CHECK((update.out + update.err).find("REFUSED") != std::string::npos);
    }
  }
  SECTION("signed queries get signed answers over UDP") {
    const DigAnswer soa =
        dig("127.0.0.1", server.port(), {"example.com", "SOA", "-y", key_argument()});
    CHECK(soa.status == "NOERROR");
    CHECK(soa.text.find("verify") == std::string::npos);
    CHECK(soa.text.find("NOERROR 0") != std::string::npos);  // the TSIG record's error
  }
}

TEST_CASE("transfer: by address alone, and never beyond it", "[integration][transfer]") {
  Primary near("", "127.0.0.0/8");
  near.start();
  CHECK(records_of(near.ask_zone({})).size() > 20);
  const std::string far = near.ask_zone({}, "::1");
  CHECK(records_of(far).empty());
  CHECK(far.find("Transfer failed.") != std::string::npos);
}

TEST_CASE("transfer: a secret that cannot be used stops the start", "[integration][transfer]") {
  Primary server;
  SECTION("everybody can read it") {
    server.write_secret(secret, 0604);
    CHECK(server.start_in_vain().find("transfer.secret: [open-secret] mode 0604") !=
          std::string::npos);
  }
  SECTION("it is none") {
    server.write_secret("too short");
    CHECK(server.start_in_vain().find("transfer.secret: [bad-tsig-secret]") != std::string::npos);
  }
  SECTION("a zone names a key that is not there") {
    edit(server.path("repository/zones/example.com.yaml"), "allow: [transfer.example.net]",
         "allow: [other.example.net]");
    CHECK(server.start_in_vain().find("[unknown-tsig-key] key `other.example.net`") !=
          std::string::npos);
  }
}

/// A real NSD on loopback whose zone comes from `primary`. The zone's REFRESH is two hours: what it
/// hears of a change in these tests, it hears by NOTIFY.
class Secondary {
 public:
  explicit Secondary(std::uint16_t port) : port_(port) {}

  void start(const Primary& primary) {
    const std::string at = folder_.path();
    folder_.write(
        "nsd.conf",
        fmt::format("server:\n  ip-address: 127.0.0.1@{0}\n  username: \"\"\n  chroot: \"\"\n"
                    "  zonesdir: \"{1}\"\n  database: \"\"\n  xfrdfile: \"{1}/xfrd.state\"\n"
                    "  zonelistfile: \"{1}/zone.list\"\n  pidfile: \"{1}/nsd.pid\"\n"
                    "  xfrdir: \"{1}\"\n  server-count: 1\n  verbosity: 2\n"
                    "remote-control:\n  control-enable: no\n"
                    "key:\n  name: {2}\n  algorithm: hmac-sha256\n  secret: \"{3}\"\n"
                    "zone:\n  name: example.com\n  zonefile: example.com.zone\n"
                    "  allow-notify: 127.0.0.1 {2}\n"
                    "  request-xfr: AXFR 127.0.0.1@{4} {2}\n",
                    port_, at, key_name, secret, primary.port()));
    process_ = std::make_unique<Process>(
        ProcessOptions{.argv = {"/usr/sbin/nsd", "-d", "-c", at + "/nsd.conf"}});
  }
  [[nodiscard]] Found addresses(const std::string& name) const {
    const auto found = dig("127.0.0.1", port_, {name, "A", "+tries=1", "+time=1"}).rdata("A");
    return {found.begin(), found.end()};
  }
  [[nodiscard]] std::string log() const { return process_->output() + process_->errors(); }

 private:
  TempFolder folder_;
  std::uint16_t port_;
  std::unique_ptr<Process> process_;
};

TEST_CASE("transfer: NSD follows steering, and never gets a crossing", "[integration][transfer]") {
  if (!std::filesystem::exists("/usr/sbin/nsd")) {
    WARN("left out: NSD is not installed (apt-get install nsd)");
    return;
  }
  const std::uint16_t secondary_port = free_port();
  Primary server(fmt::format("[{{ to: \"127.0.0.1:{}\", key: {} }}]", secondary_port, key_name));
  server.start();
  Secondary secondary(secondary_port);
  secondary.start(server);
  const auto has = [&](const char* name, const char* address) {
    // Hard: at home, at every look, whatever else is waited for.
    const Found api = secondary.addresses("api.example.com");
    CHECK((api.empty() || api == Found{Server::api_home}));
    return secondary.addresses(name) == Found{address};
  };
  INFO(secondary.log());
  REQUIRE(wait_for([&] { return has("shop.example.com", Server::shop_home); }, 30s));
  CHECK(secondary.addresses("mail.example.com") == Found{"192.0.2.25"});

  const std::uint32_t before = server.serial();
  server.eu.close();
  REQUIRE(wait_for([&] { return has("shop.example.com", Server::shop_abroad); }, 30s));
  const std::uint32_t after = server.serial();
  CHECK(after - before < 0x80000000U);
  CHECK(after != before);

  SECTION("a grant is for those who know its end") {
    REQUIRE(server.approve(server.token()).exit == 0);
    REQUIRE(wait_for([&] { return server.answers("api.example.com", Server::api_abroad); }, 10s));
    const auto records = records_of(server.ask_zone({"-y", key_argument()}));
    CHECK(rdata_of(records, "api.example.com.", "A") == Found{Server::api_home});
    server.eu.reopen();
    REQUIRE(wait_for([&] { return has("shop.example.com", Server::shop_home); }, 30s));
    CHECK(server.status()["counters"]["transfers-finished"] >= 3);
  }
  SECTION("after a kill the serial goes on, and NSD takes what is new") {
    server.kill_hard();
    server.eu.reopen();
    edit(server.path("demarcd.yaml"), "\"127.0.0.1:0\"",
         fmt::format("\"127.0.0.1:{}\"", server.port()));
    server.start();
    const std::uint32_t again = server.serial();
    CHECK(again != after);
    CHECK(again - after < 0x80000000U);
    REQUIRE(wait_for([&] { return has("shop.example.com", Server::shop_home); }, 30s));
  }
}

}  // namespace
}  // namespace demarc::testing
