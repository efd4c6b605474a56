// The answers whose cost is watched: one world, and queries of each kind. instructions_main.cpp
// counts them, micro_main.cpp times them.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "dns/responder.h"
#include "dns/snapshot.h"
#include "tests/dns/message.h"

namespace demarc::dns::test {

/// Queries that are answered in the same way, each by another name, client or network.
struct Kind {
  std::string name;
  struct Asked {
    Bytes packet;
    geo::Address client;
  };
  std::vector<Asked> queries;
};

class SpeedWorld {
 public:
  /// `name_count` static names, as many networks of each family in two countries, and
  /// `query_count` queries of each kind. The same arguments make the same world.
  SpeedWorld(std::size_t name_count, std::size_t query_count);

  [[nodiscard]] const std::vector<Kind>& kinds() const { return kinds_; }
  [[nodiscard]] const Snapshot& snapshot() const { return *snapshot_; }

  /// Reads and answers every query of a kind once, as dns/udp_loop.h does; returns the sum of the sizes, above zero.
  std::size_t answer(const Kind& kind, Worker& worker);

 private:
  std::unique_ptr<const Snapshot> snapshot_;
  std::vector<Kind> kinds_;
  Received received_;
  Bytes out_ = Bytes(udp_size_max);
};

}  // namespace demarc::dns::test
