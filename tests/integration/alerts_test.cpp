// Alerts leave the house: a real demarcd, a webhook, and Debian's real Alertmanager.
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iostream>

#include <fmt/format.h>
#include <catch2/catch.hpp>

#include "tests/integration/server.h"

using namespace demarc::testing;
using nlohmann::json;

namespace {

namespace fs = std::filesystem;

constexpr const char* alertmanager_program = "/usr/bin/prometheus-alertmanager";

/// Adds receivers to a server that has not started; `more` is what follows `alerts:`.
void tell(const Server& server, const std::string& more) {
  edit(server.path("demarcd.yaml"), "node: test", "node: test\nalerts:\n" + more);
}

std::string webhook(const HttpBackend& hook, const std::string& more = {}) {
  return fmt::format(
      "  receivers:\n    - {{ name: oncall, webhook: \"http://127.0.0.1:{}/hook\"{} }}\n",
      hook.port(), more);
}

/// What a webhook was sent about one cause, oldest first.
std::vector<json> told(const HttpBackend& hook, const std::string& key_prefix) {
  std::vector<json> list;
  for (const auto& received : hook.received()) {
    auto body = json::parse(received.body);
    if (body["key"].get<std::string>().starts_with(key_prefix)) list.push_back(std::move(body));
  }
  return list;
}

bool lose_eu(Server& server) {
  server.eu.status(503);
  return wait_for([&] { return server.ask({"pending"}).exit == 1; });
}

json alerts_of(const Server& server) {
  const Finished answer = server.ask({"--json", "alerts"});
  INFO(answer.err);
  REQUIRE(answer.exit == 0);
  return json::parse(answer.out);
}

/// Alertmanager on a free port of loopback, without its cluster, with a folder of its own.
class Alertmanager {
 public:
  Alertmanager() {
    const HttpBackend free_one;  // ends here; its port is free for a moment
    port_ = free_one.port();
  }
  void start() {
    const std::string config = folder_.write(
        "alertmanager.yml", "route: { receiver: nobody }\nreceivers: [ { name: nobody } ]\n");
    process_.emplace(ProcessOptions{
        .argv = {alertmanager_program, "--config.file=" + config,
                 "--storage.path=" + folder_.path() + "/data", "--cluster.listen-address=",
                 fmt::format("--web.listen-address=127.0.0.1:{}", port_)}});
    const bool is_ready =
        wait_for([&] { return get("/-/ready").find("OK") == 0; }, std::chrono::seconds{30});
    INFO(process_->errors());
    REQUIRE(is_ready);
  }
  [[nodiscard]] std::string url() const { return fmt::format("http://127.0.0.1:{}", port_); }
  [[nodiscard]] std::string get(const std::string& path) const {
    return run({"curl", "-s", "--max-time", "5", url() + path}).out;
  }
  /// Alerts whose key begins so, as the API has them.
  [[nodiscard]] std::vector<json> alerts(const std::string& key_prefix) const {
    std::vector<json> list;
    const auto all = json::parse(get("/api/v2/alerts"), nullptr, false);
    if (!all.is_array()) return list;
    for (const json& one : all) {
      if (one["labels"].value("key", "").starts_with(key_prefix)) list.push_back(one);
    }
    return list;
  }

 private:
  TempFolder folder_;
  std::uint16_t port_ = 0;
  std::optional<Process> process_;
};

}  // namespace

TEST_CASE("alerts: a webhook hears of a held crossing, signed, and of its end", "[integration]") {
  Server server;
  HttpBackend hook;
  std::ofstream(server.path("hook.secret")) << "0123456789abcdef0123456789abcdef\n";
  tell(server, webhook(hook, ", secret-file: hook.secret"));
  server.start();
  REQUIRE(lose_eu(server));
  REQUIRE(wait_for([&] { return !told(hook, "held/").empty(); }));
  const json held = told(hook, "held/").front();
  CHECK(held["version"] == 1);
  CHECK(held["node"] == "test");
  CHECK(held["state"] == "raised");
  CHECK(held["text"].get<std::string>().find("Do not fail over") != std::string::npos);
  CHECK(held["details"].is_object());
  for (const auto& received : hook.received()) {
    CHECK(received.header("Demarc-Signature").starts_with("t="));
    CHECK(received.header("Demarc-Signature").find(",v1=") != std::string::npos);
  }

  const auto shown = alerts_of(server);
  REQUIRE_FALSE(shown["alerts"].empty());
  REQUIRE(shown["receivers"].size() == 1);
  CHECK(shown["receivers"][0]["receiver"] == "oncall");
  CHECK(shown["receivers"][0]["delivered"].get<int>() > 0);
  const Finished text = server.ask({"alerts"});
  CHECK(text.out.find("Do not fail over") != std::string::npos);
  CHECK(text.out.find("oncall (webhook http://127.0.0.1:") != std::string::npos);
  CHECK(server.status()["alerts"][0].contains("level"));

  const auto before = told(hook, "held/").size();
  server.eu.ok();
  REQUIRE(wait_for([&] {
    const auto list = told(hook, "held/");
    return list.size() > before && list.back()["state"] == "ended";
  }));
  CHECK(told(hook, "held/").back()["key"] == held["key"]);
}

