// Takes down what is answered, change by change, and makes the report's lanes of it: kinds of
// clients that were always answered alike share one. Both ways of running use it.
#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "zones/drill/report.h"
#include "zones/drill/sight.h"
#include "zones/model.h"

namespace demarc::zones::drill {

class Recorder {
 public:
  explicit Recorder(const Repository& repository) : repository_(repository) {}

  /// In the order of time. The first sight of a lane begins it; an equal one changes nothing.
  void see(Milliseconds at, ServiceId service, const std::string& client, const Answer& answer,
           bool on_the_wire = false);

  /// Ends every span at `end`. By service, then in the order in which clients were seen.
  [[nodiscard]] std::vector<Lane> lanes(Milliseconds end) const;

 private:
  struct Track {
    ServiceId service{};
    std::string client;
    bool on_the_wire = false;
    std::vector<std::pair<Milliseconds, Answer>> changes;
  };
  const Repository& repository_;
  std::vector<Track> tracks_;
};

/// The marks that entries of the trail are worth; in the entries' order.
[[nodiscard]] std::vector<Mark> marks_of(const std::vector<Decision>& decisions);

}  // namespace demarc::zones::drill
