// Live drills on a real demarcd: begun with a token or not at all, seen by dig, ended whatever
// happens.
#include <csignal>
#include <fstream>

#include <catch2/catch.hpp>

#include "tests/integration/server.h"

using namespace demarc;
using namespace demarc::testing;
using namespace std::chrono_literals;

namespace {

const std::string scenario_text =
    "drill: eu-down\nservices: [api, shop]\nclients: [DE]\n"
    "timeline:\n"
    "  - { at: 500ms, fail: [api.eu.example.sov, shop.eu.example.net] }\n"
    "  - { at: RECOVER, recover: [api.eu.example.sov, shop.eu.example.net] }\n"
    "lasts: LASTS\n"
    "expect:\n"
    "  - { at: 2s, service: shop, answers: us-east }\n"
    "  - { at: 2s, service: api, answers: eu, held: true }\n"
    "sign-off: { legal: 1 }\n"
    "abort-when: { down: [shop.us.example.net] }\n";

void write(const std::string& path, const std::string& text) {
  std::ofstream(path, std::ios::binary) << text;
}

std::string replaced(std::string text, const std::string& from, const std::string& to) {
  text.replace(text.find(from), from.size(), to);
  return text;
}

/// A server whose policy lets legal sign drills, and a scenario beside it.
struct Drilled : Server {
  explicit Drilled(const std::string& recover = "7s", const std::string& lasts = "8s") {
    edit(path("repository/policy.yaml"), "  rules:\n", "  drill: { legal: 1 }\n  rules:\n");
    write(path("eu-down.yaml"),
          replaced(replaced(scenario_text, "RECOVER", recover), "LASTS", lasts));
  }

  [[nodiscard]] std::string drill_token(const std::string& subject) const {
    const Finished made =
        run_demarc({"token", "issue", "--type", "drill", "--drill", subject, "--key",
                    path("legal.private.pem"), "--kid", "legal-1", "--audience", "demarc-example",
                    "--for", "1h", "--reason", "drill", "--case", "D-1"});
    INFO(made.err);
    REQUIRE(made.exit == 0);
    const std::string file = path("drill-" + std::to_string(++tokens_) + ".jwt");
    write(file, made.out);
    return file;
  }

  [[nodiscard]] std::vector<std::string> run_arguments(const std::string& token) const {
    return {"drill",   "run", path("eu-down.yaml"), "--repository", path("repository"), "--live",
            "--token", token, "--report-dir",       path("reports")};
  }

  [[nodiscard]] Process begin(const std::string& token) const {
    std::vector<std::string> argv{DEMARC_BINARY_DIR "/tools/demarc", "--socket",
                                  path("control.sock")};
    for (const std::string& argument : run_arguments(token)) argv.push_back(argument);
    return Process({.argv = argv});
  }

  /// The JSON report that the run left.
  [[nodiscard]] std::string report_path() const {
    for (const auto& item : std::filesystem::directory_iterator(path("reports"))) {
      if (item.path().extension() == ".json") return item.path().string();
    }
    return {};
  }

 private:
  mutable int tokens_ = 0;
};

}  // namespace