TEST_CASE("alerts: a receiver that is down hears everything once it is back, over kill -9",
          "[integration]") {
  Server server;
  HttpBackend hook;
  hook.close();
  tell(server, webhook(hook));
  server.start();
  REQUIRE(lose_eu(server));
  REQUIRE(wait_for([&] { return server.status()["alerts-undelivered"].get<int>() > 0; }));
  CHECK(server.ask({"status"}).out.find("UNDELIVERED: ") != std::string::npos);
  const Finished failed = server.ask({"alerts", "test", "oncall"});
  CHECK(failed.exit == 1);
  CHECK(failed.err.find("oncall: connection refused; it is tried again") != std::string::npos);
  REQUIRE(wait_for([&] { return fs::exists(server.path("state/alerts/told.json")); }));
  server.kill_hard();
  hook.reopen();
  server.start();
  REQUIRE(wait_for([&] { return !told(hook, "held/").empty(); }));
  REQUIRE(wait_for([&] { return !told(hook, "test/").empty(); }));
  CHECK(told(hook, "held/").front()["state"] == "raised");
  // Nor does it hear it again from the restart, although steering raised it again.
  REQUIRE(server.has_alert("held/"));
  const Finished tested = server.ask({"alerts", "test", "oncall"});
  CHECK(tested.exit == 0);
  CHECK(tested.out == "oncall took the test message\n");
  // Its words may have changed over the restart; it is no news.
  const auto held = told(hook, "held/");
  CHECK(std::ranges::count(held, false, [](const json& one) { return one["changed"] == true; }) ==
        1);
  CHECK(told(hook, "test/").back()["state"] == "test");
  const Finished unknown = server.ask({"alerts", "test", "oncal"});
  CHECK(unknown.exit == 1);
  CHECK(unknown.err.find("there is no receiver `oncal`; expected one of oncall") !=
        std::string::npos);
}

TEST_CASE("alerts: metrics count alerts and deliveries", "[integration]") {
  Server server;
  HttpBackend hook;
  const std::uint16_t port = [] { return HttpBackend().port(); }();
  tell(server, webhook(hook, ", levels: [critical, warning, info]"));
  edit(server.path("demarcd.yaml"), "node: test",
       fmt::format("node: test\nhttp: 127.0.0.1:{}", port));
  server.start();
  REQUIRE(lose_eu(server));
  REQUIRE(wait_for([&] { return !told(hook, "held/").empty(); }));
  CHECK(told(hook, "held/").front()["links"]["status"] ==
        fmt::format("http://127.0.0.1:{}/status", port));
  const std::string metrics =
      run({"curl", "-s", fmt::format("http://127.0.0.1:{}/metrics", port)}).out;
  INFO(metrics);
  for (const char* line :
       {"demarc_alerts{level=\"critical\"} ", "demarc_alert_deliveries_total{receiver=\"oncall\"} ",
        "demarc_alert_dead_letters_total{receiver=\"oncall\"} 0\n",
        "demarc_alerts_undelivered{receiver=\"oncall\"} ",
        "demarc_gate_hold{zone=\"example.com\"} ", "demarc_gate_denied_total{rule=\""}) {
    CAPTURE(line);
    CHECK(metrics.find(line) != std::string::npos);
  }
}

TEST_CASE("alerts: a configuration of alerts that is wrong does not start", "[integration]") {
  Server server;
  tell(server, "  receivers:\n    - { name: oncall, webhok: \"http://127.0.0.1/\" }\n");
  const Finished checked =
      run({DEMARC_BINARY_DIR "/tools/demarcd", "--config", server.path("demarcd.yaml"), "--check"});
  CHECK(checked.exit == 2);
  CHECK(checked.err.find("demarcd.yaml:4:23: [unknown-key]") != std::string::npos);
}

TEST_CASE("alerts: Debian's Alertmanager shows a held crossing and its end", "[integration]") {
  if (!fs::exists(alertmanager_program)) {
    std::cout << "skipped: " << alertmanager_program
              << " is not here (Debian package prometheus-alertmanager)\n";
    return;
  }
  Server server;
  Alertmanager alertmanager;
  tell(server, "  receivers:\n    - { name: am, alertmanager: \"" + alertmanager.url() + "/\" }\n");
  SECTION("up from the start") { alertmanager.start(); }
  SECTION("up after the alert") {}
  server.start();
  REQUIRE(lose_eu(server));
  if (alertmanager.get("/-/ready").empty()) {
    REQUIRE(wait_for([&] { return alerts_of(server)["receivers"][0]["failed"].get<int>() > 0; }));
    alertmanager.start();
  }
  REQUIRE(wait_for([&] { return !alertmanager.alerts("held/").empty(); }));
  const json alert = alertmanager.alerts("held/").front();
  if (std::getenv("DEMARC_SHOW") != nullptr) std::cout << alert.dump(2) << "\n";
  CHECK(alert["status"]["state"] == "active");
  CHECK(alert["labels"]["alertname"] == "DemarcHeld");
  CHECK(alert["labels"]["node"] == "test");
  CHECK(alert["labels"].contains("severity"));
  CHECK(alert["annotations"]["summary"].get<std::string>().find("Do not fail over") !=
        std::string::npos);
  CHECK(alert["annotations"]["description"].get<std::string>().find("Do not fail over") == 0);
  const Finished listed = run({"amtool", "--alertmanager.url", alertmanager.url(), "alert"});
  if (std::getenv("DEMARC_SHOW") != nullptr) std::cout << listed.out << "\n";
  CHECK(listed.out.find("DemarcHeld") != std::string::npos);

  server.eu.ok();
  CHECK(wait_for([&] { return alertmanager.alerts("held/").empty(); }));
}
