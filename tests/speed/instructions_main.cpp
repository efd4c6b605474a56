// Counts the instructions of an answer of each kind. Under callgrind it leaves one dump a kind,
// which compare.cmake reads; without it, it does nothing but answer.
#include <valgrind/callgrind.h>

#include <cstdio>
#include <cstdlib>

#include "tests/speed/kinds.h"

int main(int argc, char** argv) {
  using namespace demarc::dns;
  const auto query_count = argc > 1 ? std::strtoul(argv[1], nullptr, 10) : 1000UL;
  test::SpeedWorld world(5000, query_count);
  const auto worker = std::make_unique<Worker>(1);
  for (const test::Kind& kind : world.kinds()) (void)world.answer(kind, *worker);  // links lazily
  for (const test::Kind& kind : world.kinds()) {
    CALLGRIND_START_INSTRUMENTATION;
    const std::size_t size = world.answer(kind, *worker);
    CALLGRIND_DUMP_STATS_AT(kind.name.c_str());
    CALLGRIND_STOP_INSTRUMENTATION;
    if (size < query_count * header_size) return 1;
  }
}
