// The auditor's questions, answered one after the other with real commands from the trail of a real
// demarcd that crossed a border. DEMARC_SHOW=1 prints each question, command and output.
#include <cstdlib>
#include <fstream>
#include <iostream>

#include <catch2/catch.hpp>

#include "tests/integration/server.h"

namespace demarc::testing {
namespace {

namespace fs = std::filesystem;

class Auditor {
 public:
  explicit Auditor(const Server& server) : folder_(server.path("")) {}

  /// Runs `demarc audit ...` and shows it; output and errors come back together.
  Finished ask(const std::string& question, const std::vector<std::string>& arguments) const {
    Finished done = run_demarc(arguments);
    if (std::getenv("DEMARC_SHOW") == nullptr) return done;
    std::string command = "demarc";
    for (const std::string& argument : arguments) command += " " + argument;
    std::string text = "### " + question + "\n$ " + command + "\n" + done.out + done.err + "exit " +
                       std::to_string(done.exit) + "\n\n";
    for (auto at = text.find(folder_); at != std::string::npos; at = text.find(folder_)) {
      text.erase(at, folder_.size());
    }
    std::cout << text;
    return done;
  }

 private:
  std::string folder_;
};

bool has(const Finished& done, const std::string& text) {
  return done.out.find(text) != std::string::npos || done.err.find(text) != std::string::npos;
}

void put(const std::string& path, const std::string& text) {
  std::ofstream(path, std::ios::binary) << text;
}

}  // namespace

TEST_CASE("auditor: each question has a command that answers it from the trail alone",
          "[integration][audit]") {
  Server server;
  server.start();
  const std::string trail = server.path("audit");
  const std::string vkey = server.path("log.vkey");
  put(vkey, run_demarc({"audit", "key", trail}).out);
  // The trail as it is while nothing has crossed yet.
  const std::string old_start = server.path("before");
  REQUIRE(wait_for([&] { return server.answers("api.example.com", Server::api_home); }));
  fs::copy(trail, old_start, fs::copy_options::recursive);
  server.eu.status(503);
  REQUIRE(wait_for([&] { return server.ask({"pending"}).exit == 1; }));
  REQUIRE(server.approve(server.token({.id = "jti-1"})).exit == 0);
  REQUIRE(wait_for([&] { return server.answers("api.example.com", Server::api_abroad); }));
  server.eu.status(200);
  REQUIRE(wait_for([&] { return server.answers("api.example.com", Server::api_home); }));
  const auto granted = server.entries("grant-accepted");
  REQUIRE(granted.size() == 1);
  const std::string grant = granted[0]["facts"]["grant"];
  REQUIRE(server.ask({"revoke", grant, "--reason", "eu is back"}).exit == 0);
  REQUIRE(wait_for([&] { return server.entries("grant-ended").size() == 1; }));
  REQUIRE(server.entries("crossing-ended").size() >= 1);
  server.stop();
  const Auditor auditor(server);
  const std::string from = "2026-01-01T00:00:00Z", to = "2099-01-01T00:00:00Z";
  const auto history = [&](const std::string& question, const std::string& name) {
    return auditor.ask(question, {"audit", "history", trail, "--vkey", vkey, "--name", name,
                                  "--from", from, "--to", to});
  };

  const Finished crossed = history("Was this name ever answered outside home?", "api.example.com");
  CHECK(crossed.exit == 1);
  CHECK(has(crossed, "outside home: under grant " + grant));
  CHECK(has(crossed, "api.example.com was answered outside home"));
  const Finished shop =
      history("And a soft one, which leaves without approval?", "shop.example.com");
  CHECK(shop.exit == 1);
  CHECK(has(shop, "outside home: soft crossing to us-east"));
  const Finished inside = run_demarc(
      {"audit", "history", old_start, "--name", "api.example.com", "--from", from, "--to", to});
  CHECK(inside.exit == 0);
  CHECK(has(inside, "api.example.com was never answered outside home"));
  const Finished unknown = history("And a name that is not steered?", "nothing.example.com");
  CHECK(unknown.exit == 1);
  CHECK(has(unknown, "the trail says nothing of nothing.example.com"));

  const Finished show = auditor.ask("Who approved, in which role, why, and when did it end?",
                                    {"audit", "show", trail, "--case", "TEST-1"});
  CHECK(show.exit == 0);
  for (const char* kind : {"configuration-loaded", "service-loaded", "failover-wanted",
                           "crossing-held", "grant-accepted", "crossing-made", "weights-changed",
                           "pending-ended", "crossing-ended", "grant-ended"}) {
    CAPTURE(kind, show.out);
    CHECK(has(show, kind));
  }
  CHECK_FALSE(has(show, "service: shop.example.com"));
  CHECK(has(run_demarc({"--json", "audit", "show", trail, "--case", "TEST-2"}), "[]"));

  const Finished whole =
      auditor.ask("Is the log complete?", {"audit", "verify", trail, "--vkey", vkey});
  CHECK(whole.exit == 0);
  CHECK(has(whole, "whole"));

  const auto made = nlohmann::json::parse(
      run_demarc({"--json", "audit", "show", trail, "--kind", "crossing-made"}).out);
  REQUIRE(made.size() == 1);
  const std::string proof = server.path("proof");
  const auto sequence = std::to_string(made[0]["seq"].get<std::uint64_t>());
  put(proof, run_demarc({"audit", "prove", trail, "--seq", sequence, "--text"}).out);
  CHECK(auditor
            .ask("Is this one entry in it, for somebody who may not read the rest?",
                 {"audit", "check-proof", proof, "--vkey", vkey})
            .exit == 0);
  put(server.path("changed"), run_demarc({"audit", "prove", trail, "--seq", sequence}).out);
  CHECK(run_demarc({"audit", "check-proof", server.path("changed"), "--vkey", vkey}).exit == 0);
  edit(server.path("changed"), "crossing-made", "crossing-nade");
  const Finished changed =
      auditor.ask("And if somebody changes a letter of it?",
                  {"audit", "check-proof", server.path("changed"), "--vkey", vkey});
  CHECK(changed.exit != 0);

  const std::string out = server.path("case");
  const Finished exported = auditor.ask(
      "Give me all of it.", {"audit", "export", trail, "--case", "TEST-1", "--out", out});
  INFO(exported.err);
  REQUIRE(exported.exit == 0);
  const Finished sums = run({"sh", "-c", "cd \"$0\" && sha256sum -c MANIFEST", out});
  CHECK(sums.exit == 0);
  CHECK(has(sums, "tokens/jti-1.jwt: OK"));
  CHECK(has(sums, "entries.jsonl: OK"));
  CHECK(has(sums, "checkpoint: OK"));
  CHECK(run_demarc(
            {"audit", "check-proof", out + "/proofs/" + sequence + ".tlog-proof", "--vkey", vkey})
            .exit == 0);
  const std::string accepted_at = granted[0]["time"];
  const Finished signature =
      auditor.ask("Whose signature is it, and would it have approved this?",
                  {"token", "verify", out + "/tokens/jti-1.jwt", "--repository",
                   server.path("repository"), "--at", accepted_at});
  CHECK(signature.exit == 0);
  const auto policy = granted[0]["facts"]["policy"].get<std::string>();
  CHECK(read_file(out + "/policies/" + policy + "/policy.yaml") ==
        read_file(server.path("repository/policy.yaml")));
  CHECK(read_file(out + "/policies/" + policy + "/keys/legal-1.pem") ==
        read_file(server.path("repository/keys/legal-1.pem")));
  REQUIRE(run_demarc({"audit", "export", trail, "--case", "TEST-1", "--out", out + ".tar"}).exit ==
          0);
  fs::create_directories(out + ".untarred");
  REQUIRE(run({"tar", "-xf", out + ".tar", "-C", out + ".untarred"}).exit == 0);
  CHECK(run({"diff", "-r", out, out + ".untarred"}).exit == 0);

  // A newer checkpoint is kept outside; then all files are cut alike, to an older state.
  const std::string old = server.path("old");
  fs::copy(trail, old, fs::copy_options::recursive);
  server.start();
  server.stop();
  const std::string notes = read_file(trail + "/checkpoints");
  const auto size =
      nlohmann::json::parse(run_demarc({"--json", "audit", "verify", trail}).out)["covered"]
          .get<std::uint64_t>();
  const auto old_size =
      nlohmann::json::parse(run_demarc({"--json", "audit", "verify", old}).out)["covered"]
          .get<std::uint64_t>();
  REQUIRE(size > old_size);
  put(server.path("grown"),
      run_demarc({"audit", "prove", trail, "--from-size", std::to_string(old_size), "--to-size",
                  std::to_string(size)})
          .out);
  CHECK(auditor
            .ask("Did the log only grow since I last looked?",
                 {"audit", "check-proof", server.path("grown"), "--vkey", vkey})
            .exit == 0);
  put(server.path("kept"), notes.substr(notes.rfind("test/audit\n")));
  CHECK(run_demarc({"audit", "verify", old, "--vkey", vkey}).exit == 0);  // alone it looks whole
  const Finished cut =
      auditor.ask("Was its end cut off, all files alike?",
                  {"audit", "verify", old, "--vkey", vkey, "--checkpoint", server.path("kept")});
  CHECK(cut.exit == 1);
  edit(old + "/jurisdiction-EU.jsonl", "crossing-made", "crossing-nade");
  const Finished byte =
      auditor.ask("Was a byte changed?", {"audit", "verify", old, "--vkey", vkey});
  CHECK(byte.exit == 1);
}

TEST_CASE("auditor: after a kill, history says from when on nothing is known",
          "[integration][audit]") {
  Server server;
  server.start();
  server.eu.status(503);
  REQUIRE(wait_for([&] { return server.ask({"pending"}).exit == 1; }));
  server.kill_hard();
  server.start();
  server.stop();
  const Finished told =
      Auditor(server).ask("The server was killed: what is known of the time until it came back?",
                          {"audit", "history", server.path("audit"), "--name", "api.example.com",
                           "--from", "2026-01-01T00:00:00Z", "--to", "2099-01-01T00:00:00Z"});
  CHECK(told.exit == 0);
  CHECK(has(told,
            "not running or not recorded (a start follows without a stop); while it ran on: "
            "inside home only"));
}

}  // namespace demarc::testing
