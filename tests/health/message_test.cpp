// What receivers get, byte for byte where it is promised; what comes back from disk.
#include "health/alerts/message.h"

#include <array>

#include <fmt/format.h>
#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "tests/health/alerting.h"
#include "tests/support/process.h"
#include "tests/support/temp_folder.h"
#include "zones/digest.h"

using namespace demarc;
using namespace demarc::health;
using nlohmann::json;

namespace {

const Sender sender{"ns1", "http://127.0.0.1:8053/status"};

std::string hmac(std::string_view key, std::string_view text) {
  return zones::to_hex(zones::HmacSha256(key).of(text));
}

}  // namespace

TEST_CASE("message: the webhook's body, member by member", "[health][alerts]") {
  const auto body = json::parse(write_webhook(held_notice(), sender));
  const auto expected = json::parse(R"({
    "version": 1, "node": "ns1", "key": "held/ch-1", "state": "raised", "changed": false,
    "level": "critical", "text": "Do not fail over api.example.com without approval",
    "since": "2026-11-23T06:10:00.000Z", "at": "2026-11-23T06:10:01.000Z", "ended": null,
    "to-everyone": false, "links": {"status": "http://127.0.0.1:8053/status"},
    "details": {
      "zone": "example.com", "service": "api.example.com", "tenant": "", "residency": "hard",
      "home": "EU", "access": "write", "regulated-tenants": 2, "state": "held",
      "wanted": "move from eu to global-failover", "why": "no grant covers it",
      "rule": "no-grant", "evidence": "HTTP 503", "change": "ch-1",
      "options": [{"what": "wait for eu", "command": ""},
                  {"what": "get it approved", "command": "demarc approve token.jwt"}],
      "approvers": ["1 legal, 1 security"], "deadline": "2026-11-23T07:10:00.000Z"}})");
  auto without_id = body;
  without_id.erase("id");
  CHECK(without_id == expected);
  CHECK(body["id"] == notice_id(held_notice()));
  CHECK(body["id"].get<std::string>().size() == 32);
}

TEST_CASE("message: states, and ids that differ where notices do", "[health][alerts]") {
  auto changed = held_notice(NoticeState::changed);
  CHECK(json::parse(write_webhook(changed, sender))["state"] == "raised");
  CHECK(json::parse(write_webhook(changed, sender))["changed"] == true);
  const auto ended = json::parse(write_webhook(held_notice(NoticeState::ended), sender));
  CHECK(ended["state"] == "ended");
  CHECK(ended["ended"] == "2026-11-23T06:10:01.000Z");
  CHECK(notice_id(held_notice()) == notice_id(held_notice()));
  CHECK(notice_id(held_notice()) != notice_id(changed));
  auto later = held_notice();
  later.at = wall_at(2);
  CHECK(notice_id(held_notice()) != notice_id(later));
}

TEST_CASE("message: bytes that are no UTF-8 are mended", "[health][alerts]") {
  auto notice = held_notice();
  notice.alert.text = "bad \xff byte";
  CHECK(json::accept(write_webhook(notice, sender)));
  CHECK(json::accept(write_alertmanager(notice, sender, wall_at(1))));
  CHECK(parse_notice(write_notice(notice)));
}