TEST_CASE("live drill: from the token to the signed report", "[integration][drill]") {
  Drilled server;
  server.start();
  REQUIRE(server.answers("shop.example.com", Server::shop_home));

  const std::string for_other = server.drill_token("another");
  const Finished refused = server.ask(server.run_arguments(for_other));
  CHECK(refused.exit == 1);
  CHECK(refused.err.find("refused: [scope]") != std::string::npos);
  CHECK(server.answers("shop.example.com", Server::shop_home));
  REQUIRE(server.ask({"freeze", "--reason", "test"}).exit == 0);
  const std::string token = server.drill_token("eu-down");
  const Finished frozen = server.ask(server.run_arguments(token));
  CHECK(frozen.err.find("refused: [frozen]") != std::string::npos);
  REQUIRE(server.ask({"unfreeze"}).exit == 0);
  CHECK(server.entries("drill-refused").size() == 2);

  Process run = server.begin(token);
  REQUIRE(wait_for([&] { return server.answers("shop.example.com", Server::shop_abroad); }));
  CHECK(server.answers("api.example.com", Server::api_home));
  CHECK(dig("127.0.0.1", server.port(), {"api.example.com", "A"}).ede ==
        std::vector<std::uint16_t>{49152});
  CHECK(server.has_alert("drill/eu-down"));
  CHECK(server.ask({"drill", "status"}).out.find("eu-down") != std::string::npos);
  const auto ended = run.wait(20s);
  INFO(run.output() << run.errors());
  CHECK(ended.value_or(-1) == 0);
  CHECK(server.answers("shop.example.com", Server::shop_home));
  CHECK_FALSE(server.has_alert("drill/"));
  CHECK(server.entries("drill-begun").size() == 1);
  CHECK(server.entries("drill-ended").size() == 1);

  const std::string report = server.report_path();
  const auto parsed = nlohmann::json::parse(read_file(report));
  CHECK(parsed["passed"] == true);
  CHECK(parsed["violations"].empty());
  bool wire = false;
  for (const auto& lane : parsed["lanes"]) {
    if (lane["on-the-wire"] != true || lane["service"] != "shop.example.com") continue;
    for (const auto& span : lane["spans"]) {
      wire = wire || span["answer"]["regions"] == nlohmann::json::array({"us-east"});
    }
  }
  CHECK(wire);  // real DNS answers left home

  // Due until a signed report is filed; a token for another report does not count.
  CHECK(server.ask({"drill", "due"}).exit == 1);
  CHECK(server.ask({"drill", "record", report}).exit == 1);
  const Finished shown = run_demarc({"drill", "report", report});
  const auto subject_at = shown.out.find("--drill ") + 8;
  const std::string subject =
      shown.out.substr(subject_at, shown.out.find(' ', subject_at) - subject_at);
  CHECK(subject.starts_with("eu-down@"));
  CHECK(run_demarc({"drill", "sign", report, "--repository", server.path("repository"), "--token",
                    server.drill_token("eu-down@0000000000000000")})
            .exit == 1);
  const Finished is_signed =
      run_demarc({"drill", "sign", report, "--repository", server.path("repository"), "--token",
                  server.drill_token(subject)});
  INFO(is_signed.err);
  CHECK(is_signed.exit == 0);
  const Finished recorded = server.ask({"drill", "record", report});
  INFO(recorded.err);
  CHECK(recorded.exit == 0);
  CHECK(server.ask({"drill", "due"}).exit == 0);
  CHECK(server.ask({"drill", "record", report}).exit == 1);  // its tokens are used
  const auto entries = server.entries("drill-reported");
  REQUIRE(entries.size() == 1);
  CHECK(entries[0]["facts"]["passed"] == "yes");
  server.stop();
  server.start();
  CHECK(server.ask({"drill", "due"}).exit == 0);  // and a restart does not forget it
}

TEST_CASE("live drill: no token, no drill", "[integration][drill]") {
  Drilled server;
  server.start();
  const Finished none = server.ask({"drill", "run", server.path("eu-down.yaml"), "--repository",
                                    server.path("repository"), "--live"});
  CHECK(none.exit == 1);
  CHECK(none.err.find("refused: [no-rule]") != std::string::npos);
  CHECK(server.answers("shop.example.com", Server::shop_home));
}

TEST_CASE("live drill: an interrupt and a lost endpoint end it at once", "[integration][drill]") {
  Drilled server("60s", "61s");
  server.start();
  Process run = server.begin(server.drill_token("eu-down"));
  REQUIRE(wait_for([&] { return server.answers("shop.example.com", Server::shop_abroad); }));
  ::kill(run.pid(), SIGINT);
  CHECK(run.wait(10s) == 1);
  CHECK(server.answers("shop.example.com", Server::shop_home));

  Process again = server.begin(server.drill_token("eu-down"));
  REQUIRE(wait_for([&] { return server.answers("shop.example.com", Server::shop_abroad); }));
  server.abroad.status(503);
  CHECK(again.wait(15s) == 1);
  CHECK(again.output().find("shop.us.example.net went down") != std::string::npos);
  CHECK(server.answers("shop.example.com", Server::shop_home));
  CHECK(server.entries("drill-ended").size() == 2);
}

TEST_CASE("live drill: ends on time though everybody died", "[integration][drill]") {
  Drilled server("7s", "8s");
  server.start();
  Process run = server.begin(server.drill_token("eu-down"));
  REQUIRE(wait_for([&] { return server.answers("shop.example.com", Server::shop_abroad); }));
  ::kill(run.pid(), SIGKILL);
  server.kill_hard();
  server.start();
  CHECK(server.answers("shop.example.com", Server::shop_abroad));  // still the drill
  CHECK(server.has_alert("drill/eu-down"));
  CHECK(wait_for([&] { return server.answers("shop.example.com", Server::shop_home); }, 15s));
  const auto ended = server.entries("drill-ended");
  REQUIRE(ended.size() == 1);
  CHECK(ended[0]["facts"]["why"] == "its end has come");
}
