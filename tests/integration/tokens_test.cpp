// Tokens before a real demarcd: the drop folder, break-glass and its review, revoked keys, and a
// key list that only its own persons can change.
#include <fstream>

#include <catch2/catch.hpp>

#include "tests/integration/server.h"

namespace demarc::testing {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

/// A second person, of security, whose key is in the policy as sec-1.
void add_security(const Server& server) {
  REQUIRE(
      run_demarc({"token", "keygen", "--out", server.path("security"), "--alg", "ES256"}).exit ==
      0);
  fs::copy_file(server.path("security.pem"), server.path("repository/keys/sec-1.pem"));
  edit(server.path("repository/policy.yaml"), "  keys:\n",
       "  keys:\n"
       "    - { id: sec-1, person: ciso, role: security, alg: ES256, public-key: keys/sec-1.pem "
       "}\n");
}

/// Adds lines under `approvals`.
void add_approvals(const Server& server, const std::string& lines) {
  edit(server.path("repository/policy.yaml"), "  rules:\n", lines + "  rules:\n");
}

std::string issue(const Server& server, const std::string& who, std::vector<std::string> options) {
  const bool legal = who == "legal-1";
  std::vector<std::string> arguments = {
      "token",        "issue",
      "--key",        server.path(legal ? "legal.private.pem" : "security.private.pem"),
      "--kid",        who,
      "--alg",        legal ? "EdDSA" : "ES256",
      "--repository", server.path("repository"),
      "--for",        "1h",
      "--reason",     "eu is lost",
      "--case",       "TEST-1"};
  arguments.insert(arguments.end(), options.begin(), options.end());
  const Finished issued = run_demarc(arguments);
  INFO(issued.err);
  REQUIRE(issued.exit == 0);
  return issued.out;
}

const std::vector<std::string> api_abroad = {
    "--zone", "example.com", "--service", "api", "--from", "eu", "--to", "global-failover"};
std::vector<std::string> with_type(const std::string& type) {
  std::vector<std::string> options = api_abroad;
  options.insert(options.end(), {"--type", type});
  return options;
}

void put(const std::string& path, const std::string& text) {
  std::ofstream(path, std::ios::binary) << text;
}

}  // namespace

TEST_CASE("tokens: the drop folder presents what is put into it", "[integration][tokens]") {
  Server server;
  edit(server.path("demarcd.yaml"), "debug-verbs", "token-drop: drop\ndebug-verbs");
  fs::create_directories(server.path("drop"));
  const std::string token = server.token({.id = "dropped-1"});
  put(server.path("drop/early.jwt"), token);  // there before the server is
  fs::create_directories(server.path("drop/.presenting"));
  put(server.path("drop/.presenting/lost"), "no token");  // as if it was killed in the middle
  server.start();
  const auto in = [&](const std::string& name) { return fs::exists(server.path("drop/" + name)); };
  const auto reason = [&](const std::string& name) {
    REQUIRE(wait_for([&] { return !read_file(server.path("drop/" + name + ".reason")).empty(); }));
    return read_file(server.path("drop/" + name + ".reason"));
  };
  CHECK(reason("accepted/early.jwt").find("api.example.com may go from eu") != std::string::npos);
  CHECK(read_file(server.path("drop/accepted/early.jwt")) == token);
  CHECK_FALSE(in("early.jwt"));
  REQUIRE(server.entries("grant-accepted").size() == 1);
  CHECK(server.entries("grant-accepted")[0]["facts"]["who"] == "drop-folder");

  // Written aside and renamed, as one should; the same token again, under the same name.
  put(server.path("drop/.later"), token);
  fs::rename(server.path("drop/.later"), server.path("drop/early.jwt"));
  CHECK(reason("refused/early.jwt").find("[used]") != std::string::npos);
  put(server.path("drop/early.jwt"), "no token");
  CHECK(reason("refused/early.jwt.1").find("[malformed]") != std::string::npos);

  put(server.path("drop/large"), std::string(8193, 'a'));
  CHECK(reason("refused/large").find("larger than 8192 bytes") != std::string::npos);
  put(server.path("outside"), server.token({.id = "dropped-2"}));
  fs::create_symlink(server.path("outside"), server.path("drop/.link"));
  fs::rename(server.path("drop/.link"), server.path("drop/link"));
  CHECK(reason("refused/link").find("it is a link") != std::string::npos);
  put(server.path("drop/.hidden"), server.token({.id = "dropped-3"}));
  // Names are taken in order: when the next is done, the hidden one was passed over.
  put(server.path("drop/next"), "no token");
  CHECK(reason("refused/next").find("[malformed]") != std::string::npos);
  CHECK(in(".hidden"));
  CHECK(server.entries("grant-accepted").size() == 1);
  CHECK(reason("refused/lost").find("[malformed]") != std::string::npos);
  CHECK(server.entries("token-refused").size() == 4);

  // A reason takes no token's place, whatever that is called.
  put(server.path("drop/a.reason"), "the one");
  CHECK(reason("refused/a.reason").find("[malformed]") != std::string::npos);
  put(server.path("drop/a"), "the other");
  REQUIRE(wait_for([&] { return !read_file(server.path("drop/refused/a.reason.1")).empty(); }));
  CHECK(read_file(server.path("drop/refused/a")) == "the other");
  CHECK(read_file(server.path("drop/refused/a.reason")) == "the one");
  CHECK(fs::is_empty(server.path("drop/.presenting")));
}

