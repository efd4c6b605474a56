// The fixture of tests/integration/server.h, and the plainest thing a server does.
#include "tests/integration/server.h"

#include <csignal>
#include <fstream>
#include <iterator>
#include <set>

#include <fmt/format.h>
#include <catch2/catch.hpp>

namespace demarc::testing {
namespace {

const std::string programs = DEMARC_BINARY_DIR "/tools/";

std::uint16_t port_after(const std::string& line, const std::string& host) {
  const auto at = line.find(host + ":");
  REQUIRE(at != std::string::npos);
  return static_cast<std::uint16_t>(std::stoi(line.substr(at + host.size() + 1)));
}

}  // namespace

const std::string& country_database() {
  static const TempFolder folder;
  static const std::string path = [] {
    const std::string out = folder.path() + "/country.mmdb";
    const Finished built = run({programs + "demarc", "geo", "build", "--out", out});
    INFO(built.err);
    REQUIRE(built.exit == 0);
    return out;
  }();
  return path;
}

Finished run_demarc(std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), programs + "demarc");
  return run(std::move(arguments));
}

std::string read_file(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

void edit(const std::string& path, const std::string& from, const std::string& to) {
  std::string text = read_file(path);
  auto at = text.find(from);
  REQUIRE(at != std::string::npos);
  for (; at != std::string::npos; at = text.find(from, at + to.size())) {
    text.replace(at, from.size(), to);
  }
  // As editors do it: a new file in the place of the old one.
  std::ofstream(path + ".new", std::ios::binary) << text;
  std::filesystem::rename(path + ".new", path);
}

Server::Server() {
  std::filesystem::copy(DEMARC_SOURCE_DIR "/zones/example", path("repository"),
                        std::filesystem::copy_options::recursive);
  REQUIRE(run_demarc({"token", "keygen", "--out", path("legal")}).exit == 0);
  std::filesystem::copy_file(path("legal.pem"), path("repository/keys/legal-1.pem"),
                             std::filesystem::copy_options::overwrite_existing);
  const std::string zone = path("repository/zones/example.com.yaml");
  edit(zone, "127.0.0.1:18081", fmt::format("127.0.0.1:{}", eu.port()));
  edit(zone, "127.0.0.1:18082", fmt::format("127.0.0.1:{}", abroad.port()));
  // The tests are about order, not about seconds.
  edit(zone, "interval: 1s", "interval: 200ms");
  edit(zone, "timeout: 500ms", "timeout: 200ms");
  folder_.write("demarcd.yaml", fmt::format("node: test\n"
                                            "listen: [\"127.0.0.1:0\", \"[::1]:0\"]\n"
                                            "threads: 2\n"
                                            "repository: repository\n"
                                            "geoip: {}\n"
                                            "control: control.sock\n"
                                            "debug-verbs: true\n",
                                            country_database()));
}

void Server::start() {
  process_ = std::make_unique<Process>(
      ProcessOptions{.argv = {programs + "demarcd", "--config", path("demarcd.yaml")}});
  const auto line = process_->wait_for_line("ready ", std::chrono::seconds(30));
  INFO(process_->errors());
  REQUIRE(line.has_value());
  port_ = port_after(*line, "127.0.0.1");
  port_v6_ = port_after(*line, "[::1]");
  const auto tls = line->find(" tls ");
  if (tls != std::string::npos) tls_port_ = port_after(line->substr(tls), "127.0.0.1");
}

std::string Server::start_in_vain() {
  const Finished ended = run({programs + "demarcd", "--config", path("demarcd.yaml")});
  CHECK(ended.exit == 1);
  CHECK(ended.out.empty());
  return ended.err;
}

void Server::kill_hard() {
  process_->signal(SIGKILL);
  REQUIRE(process_->wait().has_value());
}

Finished Server::ask(std::vector<std::string> arguments) const {
  arguments.insert(arguments.begin(), {"--socket", path("control.sock")});
  return run_demarc(std::move(arguments));
}

nlohmann::json Server::status() const {
  const Finished answer = ask({"--json", "status"});
  INFO(answer.err);
  REQUIRE(answer.exit == 0);
  return nlohmann::json::parse(answer.out);
}

nlohmann::json Server::check(const std::string& key_ending) const {
  const nlohmann::json all = status();
  for (const auto& state : all["checks"]) {
    if (state["check"].get<std::string>().ends_with(key_ending)) return state;
  }
  return nlohmann::json::object();
}

std::string Server::verdict(const std::string& key_ending) const {
  return check(key_ending).value("verdict", "no such check");
}

std::string Server::detail(const std::string& key_ending) const {
  return check(key_ending).value("detail", "no such check");
}

bool Server::has_alert(const std::string& key_prefix) const {
  const auto now = status();
  return std::ranges::any_of(now["alerts"], [&](const auto& alert) {
    return alert["key"].template get<std::string>().starts_with(key_prefix);
  });
}

std::string Server::token(const TokenRequest& request) const {
  std::vector<std::string> arguments = {
      "token",    "issue",      "--key",      path("legal.private.pem"),
      "--kid",    request.kid,  "--audience", request.audience,
      "--zone",   request.zone, "--service",  request.service,
      "--from",   request.from, "--to",       request.to,
      "--mode",   request.mode, "--for",      request.lasts,
      "--reason", "eu is lost", "--case",     "TEST-1"};
  if (!request.id.empty()) arguments.insert(arguments.end(), {"--jti", request.id});
  const Finished issued = run_demarc(std::move(arguments));
  INFO(issued.err);
  REQUIRE(issued.exit == 0);
  return issued.out;
}

Finished Server::approve(const std::string& token) const {
  const std::string file = folder_.write("token", token);
  return ask({"approve", file});
}

std::vector<std::string> Server::addresses(const std::string& name) const {
  return dig("127.0.0.1", port_, {name, "A"}).rdata("A");
}

nlohmann::json Server::entries(const std::string& kind) const {
  const Finished shown = run_demarc({"--json", "audit", "show", path("audit"), "--kind", kind});
  REQUIRE(shown.exit == 0);
  return nlohmann::json::parse(shown.out);
}

}  // namespace demarc::testing

