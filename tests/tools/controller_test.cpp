// The controller and a trail that cannot be opened.
#include "tools/controller.h"

#include <filesystem>

#include <catch2/catch.hpp>

#include "tests/support/temp_folder.h"

using namespace demarc;
using namespace demarc::tools;

namespace {

namespace fs = std::filesystem;

struct World {
  demarc::testing::TempFolder folder;
  int second = 0;
  std::string audit = folder.write("audit", "no folder");

  std::unique_ptr<Controller> controller() {
    fs::create_directories(folder.path() + "/state");
    return std::make_unique<Controller>(
        zones::SteeringState{}, std::move(*zones::open_local_state(folder.path() + "/state")),
        ControllerPaths{.audit = audit, .node = "test"},
        [this] {
          return Moment{WallTime{Seconds{1'800'000'000 + second}}, MonotonicTime{Seconds{second}}};
        },
        [](std::span<const zones::ClearedWeights>, Moment) {});
  }
  void mend() const {
    fs::remove(audit);
    fs::create_directories(audit);
  }
};

}  // namespace

TEST_CASE("controller: a trail that cannot be opened is tried less and less often", "[tools]") {
  World world;
  const auto controller = world.controller();
  // Tried at 1, 3, 7, 15, 31, 63 and then each minute.
  const auto [mended_at, opened_at] = GENERATE(
      table<int, int>({{1, 1}, {2, 3}, {8, 15}, {16, 31}, {64, 123}, {124, 183}, {184, 243}}));
  CAPTURE(mended_at);
  for (world.second = 1; world.second < mended_at; ++world.second) controller->maintain();
  world.mend();
  for (; world.second < opened_at; ++world.second) {
    controller->maintain();
    REQUIRE(controller->audit_size() == 0);
  }
  REQUIRE(fs::is_empty(world.audit));
  controller->maintain();
  CHECK_FALSE(fs::is_empty(world.audit));
}

TEST_CASE("controller: at its end it tries the trail at once", "[tools]") {
  World world;
  const auto controller = world.controller();
  for (world.second = 1; world.second < 20; ++world.second) controller->maintain();
  world.mend();
  controller->maintain();
  REQUIRE(fs::is_empty(world.audit));
  controller->maintain_last();
  CHECK_FALSE(fs::is_empty(world.audit));
}
