// demarcd started as root gives everything up but its sockets; and the unit for systemd is sound.
#include <filesystem>
#include <sstream>

#include <fmt/format.h>
#include <pwd.h>
#include <unistd.h>
#include <catch2/catch.hpp>

#include "tests/integration/server.h"

using namespace demarc::testing;

namespace {

constexpr const char* user = "nobody";

/// A line of /proc/PID/status, without its name.
std::string fact_of(pid_t pid, const std::string& name) {
  std::istringstream lines(read_file(fmt::format("/proc/{}/status", pid)));
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with(name + ":")) return line.substr(name.size() + 2);
  }
  return {};
}

/// Everything it reads or writes belongs to `owner`, the database too.
void give_to(const passwd& owner, Server& server) {
  std::filesystem::copy_file(country_database(), server.path("country.mmdb"));
  edit(server.path("demarcd.yaml"), country_database(), "country.mmdb");
  const std::string folder = server.path("");
  REQUIRE(::chown(folder.c_str(), owner.pw_uid, owner.pw_gid) == 0);
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) {
    REQUIRE(::chown(entry.path().c_str(), owner.pw_uid, owner.pw_gid) == 0);
  }
}

}  // namespace

TEST_CASE("privileges: started as root, it serves as another user for good", "[privileges]") {
  const passwd* const owner = ::getpwnam(user);
  REQUIRE(owner != nullptr);
  Server server;
  edit(server.path("demarcd.yaml"), "node: test\n", fmt::format("node: test\nuser: {}\n", user));
  if (::geteuid() != 0) {
    WARN("not root: only the refusal is shown");
    CHECK(server.start_in_vain().find("expected to be started as root or as that user") !=
          std::string::npos);
    return;
  }
  give_to(*owner, server);
  server.start();
  const std::string id = std::to_string(owner->pw_uid), group = std::to_string(owner->pw_gid);
  CHECK(fact_of(server.pid(), "Uid") == fmt::format("{0}\t{0}\t{0}\t{0}", id));
  CHECK(fact_of(server.pid(), "Gid") == fmt::format("{0}\t{0}\t{0}\t{0}", group));
  for (const char* set : {"CapInh", "CapPrm", "CapEff", "CapAmb"}) {
    CAPTURE(set);
    CHECK(fact_of(server.pid(), set) == "0000000000000000");
  }
  CHECK(fact_of(server.pid(), "NoNewPrivs") == "1");
  CHECK(server.log().find(fmt::format("runs-as {}", user)) != std::string::npos);
  CHECK(server.answers("api.example.com", Server::api_home));

  // All of its life goes on without root: state, trail, reload, failover.
  edit(server.path("repository/zones/example.com.yaml"), Server::shop_home, "192.0.2.21");
  CHECK(wait_for([&] { return server.answers("shop.example.com", "192.0.2.21"); }));
  REQUIRE(server.approve(server.token()).exit == 0);
  server.eu.status(503);
  CHECK(wait_for([&] { return server.answers("api.example.com", Server::api_abroad); }));
  server.kill_hard();
  server.start();
  CHECK(server.answers("api.example.com", Server::api_abroad));
}

TEST_CASE("privileges: a user that makes no sense is refused", "[privileges]") {
  const auto [name, said] = GENERATE(table<const char*, const char*>(
      {{"no-such-user", "user `no-such-user` is not known on this machine"},
       {"root", "user `root` is root; expected one of demarcd's own"}}));
  Server server;
  edit(server.path("demarcd.yaml"), "node: test\n", fmt::format("node: test\nuser: {}\n", name));
  CHECK(server.start_in_vain().find(said) != std::string::npos);
}

TEST_CASE("privileges: the unit for systemd is sound, and what it leaves open is little",
          "[privileges]") {
  const std::string unit = DEMARC_SOURCE_DIR "/tools/demarcd.service";
  const Finished known = run({"systemd-analyze", "--version"});
  if (known.exit != 0) {
    WARN("no systemd-analyze here");
    return;
  }
  // Of 100, where an unconfined service has 96.
  const Finished judged =
      run({"systemd-analyze", "security", "--offline=true", "--no-pager", "--threshold=20", unit});
  INFO(judged.out << judged.err);
  CHECK(judged.exit == 0);

  TempFolder folder;
  std::string text = read_file(unit);
  const std::string program = "/usr/bin/demarcd";
  for (auto at = text.find(program); at != std::string::npos; at = text.find(program, at + 1)) {
    text.replace(at, program.size(), DEMARC_BINARY_DIR "/tools/demarcd");
  }
  const Finished verified =
      run({"systemd-analyze", "verify", "--man=no", folder.write("demarcd.service", text)});
  CHECK(verified.exit == 0);
  CHECK(verified.err.empty());
}