TEST_CASE("tokens: verify says what would be approved, and what is missing",
          "[integration][tokens]") {
  const Server server;  // for its files; it is not started
  add_security(server);
  edit(server.path("repository/policy.yaml"), "mode: full-write, require: { legal: 1 }",
       "mode: full-write, require: { legal: 1, security: 1 }");
  put(server.path("one.jwt"), issue(server, "legal-1", api_abroad));
  put(server.path("two.jwt"), issue(server, "sec-1", api_abroad));
  const auto verify = [&](std::vector<std::string> files, const std::string& at = {}) {
    files.insert(files.begin(), {"token", "verify", "--repository", server.path("repository")});
    if (!at.empty()) files.insert(files.end(), {"--at", at});
    return run_demarc(files);
  };
  const Finished one = verify({server.path("one.jwt")});
  CHECK(one.exit == 0);
  CHECK(one.out.find("api.example.com from eu to global-failover, full-write") !=
        std::string::npos);
  CHECK(one.out.find(": needs 1 more: security\n") != std::string::npos);
  const Finished two = verify({server.path("one.jwt"), server.path("two.jwt")});
  CHECK(two.exit == 0);
  CHECK(two.out.find(": enough\n") != std::string::npos);
  const Finished late = verify({server.path("one.jwt")}, "2099-01-01T00:00:00Z");
  CHECK(late.exit == 1);
  CHECK(late.out.find("[expired]") != std::string::npos);
  CHECK(verify({server.path("one.jwt")}, "tomorrow").exit == 2);
  const auto usage = [&](std::vector<std::string> options) {
    std::vector<std::string> arguments = {
        "token",  "issue",   "--key",      server.path("legal.private.pem"),
        "--kid",  "legal-1", "--audience", "a",
        "--for",  "1h",      "--reason",   "r",
        "--case", "c"};
    arguments.insert(arguments.end(), options.begin(), options.end());
    return run_demarc(arguments);
  };
  CHECK(usage({"--type", "drill", "--drill", "eu-down"}).exit == 0);
  CHECK(usage({"--type", "drill"}).err.find("`drill` is missing") != std::string::npos);
  CHECK(usage({"--type", "drill", "--drill", "x", "--tenant", "acme"}).exit == 2);
  CHECK(usage({"--type", "review", "--grant", "g", "--mode", "read-only"}).exit == 2);
  CHECK(usage({"--type", "approval", "--zone", "example.com"}).exit == 2);
  CHECK(usage({"--template", "eu-to-us"}).exit == 0);
  CHECK(usage({"--type", "nothing"}).exit == 2);
}