TEST_CASE("message: HMAC-SHA256 as RFC 4231 has it", "[health][alerts]") {
  CHECK(hmac(std::string(20, '\x0b'), "Hi There") ==  // case 1
        "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
  CHECK(hmac("Jefe", "what do ya want for nothing?") ==  // case 2
        "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
  CHECK(hmac(  // case 6: a key above the block size
            std::string(131, '\xaa'), "Test Using Larger Than Block-Size Key - Hash Key First") ==
        "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
}

TEST_CASE("message: Alertmanager's body says what counsel needs", "[health][alerts]") {
  const auto list = json::parse(write_alertmanager(held_notice(), sender, wall_at(5)));
  REQUIRE(list.size() == 1);
  CHECK(list[0]["labels"] == json({{"alertname", "DemarcHeld"},
                                   {"key", "held/ch-1"},
                                   {"severity", "critical"},
                                   {"node", "ns1"},
                                   {"zone", "example.com"},
                                   {"service", "api.example.com"},
                                   {"home", "EU"}}));
  CHECK(list[0]["startsAt"] == "2026-11-23T06:10:00.000Z");
  CHECK(list[0]["endsAt"] == "2026-11-23T06:15:05.000Z");
  CHECK(list[0]["generatorURL"] == sender.status_url);
  CHECK(list[0]["annotations"]["summary"] == held_alert().text);
  CHECK(list[0]["annotations"]["legal_status"] ==
        "hard residency, home EU, write access, 2 regulated tenants");
  CHECK(list[0]["annotations"]["options"] ==
        "wait for eu\nget it approved: demarc approve token.jwt");
  CHECK(list[0]["annotations"]["description"] ==
        "Do not fail over api.example.com without approval\n"
        "Legal status: hard residency, home EU, write access, 2 regulated tenants\n"
        "State: held\n"
        "Wanted: move from eu to global-failover\n"
        "Why: no grant covers it\n"
        "Rule: no-grant\n"
        "Evidence: HTTP 503\n"
        "Change: ch-1\n"
        "Approvers: 1 legal, 1 security\n"
        "Ends by itself: 2026-11-23T07:10:00.000Z\n"
        "1. wait for eu\n"
        "2. get it approved: demarc approve token.jwt\n");
}

TEST_CASE("message: in Alertmanager an end ends, also under labels that changed",
          "[health][alerts]") {
  const auto ended =
      json::parse(write_alertmanager(held_notice(NoticeState::ended), sender, wall_at(900)));
  REQUIRE(ended.size() == 1);
  CHECK(ended[0]["endsAt"] == "2026-11-23T06:10:01.000Z");
  auto changed = held_notice(NoticeState::changed);
  changed.before = held_alert();
  SECTION("the same labels: one alert") {
    changed.alert.text = "other";
    CHECK(json::parse(write_alertmanager(changed, sender, wall_at(5))).size() == 1);
  }
  SECTION("another severity: the old one ends") {
    changed.alert.level = zones::AlertLevel::info;
    const auto list = json::parse(write_alertmanager(changed, sender, wall_at(5)));
    REQUIRE(list.size() == 2);
    CHECK(list[0]["labels"]["severity"] == "critical");
    CHECK(list[0]["endsAt"] == "2026-11-23T06:10:01.000Z");
    CHECK(list[1]["labels"]["severity"] == "info");
    CHECK(list[1]["endsAt"] == "2026-11-23T06:15:05.000Z");
  }
  SECTION("names of causes become names of alerts") {
    zones::Alert due{.key = "drill-due", .text = "t", .since = wall_at(0)};
    const auto list = json::parse(write_alertmanager(
        StandingAlerts{std::make_shared<const zones::Alert>(due)}, sender, wall_at(5)));
    CHECK(list[0]["labels"] == json({{"alertname", "DemarcDrillDue"},
                                     {"key", "drill-due"},
                                     {"severity", "warning"},
                                     {"node", "ns1"}}));
  }
}

TEST_CASE("message: files read as they were written, and nothing else reads", "[health][alerts]") {
  auto notice = held_notice(NoticeState::changed);
  notice.before = held_alert();
  notice.before->details.deadline.reset();
  const std::string text = write_notice(notice);
  const auto read = parse_notice(text);
  REQUIRE(read);
  CHECK(write_notice(*read) == text);
  CHECK(read->to == notice.to);
  CHECK(read->at == notice.at);
  CHECK(read->before->details.options == held_alert().details.options);
  for (std::size_t i = 0; i < text.size(); ++i) CHECK_FALSE(parse_notice(text.substr(0, i)));
  for (const char* member : {"version", "state", "at", "alert", "before", "to"}) {
    auto without = json::parse(text);
    without.erase(member);
    CAPTURE(member);
    const auto failed = parse_notice(without.dump());
    REQUIRE_FALSE(failed);
    CHECK(failed.error().find(member) != std::string::npos);
  }
  CHECK_FALSE(parse_told("[]"));
  CHECK_FALSE(parse_told("{\"version\":1,\"told\":[{}]}"));
  CHECK(parse_told("{\"version\":1,\"told\":[]}")->empty());
}

TEST_CASE("message: the signature verifies with openssl as the manual says", "[health][alerts]") {
  const demarc::testing::TempFolder folder;
  const std::string body = write_webhook(held_notice(), sender);
  const std::string secret = "a-secret-of-the-receiver";
  const std::string signature = write_signature(secret, wall_at(7), body);
  REQUIRE(signature.starts_with("t=1795414207,v1="));
  // The manual's lines, with the file and variable names they use.
  std::ifstream manual(DEMARC_SOURCE_DIR "/tools/README.md");
  std::string script, line;
  while (std::getline(manual, line)) {
    if (line.starts_with("t=${signature")) script = line + "\n";
    if (line.starts_with("{ printf '%s.' \"$t\"")) script += line + "\n";
  }
  REQUIRE(script.find("openssl dgst -sha256") != std::string::npos);
  folder.write("body.json", body);
  folder.write("secret", secret + "\n");
  const auto run_it = [&] {
    return demarc::testing::run({.argv = {"sh", "-c", script},
                                 .environment = {{"signature", signature}},
                                 .working_folder = folder.path()});
  };
  const auto computed = run_it();
  INFO(computed.err);
  CHECK(computed.out == signature.substr(signature.find("v1=") + 3) + "\n");
  folder.write("body.json", body + " ");
  CHECK(run_it().out != computed.out);
}
