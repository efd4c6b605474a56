// demarc_load: measures one or more authoritative servers with the same questions in one run, so
// that ratios mean something on a busy machine. tools/bench starts demarcd for it.
#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "tools/daemon_config.h"
#include "tools/load/floor.h"
#include "tools/load/report.h"
#include "zones/rdata.h"

using namespace demarc;
using namespace demarc::tools::load;

namespace {

struct Options {
  std::vector<std::string> servers, names;
  std::string names_file, type = "A", flood_name;
  std::size_t window = 128, sources = 0, subnets = 0, rounds = 5;
  double per_second = 0, flood = 0, seconds = 5;
  std::uint64_t seed = 1;
  int core = -1, floor_core = -1;
  std::size_t flood_networks = 1;
  bool random_labels = false, has_floor = false, json = false, public_sources = false;
};

struct Server {
  std::string name;
  dns::Endpoint endpoint;
  std::optional<pid_t> pid;
};

[[noreturn]] void refuse(const std::string& text) {
  fmt::print(stderr, "demarc_load: {}\n", text);
  std::exit(2);
}

/// "127.0.0.1:5300", "127.0.0.1:5300/4711" or "old=127.0.0.1:5300/4711".
Server parse_server(const std::string& whole) {
  const auto equals = whole.find('=');
  const std::string text = equals == std::string::npos ? whole : whole.substr(equals + 1);
  const auto slash = text.find('/');
  Server server{.name = whole.substr(0, equals), .endpoint = {}, .pid = {}};
  const auto endpoint = tools::parse_endpoint(text.substr(0, slash));
  if (!endpoint) refuse(fmt::format("`{}`: expected ADDRESS:PORT or ADDRESS:PORT/PID", text));
  server.endpoint = *endpoint;
  if (slash == std::string::npos) return server;
  pid_t pid = 0;
  const std::string number = text.substr(slash + 1);
  const auto [end, error] = std::from_chars(number.data(), number.data() + number.size(), pid);
  if (error != std::errc{} || end != number.data() + number.size() || !cpu_time_of(pid)) {
    refuse(fmt::format("`{}`: there is no process {} here", text, number));
  }
  server.pid = pid;
  return server;
}

Options parse_options(int argc, char** argv) {
  Options o;
  CLI::App app("demarc_load: questions over UDP, and what answering them costs");
  app.add_option("server", o.servers,
                 "[NAME=]ADDRESS:PORT, with /PID its CPU time is measured; of several the first is "
                 "the measure of the others");
  app.add_option("--name", o.names, "a name to ask for; several are asked at random");
  app.add_option("--names", o.names_file, "a file of names, one a line");
  app.add_option("--type", o.type, "type")->capture_default_str();
  app.add_flag("--random-labels", o.random_labels, "asks for random labels below the names");
  app.add_option("--ecs", o.subnets, "so many random public IPv4 networks as client subnets");
  app.add_option("--sources", o.sources, "so many source addresses of 127.0.0.0/8");
  app.add_flag("--public", o.public_sources,
               "takes public source addresses; they must be local, as in a network namespace whose "
               "loopback has all of IPv4");
  app.add_option("--window", o.window, "questions that wait for answers")
      ->check(CLI::Range(std::size_t{1}, window_max))
      ->capture_default_str();
  app.add_option("--rate", o.per_second, "instead: questions a second, answered or not");
  app.add_option("--flood", o.flood,
                 "beside it, random labels a second from --flood-networks /24 networks");
  app.add_option("--flood-name", o.flood_name, "below which name; left out: the first one");
  app.add_option("--flood-networks", o.flood_networks, "of 127.128.0.0/9")
      ->check(CLI::Range(1, 32768))
      ->capture_default_str();
  app.add_option("--seconds", o.seconds, "of a round")->check(CLI::Range(0.1, 3600.0));
  app.add_option("--rounds", o.rounds, "each server in turn")->check(CLI::Range(1, 1000));
  app.add_option("--seed", o.seed, "of what is random")->capture_default_str();
  app.add_option("--core", o.core, "stay on this CPU; the servers belong on others");
  app.add_flag("--floor", o.has_floor, "measures what the kernel alone costs, first");
  app.add_option("--floor-core", o.floor_core, "the CPU for that");
  app.add_flag("--json", o.json, "JSON instead of a table");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    std::exit(app.exit(error) == 0 ? 0 : 2);
  }
  return o;
}

