// Plays random histories until the oracle objects: exit 1 and its words, or 0 if it never does.
// tests/simulation/mutations/CMakeLists.txt links it with one planted bug each.
#include <cstdint>
#include <cstdio>
#include <cstdlib>

#include "tests/simulation/history.h"

int main(int count, char** arguments) {
  constexpr int events_a_world = 500;
  const std::uint64_t worlds = count > 1 ? std::strtoull(arguments[1], nullptr, 10) : 100;
  for (std::uint64_t seed = 1; seed <= worlds; ++seed) {
    demarc::simulation::History history(seed);
    for (int event = 1; event <= events_a_world; ++event) {
      history.one_event();
      const std::string& text = history.oracle().violation();
      if (text.empty()) continue;
      std::printf("found in history %lu, event %d: %s\n", static_cast<unsigned long>(seed), event,
                  text.c_str());
      return 1;
    }
  }
  std::printf("nothing found in %lu histories\n", static_cast<unsigned long>(worlds));
  return 0;
}
