// Times the steps of the query path, and whole answers of each kind, on one core:
// tools/bench --micro. Not a test: a figure is good for comparing two builds on one machine.
#include <benchmark/benchmark.h>

#include <random>

#include "dns/query.h"
#include "geo/location_table.h"
#include "tests/speed/kinds.h"

namespace demarc::dns::test {
namespace {

constexpr std::size_t name_count = 100'000;
constexpr std::size_t query_count = 20'000;

SpeedWorld& world() {
  static SpeedWorld only(name_count, query_count);
  return only;
}

const Kind& kind(std::size_t index) { return world().kinds().at(index); }

void per_query(benchmark::State& state) {
  state.SetItemsProcessed(static_cast<std::int64_t>(state.iterations()) *
                          static_cast<std::int64_t>(query_count));
}

void answer(benchmark::State& state, std::size_t index) {
  const auto worker = std::make_unique<Worker>(1);
  for (auto _ : state) benchmark::DoNotOptimize(world().answer(kind(index), *worker));
  per_query(state);
}

void parse(benchmark::State& state) {
  Query query;
  for (auto _ : state) {
    for (const Kind::Asked& asked : kind(0).queries) {
      benchmark::DoNotOptimize(read_query(asked.packet, query));
    }
  }
  per_query(state);
}

void look_up(benchmark::State& state) {
  std::vector<NameKey> names(query_count);
  for (std::size_t i = 0; i < query_count; ++i) {
    names[i].read(std::span(kind(0).queries[i].packet).subspan(header_size));
  }
  const ZoneTable& zones = *world().snapshot().zones;
  for (auto _ : state) {
    for (const NameKey& name : names) benchmark::DoNotOptimize(zones.find(name));
  }
  per_query(state);
}

void locate(benchmark::State& state, const std::vector<geo::Address>& addresses) {
  const geo::LocationTable& locations = *world().snapshot().locations;
  for (auto _ : state) {
    for (const geo::Address& address : addresses) {
      benchmark::DoNotOptimize(locations.find(address));
    }
  }
  per_query(state);
}

// Of the world's own clients: the source of each query, or its ECS option.
std::vector<geo::Address> sources() {
  std::vector<geo::Address> all;
  for (const Kind::Asked& asked : kind(0).queries) all.push_back(asked.client);
  return all;
}

std::vector<geo::Address> subnets(std::string_view name) {
  std::vector<geo::Address> all;
  for (const Kind& each : world().kinds()) {
    if (each.name != name) continue;
    for (const Kind::Asked& asked : each.queries) {
      Query query;
      (void)read_query(asked.packet, query);
      all.push_back(query.edns.subnet.address);
    }
  }
  return all;
}

void draw(benchmark::State& state) {
  const ServiceAnswers& answers = *world().snapshot().services.at(0).answers;
  const auto worker = std::make_unique<Worker>(1);
  const ServiceAnswers::Choice& choice = answers.choice(answers.choice_of_variant(0));
  Chance chance{worker->random, worker->draw_memory};
  for (auto _ : state) {
    for (std::size_t i = 0; i < query_count; ++i) {
      answers.draw(choice, SteeredType::a, chance, worker->drawn);
      benchmark::DoNotOptimize(worker->drawn);
    }
  }
  per_query(state);
}

}  // namespace
}  // namespace demarc::dns::test

int main(int argc, char** argv) {
  using namespace demarc::dns::test;
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 2;
  benchmark::RegisterBenchmark("parse", parse);
  benchmark::RegisterBenchmark("look-up", look_up);
  benchmark::RegisterBenchmark("locate/ipv4", [](auto& state) { locate(state, sources()); });
  benchmark::RegisterBenchmark("locate/ipv6",
                               [](auto& state) { locate(state, subnets("service-ecs-ipv6")); });
  benchmark::RegisterBenchmark("draw", draw);
  for (std::size_t index = 0; index < world().kinds().size(); ++index) {
    benchmark::RegisterBenchmark(("answer/" + kind(index).name).c_str(),
                                 [index](auto& state) { answer(state, index); });
  }
  benchmark::RunSpecifiedBenchmarks();
}
