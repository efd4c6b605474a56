// Checks of the node's own: files that others keep, and an operator's programs.
#include <filesystem>

#include <fmt/format.h>
#include <sys/stat.h>
#include <catch2/catch.hpp>

#include "health/file_probe.h"
#include "health/transfers.h"
#include "tests/support/temp_folder.h"
#include "tests/support/wait_for.h"

using namespace demarc;
using namespace demarc::health;
using namespace std::chrono_literals;
using testing::TempFolder;
using zones::ProbeScheme;

namespace {

WallTime wall_now() {
  return std::chrono::time_point_cast<Milliseconds>(std::chrono::system_clock::now());
}

Probe local(ProbeScheme scheme, std::string name, Milliseconds timeout = 5s) {
  return {.scheme = scheme,
          .host = "api.eu.example",
          .path = std::move(name),
          .addresses = {geo::Address::ipv4(0xc0000201)},
          .timing = {.interval = 10s, .timeout = timeout}};
}

std::string text_of(const ProbeResult& result) {
  constexpr std::array names{"pass", "weak", "fail", "silent"};
  return fmt::format("{}: {}", names.at(static_cast<std::size_t>(result.outcome)), result.detail);
}

/// All results of one probe each, in the order in which they end.
std::vector<FinishedProbe> run(Transfers& transfers, std::size_t count) {
  std::vector<FinishedProbe> all;
  (void)testing::wait_for([&] {
    for (FinishedProbe& one : transfers.wait(50ms)) all.push_back(std::move(one));
    return all.size() >= count;
  });
  return all;
}

struct Programs {
  explicit Programs(const std::string& name, const std::string& script) {
    add(name, script);
    transfers = Transfers::create({.programs_folder = folder.path()}).value();
  }
  void add(const std::string& name, const std::string& script) const {
    const std::string path = folder.write(name, "#!/bin/sh\n" + script);
    ::chmod(path.c_str(), 0700);
  }
  ProbeResult once(const std::string& name, Milliseconds timeout = 5s) const {
    transfers->start(TargetId{1}, local(ProbeScheme::program, name, timeout));
    const auto results = run(*transfers, 1);
    return results.empty() ? ProbeResult{.detail = "no result"} : results[0].result;
  }
  TempFolder folder;
  std::unique_ptr<Transfers> transfers;
};

}  // namespace

TEST_CASE("file probe: what the line says", "[health][file]") {
  const auto [text, expected] = GENERATE(table<std::string, const char*>({
      {"up\n", "pass: file: up"},
      {"up", "pass: file: up"},
      {"up as far as we see\nand more", "pass: file: up, as far as we see"},
      {"degraded replica is behind", "weak: file: degraded, replica is behind"},
      {"down\r\n", "fail: file: down"},
      {"down \x01\xff", "fail: file: down, ??"},
      {"UP", "silent: the file's first word is none of up, degraded and down"},
      {"", "silent: the file's first word is none of up, degraded and down"},
      {std::string(5000, 'x'), "silent: the file's first word is none of up, degraded and down"},
  }));
  CHECK(text_of(judge_evidence(text)) == expected);
}

TEST_CASE("file probe: only a fresh plain file tells anything", "[health][file]") {
  const TempFolder folder;
  const Probe probe = local(ProbeScheme::file, "eu");
  CHECK(text_of(probe_file(probe, "", wall_now())) ==
        "silent: demarcd.yaml names no evidence folder");
  CHECK(text_of(probe_file(probe, folder.path(), wall_now())) ==
        "silent: the file: No such file or directory");
  const std::string path = folder.write("eu", "up\n");
  CHECK(text_of(probe_file(probe, folder.path(), wall_now())) == "pass: file: up");
  CHECK(text_of(probe_file(probe, folder.path(), wall_now() + 34s)) == "pass: file: up");
  CHECK(text_of(probe_file(probe, folder.path(), wall_now() + 37s))
            .starts_with("silent: the file is 3"));
  REQUIRE(::mkfifo((folder.path() + "/pipe").c_str(), 0600) == 0);
  CHECK(text_of(probe_file(local(ProbeScheme::file, "pipe"), folder.path(), wall_now())) ==
        "silent: it is no plain file");
  std::filesystem::create_symlink(path, folder.path() + "/link");
  CHECK(text_of(probe_file(local(ProbeScheme::file, "link"), folder.path(), wall_now()))
            .starts_with("silent: the file: "));
}

TEST_CASE("program probe: how it ends is the result", "[health][program]") {
  const auto [script, expected] = GENERATE(table<const char*, const char*>({
      {"exit 0", "pass: check exit 0"},
      {"echo fine; echo more; exit 0", "pass: check exit 0: fine"},
      {"echo slow; exit 1", "weak: check exit 1: slow"},
      {"exit 2", "fail: check exit 2"},
      {"exit 3", "silent: check exit 3"},
      {"exit 77", "fail: check exit 77"},
      {"kill -9 $$", "fail: check ended by signal 9"},
      {"echo $0 $*; env | sort | tr '\\n' ' '", nullptr},
  }));
  const Programs programs("check", script);
  const ProbeResult result = programs.once("check");
  if (expected != nullptr) {
    CHECK(text_of(result) == expected);
  } else {
    CHECK(text_of(result) ==
          "pass: check exit 0: " + programs.folder.path() + "/check api.eu.example 192.0.2.1");
  }
}

TEST_CASE("program probe: one that hangs is killed with all that it started", "[health][program]") {
  const TempFolder marks;
  const Programs programs("check",
                          fmt::format("sleep 1000 & echo $! > {}/pid; wait", marks.path()));
  const ProbeResult result = programs.once("check", 500ms);
  CHECK(text_of(result) == "fail: check still ran after 500 ms");
  std::ifstream in(marks.path() + "/pid");
  pid_t child = 0;
  REQUIRE(in >> child);
  CHECK(testing::wait_for([&] {  // it is nobody's child now: gone, or waits to be reaped by init
    std::ifstream stat(fmt::format("/proc/{}/stat", child));
    const std::string text{std::istreambuf_iterator<char>(stat), {}};
    return text.empty() || text.find(") Z ") != std::string::npos;
  }));
}

TEST_CASE("program probe: nothing to run, too much to read, too many at once",
          "[health][program]") {
  const Programs programs("loud", "head -c 60000 /dev/zero | tr '\\0' x");
  CHECK(text_of(programs.once("none")) == "silent: cannot run none: No such file or directory");
  CHECK(text_of(programs.once("loud")).starts_with("pass: loud exit 0: xxxx"));
  programs.add("short", "exit 0");
  constexpr std::size_t count = 3 * programs_running_max;
  for (std::size_t i = 0; i < count; ++i) {
    programs.transfers->start(TargetId{i + 1}, local(ProbeScheme::program, "short"));
  }
  CHECK(programs.transfers->in_flight() == count);
  programs.transfers->cancel(TargetId{1});      // runs
  programs.transfers->cancel(TargetId{count});  // waits
  CHECK(programs.transfers->in_flight() == count - 2);
  CHECK(run(*programs.transfers, count - 2).size() == count - 2);
  CHECK(programs.transfers->in_flight() == 0);

  const auto off = Transfers::create({}).value();
  off->start(TargetId{1}, local(ProbeScheme::program, "short"));
  CHECK(text_of(run(*off, 1).at(0).result) ==
        "silent: programs are off: demarcd.yaml names no folder of them");
}
