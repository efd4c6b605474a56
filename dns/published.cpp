#include "dns/published.h"

#include <algorithm>
#include <cassert>

namespace demarc::dns {

Published::Published(std::unique_ptr<const Snapshot> first)
    : latest_(first.get()), current_(std::move(first)) {
  assert(current_ != nullptr);
}

Published::~Published() { assert(left_by_all(Seat::parked)); }

Seat& Published::add_seat() {
  Seat& seat = *seats_.emplace_back(std::make_unique<Seat>());
  seat.number_ = seats_.size();
  return seat;
}

// The seat's store and the load behind it are sequentially consistent, as are their counterparts in
// publish(): a parked seat that comes back either is seen there, or itself sees the new snapshot.
const Snapshot& Published::next_batch(Seat& seat) const noexcept {
  seat.epoch_.store(epoch_.load(std::memory_order_acquire), std::memory_order_seq_cst);
  return *latest_.load(std::memory_order_seq_cst);
}

// left_by_all() looks at `held` first, as seats are in order: either it still finds the epoch
// there, or, since this thread's stores are seen in their order, it finds it in `other`.
void Published::hold_too(const Seat& held, Seat& other) const noexcept {
  assert(other.number_ > held.number_);
  other.epoch_.store(held.epoch_.load(std::memory_order_relaxed), std::memory_order_seq_cst);
}

void Published::park(Seat& seat) const noexcept {
  seat.epoch_.store(Seat::parked, std::memory_order_release);
}

void Published::publish(std::unique_ptr<const Snapshot> next) {
  assert(next != nullptr);
  latest_.store(next.get(), std::memory_order_seq_cst);
  const std::uint64_t epoch = epoch_.fetch_add(1, std::memory_order_acq_rel) + 1;
  retired_.emplace_back(epoch, std::exchange(current_, std::move(next)));
  free_unused();
}

std::size_t Published::free_unused() {
  std::erase_if(retired_, [this](const auto& old) { return left_by_all(old.first); });
  return retired_.size();
}

bool Published::left_by_all(std::uint64_t epoch) const noexcept {
  return std::ranges::all_of(seats_, [epoch](const auto& seat) {
    return seat->epoch_.load(std::memory_order_seq_cst) >= epoch;
  });
}

}  // namespace demarc::dns
