// The key `alerts` of demarcd.yaml: what it gives, and every finding with its place.
#include <filesystem>

#include <catch2/catch.hpp>

#include "tests/support/temp_folder.h"
#include "tools/daemon_config.h"

using namespace demarc;
using namespace demarc::tools;
using health::ReceiverKind;

namespace {

struct Read {
  std::optional<DaemonConfig> config;
  Diagnostics findings;
  std::string first;  // without the folder
};

Read read(const demarc::testing::TempFolder& folder, const std::string& alerts) {
  Read read;
  const auto path = folder.write("d.yaml", "repository: r\n" + alerts);
  read.config = read_daemon_config(path, read.findings);
  if (!read.findings.list().empty()) {
    read.first = read.findings.list()[0].line().substr(folder.path().size() + 1);
  }
  return read;
}

}  // namespace

TEST_CASE("alerts config: everything that can be said", "[tools]") {
  const demarc::testing::TempFolder folder;
  const auto secret = folder.write("hook", "0123456789abcdef\n");
  std::filesystem::permissions(secret, std::filesystem::perms::owner_read);
  folder.write("ca.pem", "x");
  const auto result = read(folder, R"(alerts:
  reminder: 30m
  receivers:
    - name: oncall
      webhook: https://hooks.example/x
      secret-file: hook
      ca: ca.pem
      timeout: 2s
      levels: [critical, warning]
      zones: [example.com.]
      services: "*.example.com"
      homes: [EU, CH]
    - { name: am, alertmanager: "http://127.0.0.1:9093/" }
)");
  INFO(result.first);
  REQUIRE(result.config);
  CHECK(result.findings.list().empty());
  const auto& alerts = result.config->alerts;
  CHECK(alerts.reminder == std::chrono::minutes{30});
  REQUIRE(alerts.receivers.size() == 2);
  const auto& oncall = alerts.receivers[0];
  CHECK(oncall.name == "oncall");
  CHECK(oncall.kind == ReceiverKind::webhook);
  CHECK(oncall.secret == "0123456789abcdef");
  CHECK(oncall.ca_file == folder.path() + "/ca.pem");
  CHECK(oncall.timeout == std::chrono::seconds{2});
  CHECK(oncall.filter.levels == std::set{zones::AlertLevel::warning, zones::AlertLevel::critical});
  CHECK(oncall.filter.zones == std::vector<std::string>{"example.com"});
  CHECK(oncall.filter.services == std::vector<std::string>{"*.example.com"});
  CHECK(oncall.filter.homes == std::vector<std::string>{"EU", "CH"});
  CHECK(alerts.receivers[1].kind == ReceiverKind::alertmanager);
  CHECK(alerts.receivers[1].url == "http://127.0.0.1:9093");
  const auto nothing = read(folder, "");
  REQUIRE(nothing.config);
  CHECK(nothing.config->alerts.reminder == std::chrono::hours{1});
}

TEST_CASE("alerts config: each finding has its place", "[tools]") {
  const demarc::testing::TempFolder folder;
  folder.write("short", "123456789012345");  // one byte below what is needed
  const auto [alerts, finding] = GENERATE(table<const char*, const char*>({
      {"alerts: 7\n", "d.yaml:2:9: [wrong-type]"},
      {"alerts: { reminder: 59s }\n", "d.yaml:2:21: ["},
      {"alerts:\n  receivers:\n    - { webhook: \"http://h/\" }\n", "d.yaml:4:7: [missing-key]"},
      {"alerts:\n  receivers:\n    - { name: .x, webhook: \"http://h/\" }\n",
       "d.yaml:4:15: [bad-name]"},
      {"alerts:\n  receivers:\n    - { name: a/b, webhook: \"http://h/\" }\n", "d.yaml:4:15: ["},
      {"alerts:\n  receivers:\n    - { name: a }\n",
       "d.yaml:4:7: [bad-receiver] receiver `a` has no "
       "URL"},
      {"alerts:\n  receivers:\n    - { name: a, webhook: \"http://h/\", alertmanager: "
       "\"http://h/\" }\n",
       "d.yaml:4:7: [bad-receiver] receiver `a` has two URLs"},
      {"alerts:\n  receivers:\n    - { name: a, webhook: \"ftp://h/\" }\n",
       "d.yaml:4:27: [bad-url] webhook is `ftp://h/`: its scheme is neither http nor https"},
      {"alerts:\n  receivers:\n    - { name: a, webhook: \"http://u:p@h/\" }\n",
       "d.yaml:4:27: [bad-url]"},
      {"alerts:\n  receivers:\n    - { name: a, webhook: \"http://h/\", secret-file: none }\n",
       "d.yaml:4:53: [bad-secret]"},
      {"alerts:\n  receivers:\n    - { name: a, webhook: \"http://h/\", secret-file: short }\n",
       "d.yaml:4:53: [bad-secret]"},
      {"alerts:\n  receivers:\n    - { name: a, webhook: \"http://h/\", ca: none }\n",
       "d.yaml:4:44: [unreadable]"},
      {"alerts:\n  receivers:\n    - { name: a, webhook: \"http://h/\", levels: [critcal] }\n",
       "d.yaml:4:49: [bad-choice] levels is `critcal`; did you mean `critical`?"},
      {"alerts:\n  receivers:\n    - { name: a, webhook: \"http://h/\" }\n    - { name: a, "
       "webhook: "
       "\"http://h/\" }\n",
       "d.yaml:5:7: [duplicate-name]"},
  }));
  CAPTURE(alerts);
  const auto result = read(folder, alerts);
  CHECK_FALSE(result.config);
  CHECK(result.first.substr(0, std::string(finding).size()) == finding);
}

TEST_CASE("alerts config: a secret is for webhooks, and better nobody else's", "[tools]") {
  const demarc::testing::TempFolder folder;
  const auto secret = folder.write("hook", "0123456789abcdef");
  std::filesystem::permissions(secret, static_cast<std::filesystem::perms>(0644));
  const auto open = read(folder,
                         "alerts:\n  receivers:\n    - { name: a, webhook: \"http://h/\", "
                         "secret-file: hook }\n");
  REQUIRE(open.config);
  CHECK(open.first.starts_with("d.yaml:4:53: [open-secret] warning: "));
  std::filesystem::permissions(secret, static_cast<std::filesystem::perms>(0600));
  const auto wrong = read(folder,
                          "alerts:\n  receivers:\n    - { name: a, alertmanager: "
                          "\"http://h/\", secret-file: hook }\n");
  CHECK_FALSE(wrong.config);
  CHECK(wrong.first.find("[bad-receiver] `secret-file` is for webhooks") != std::string::npos);
}