using namespace demarc::testing;

TEST_CASE("server: answers follow the map, over UDP and TCP, IPv4 and IPv6", "[integration]") {
  Server server;
  server.start();
  const std::set<std::string> europe{"192.0.2.50", "192.0.2.51"}, ireland{"192.0.2.52"},
      america{"198.51.100.50"}, asia{"203.0.113.50"};
  struct Row {
    const char* country;
    const char* subnet;
    std::set<std::string> www;
  };
  const std::vector<Row> rows = {{"DE", "80.128.0.0/16", europe}, {"FR", "90.0.0.0/16", europe},
                                 {"IE", "86.40.0.0/16", ireland}, {"GB", "81.128.0.0/16", ireland},
                                 {"US", "8.8.8.0/24", america},   {"BR", "177.32.0.0/16", america},
                                 {"JP", "210.128.0.0/16", asia},  {"AU", "1.128.0.0/16", asia},
                                 {"ZA", "41.0.0.0/16", europe},   {"JP", "2001:200::/32", asia},
                                 {"DE", "2003::/19", europe}};
  for (const Row& row : rows) {
    const std::string subnet = row.subnet;
    const Finished looked = run_demarc(
        {"geo", "lookup", subnet.substr(0, subnet.find('/')), "--geoip", country_database()});
    CAPTURE(row.country, subnet);
    REQUIRE(nlohmann::json::parse(looked.out)["country"] == row.country);
    for (const auto& [address, port] :
         {std::pair<std::string, std::uint16_t>{"127.0.0.1", server.port()},
          {"::1", server.port_v6()}}) {
      for (const char* transport : {"+notcp", "+tcp"}) {
        const DigAnswer answer =
            dig(address, port, {"www.example.com", "A", "+subnet=" + subnet, transport});
        CHECK(answer.status == "NOERROR");
        CHECK(answer.has_flag("aa"));
        REQUIRE(answer.rdata("A").size() == 1);
        CHECK(row.www.contains(answer.rdata("A")[0]));
        CHECK(answer.scope_prefix.value_or(0) > 0);
      }
    }
  }
}

TEST_CASE("server: static names, delegation, wildcard, outside", "[integration]") {
  Server server;
  server.start();
  const auto ask = [&](std::vector<std::string> arguments) {
    return dig("127.0.0.1", server.port(), std::move(arguments));
  };
  CHECK(ask({"example.com", "SOA"}).answer.size() == 1);
  CHECK(ask({"example.com", "NS"}).answer.size() == 2);
  CHECK(ask({"example.com", "MX"}).rdata("MX") ==
        std::vector<std::string>{"10 mail.example.com.", "20 mail.example.net."});
  CHECK(ask({"example.com", "CAA"}).answer.size() == 2);
  CHECK(ask({"any.thing.preview.example.com", "A"}).rdata("A") ==
        std::vector<std::string>{"192.0.2.90"});
  const DigAnswer referral = ask({"www.partner.example.com", "A"});
  CHECK_FALSE(referral.has_flag("aa"));
  CHECK(referral.authority.size() == 2);
  CHECK(referral.additional.size() == 1);
  const DigAnswer missing = ask({"nowhere.example.com", "A"});
  CHECK(missing.status == "NXDOMAIN");
  REQUIRE(missing.authority.size() == 1);
  CHECK(missing.authority[0].type == "SOA");
  CHECK(ask({"example.org", "A"}).status == "REFUSED");
  CHECK(ask({"mail.example.com", "AAAA"}).status == "NOERROR");
  CHECK(ask({"example.com", "SOA", "+edns=1", "+noednsnegotiation"}).status == "BADVERS");
}

TEST_CASE("server: status, explain and metrics say what is served and why", "[integration]") {
  Server server;
  edit(server.path("demarcd.yaml"), "node: test", "node: test\nhttp: 127.0.0.1:0");
  server.start();
  const Finished status = server.ask({"status"});
  CHECK(status.exit == 0);
  CHECK(status.out.find("SERVICE               RESIDENCY  HOME    ANSWERING\n"
                        "api.example.com       hard       EU      eu\n") != std::string::npos);
  const Finished why =
      server.ask({"explain", "api.example.com", "--country", "DE", "--down", "eu"});
  CHECK(why.exit == 0);
  CHECK(why.out.find("NOT ELIGIBLE") != std::string::npos);
  CHECK(why.out.find("HELD: from eu to global-failover") != std::string::npos);
  const Finished offline = run_demarc({"explain", "api.example.com", "--country", "DE", "--down",
                                       "eu", "--repository", server.path("repository")});
  CHECK(offline.exit == 0);
  CHECK(offline.out.find("HELD: from eu to global-failover") != std::string::npos);
  const auto refusal = [&](const char* name) {
    const Finished told = server.ask({"explain", name});
    CHECK(told.exit == 1);
    return told.err;
  };
  CHECK(refusal("nowhere.example.org").find("answered REFUSED") != std::string::npos);
  CHECK(refusal("apii.example.com").find("did you mean `api.example.com`?") != std::string::npos);
  for (const char* const name : {"mail.example.com", "any.thing.preview.example.com"}) {
    CHECK(refusal(name).find("from its records") != std::string::npos);
  }
  CHECK(server.ask({"nonsense"}).exit == 2);
  CHECK(server.ask({"pending"}).exit == 0);
}