std::vector<zones::Name> names_of(const Options& o) {
  std::vector<zones::Name> names;
  for (const std::string& text : o.names) {
    const auto name = zones::Name::parse_absolute(text);
    if (!name) refuse(fmt::format("`{}` is no domain name", text));
    names.push_back(*name);
  }
  if (!o.names_file.empty()) {
    auto more = read_names(o.names_file);
    if (!more) refuse(more.error());
    names.insert(names.end(), more->begin(), more->end());
  }
  if (names.empty()) refuse("what to ask for? --name NAME or --names FILE");
  return names;
}

/// Spread evenly over 127.0.0.0/9 by a stride without common factor.
std::vector<std::uint32_t> sources_of(const Options& o) {
  std::vector<std::uint32_t> sources;
  dns::Random random(o.seed);
  for (std::size_t i = 0; i < std::min(o.sources, questions_max); ++i) {
    sources.push_back(o.public_sources
                          ? random_public_address(random.next()).ipv4_value()
                          : 0x7f00'0002U + static_cast<std::uint32_t>(i * 7919 % 0x7f'0000U));
  }
  return sources;
}

std::vector<std::uint32_t> flood_sources_of(const Options& o) {
  std::vector<std::uint32_t> sources;
  for (std::uint32_t network = 0; network < o.flood_networks; ++network) {
    for (std::uint32_t host = 1; host < 255; ++host) {
      sources.push_back(0x7f80'0000U + (network << 8U) + host);
    }
  }
  return sources;
}

}  // namespace

int main(int argc, char** argv) {
  const Options o = parse_options(argc, argv);
  std::vector<Server> servers;
  for (const std::string& text : o.servers) servers.push_back(parse_server(text));
  std::unique_ptr<Floor> floor;
  if (o.has_floor) {
    auto started = Floor::start(o.floor_core < 0 ? std::nullopt : std::optional(o.floor_core));
    if (!started) refuse(started.error().text());
    floor = std::move(*started);
    servers.insert(servers.begin(), {"floor", floor->endpoint(), floor->pid()});
  }
  if (servers.empty()) refuse("which server? ADDRESS:PORT or --floor");
  if (o.core >= 0) {
    if (auto stays = stay_on(o.core); !stays) refuse(stays.error().text());
  }
  const auto qtype = zones::parse_type(o.type);
  if (!qtype) refuse(fmt::format("`{}` is no type", o.type));
  const auto names = names_of(o);
  const Questions questions = build_questions({.names = names,
                                               .qtype = *qtype,
                                               .random_labels = o.random_labels,
                                               .has_edns = true,
                                               .subnets = o.subnets},
                                              o.seed);
  const auto flooded =
      o.flood_name.empty() ? std::optional(names[0]) : zones::Name::parse_absolute(o.flood_name);
  if (!flooded) refuse(fmt::format("`{}` is no domain name", o.flood_name));
  const Questions flood = build_questions(
      {.names = {*flooded}, .qtype = *qtype, .random_labels = true, .has_edns = true, .subnets = 0},
      o.seed + 1);

  std::vector<Rounds> results(servers.size());
  const Timing timing{.lasts =
                          std::chrono::milliseconds(static_cast<std::int64_t>(o.seconds * 1000))};
  for (std::size_t round = 0; round < o.rounds; ++round) {
    for (std::size_t i = 0; i < servers.size(); ++i) {
      std::vector<Load> loads = {
          {{.server = servers[i].endpoint,
            .window = o.window,
            .per_second = o.per_second > 0 ? std::optional(o.per_second) : std::nullopt,
            .sources = sources_of(o)},
           &questions}};
      if (o.flood > 0) {
        loads.push_back({{.server = servers[i].endpoint,
                          .window = 1,
                          .per_second = o.flood,
                          .sources = flood_sources_of(o)},
                         &flood});
      }
      auto measured = measure(loads, timing, servers[i].pid, o.seed + round);
      if (!measured) refuse(measured.error().text());
      results[i].server = servers[i].name;
      results[i].rounds.push_back(std::move(*measured));
    }
  }
  const auto report = report_of(results);
  fmt::print("{}\n", o.json ? report.dump(2) : table_of(report));
  return 0;
}
