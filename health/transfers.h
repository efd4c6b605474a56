// Every kind of probe behind one face: started, waited for together, and taken when they end.
// health/prober.h drives it; each kind is a file of its own.
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "health/curl_transfers.h"
#include "health/datagram_probes.h"
#include "health/program_probes.h"

namespace demarc::health {

/// Owned and used by one thread; wake() alone may be called by any.
class Transfers {
 public:
  /// The error says what libcurl refused.
  [[nodiscard]] static Result<std::unique_ptr<Transfers>, SystemError> create(
      const TransferOptions& options);

  /// Begins a probe of a target that has none in flight. It ends in wait(), also when it could not
  /// even begin.
  void start(TargetId target, const Probe& probe);

  /// Forgets a probe; nothing if there is none.
  void cancel(TargetId target);

  /// Forgets what it remembers of targets that are gone. None of these has a probe in flight.
  void retain(const std::function<bool(TargetId)>& is_kept) { curl_->retain(is_kept); }

  /// Moves all probes on until some have ended, wake() is called or `at_most` is over.
  [[nodiscard]] std::vector<FinishedProbe> wait(Milliseconds at_most);

  /// Makes a wait() return, the present one or else the next. Any thread.
  void wake() noexcept { curl_->wake(); }

  [[nodiscard]] std::size_t in_flight() const noexcept;

 private:
  Transfers(const TransferOptions& options, std::unique_ptr<CurlTransfers> curl);

  TransferOptions options_;
  std::unique_ptr<CurlTransfers> curl_;
  DatagramProbes datagrams_;
  ProgramProbes programs_;
  std::vector<FinishedProbe> at_once_;  // files: read when they are asked for
  std::vector<int> descriptors_;        // kept for its memory
};

}  // namespace demarc::health