TEST_CASE("tokens: break-glass, its review, and a revoked key", "[integration][tokens]") {
  Server server;
  add_security(server);
  add_approvals(server,
                "  break-glass: { max-duration: 2h, require: { security: 1 }, review: { legal: 1 } "
                "}\n");
  server.start();
  server.eu.status(503);
  REQUIRE(wait_for([&] { return server.ask({"pending"}).exit == 1; }));
  REQUIRE(server.approve(issue(server, "sec-1", with_type("break-glass"))).exit == 0);
  CHECK(server.answers("api.example.com", Server::api_abroad));
  CHECK(server.has_alert("break-glass/grant-"));
  const auto opened = server.entries("review-opened");
  REQUIRE(opened.size() == 1);
  const std::string grant = opened[0]["facts"]["grant"];

  const Finished next = server.approve(issue(server, "sec-1", with_type("break-glass")));
  CHECK(next.exit == 1);
  CHECK(next.err.find("[review]") != std::string::npos);
  const auto review = [&](const std::string& who) {
    put(server.path("review"), issue(server, who, {"--type", "review", "--grant", grant}));
    return server.ask({"review", server.path("review")});
  };
  CHECK(review("sec-1").err.find("[review]") != std::string::npos);  // signed the grant
  CHECK(review("legal-1").exit == 0);
  CHECK_FALSE(server.has_alert("break-glass/"));
  put(server.path("review"), issue(server, "legal-1", api_abroad));
  CHECK(server.ask({"review", server.path("review")}).exit == 1);  // an approval is no review

  CHECK(server.ask({"revoke", "--key", "sec-1", "--reason", "laptop lost"}).exit == 0);
  CHECK(server.answers("api.example.com", Server::api_home));
  server.kill_hard();
  server.start();
  const Finished after = server.approve(issue(server, "sec-1", with_type("break-glass")));
  CHECK(after.err.find("[revoked]") != std::string::npos);
  CHECK(server.ask({"revoke", "--token", "never-seen", "--reason", "sent astray"}).exit == 0);
  CHECK(server.approve(server.token({.id = "never-seen"})).err.find("[used]") != std::string::npos);
  CHECK(server.ask({"revoke", "--reason", "nothing named"}).exit == 2);
  CHECK(run_demarc({"audit", "verify", server.path("audit")}).exit == 0);
}

TEST_CASE("tokens: only its own persons change the key list", "[integration][tokens]") {
  Server server;
  add_approvals(server, "  key-list: { version: 1, require: { legal: 1 } }\n");
  server.start();
  REQUIRE(server.entries("keys-trusted").size() == 1);
  const std::string policy = server.path("repository/policy.yaml");
  const std::string first = read_file(policy);
  const auto refusals = [&] { return server.entries("configuration-refused"); };
  const auto last_error = [&] { return refusals().back()["facts"]["error"].get<std::string>(); };

  add_security(server);
  edit(policy, "version: 1", "version: 2");
  REQUIRE(wait_for([&] { return server.has_alert("configuration"); }));
  CHECK(last_error().starts_with("policy.yaml:0:0: [key-list-"));
  CHECK(server.answers("api.example.com", Server::api_home));
  server.kill_hard();
  server.start();  // with the last good copy, which the refused list never became
  CHECK(server.has_alert("configuration"));
  CHECK(server.entries("keys-trusted").size() == 1);
  CHECK(server.approve(server.token()).exit == 0);  // the trusted list goes on

  const std::string signature = issue(server, "legal-1", {"--type", "key-list"});
  const Finished digest = run_demarc({"--json", "keys", "digest", server.path("repository")});
  REQUIRE(digest.exit == 0);
  put(server.path("list-2.jwt"), signature);
  const Finished verified = run_demarc({"--json", "token", "verify", server.path("list-2.jwt"),
                                        "--repository", server.path("repository")});
  CHECK(verified.exit == 0);
  CHECK(nlohmann::json::parse(verified.out)["tokens"][0]["claims"]["keys-sha256"] ==
        nlohmann::json::parse(digest.out)["keys-sha256"]);
  put(server.path("repository/keys/list-2.jwt"), signature);
  edit(policy, "version: 2,", "version: 2, signatures: keys/list-2.jwt,");
  REQUIRE(wait_for([&] { return server.entries("keys-trusted").size() == 2; }));
  REQUIRE(wait_for([&] { return !server.has_alert("configuration"); }));

  // The old file again: a rollback, though it was good once.
  const auto before = refusals().size();
  put(policy, first);
  REQUIRE(wait_for([&] { return refusals().size() > before; }));
  CHECK(last_error().find("[key-list-rollback]") != std::string::npos);
}

}  // namespace demarc::testing
