#include "dns/published.h"

#include <catch2/catch.hpp>

#include <atomic>
#include <thread>

namespace demarc::dns::test {
namespace {

// A snapshot that shows whether it is whole: its number is in two places, far from each other.
std::unique_ptr<const Snapshot> numbered(std::uint64_t number) {
  auto snapshot = std::make_unique<Snapshot>();
  snapshot->generation = number;
  snapshot->services.resize(64);
  snapshot->services.back().wall_end_ms = static_cast<std::int64_t>(number);
  return snapshot;
}

TEST_CASE("published: a seat keeps its snapshot until it moves on or parks", "[dns][published]") {
  Published published(numbered(1));
  Seat& first = published.add_seat();
  Seat& second = published.add_seat();
  const Snapshot& held = published.next_batch(first);
  published.publish(numbered(2));
  CHECK(published.free_unused() == 1);
  CHECK(held.generation == 1);
  CHECK(published.next_batch(second).generation == 2);
  CHECK(published.free_unused() == 1);
  CHECK(published.next_batch(first).generation == 2);
  CHECK(published.free_unused() == 0);
  published.publish(numbered(3));
  published.park(first);
  CHECK(published.free_unused() == 1);
  published.park(second);
  CHECK(published.free_unused() == 0);
  CHECK(published.latest().generation == 3);
}

TEST_CASE("published: readers never see a freed or half-built snapshot", "[dns][published]") {
  constexpr std::uint64_t publications = 20'000;
  Published published(numbered(1));
  std::atomic<bool> stopping{false};
  std::atomic<std::uint64_t> broken{0};
  std::vector<std::thread> readers;
  for (int index = 0; index < 3; ++index) {
    readers.emplace_back([&, &seat = published.add_seat(), parks = index != 0] {
      std::uint64_t last = 0;
      while (!stopping.load(std::memory_order_relaxed)) {
        const Snapshot& snapshot = published.next_batch(seat);
        const auto number = static_cast<std::uint64_t>(snapshot.services.back().wall_end_ms);
        if (number != snapshot.generation || number < last) ++broken;
        last = number;
        if (parks) published.park(seat);
      }
      published.park(seat);
    });
  }
  for (std::uint64_t number = 2; number <= publications; ++number) {
    published.publish(numbered(number));
  }
  stopping = true;
  for (std::thread& reader : readers) reader.join();
  CHECK(broken == 0);
  CHECK(published.free_unused() == 0);
}

}  // namespace
}  // namespace demarc::dns::test
