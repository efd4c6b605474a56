// Probes on the wire: many at once, in one libcurl multi handle, by one thread.
// health/transfers.h starts them and takes what they found. Only the .cpp knows libcurl.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "geo/base/moment.h"
#include "geo/base/result.h"
#include "health/probe.h"

namespace demarc::health {

/// An answer is read up to here; its status counts, whatever would follow. The answer, or this much
/// of it, must come within the timeout: an endless body is fine, one that dribbles is not.
inline constexpr std::size_t body_cap_bytes = 16'384;

/// A header section above this is a failure: no healthy endpoint sends one.
inline constexpr std::size_t header_cap_bytes = 32'768;

struct TransferOptions {
  std::string user_agent = "Demarc-health-check";
  /// PEM file with the only CAs that https probes trust; empty: the system's.
  std::string ca_file;
  std::string evidence_folder;  // of file checks; empty: there are none
  std::string programs_folder;  // of program checks; empty: they are off
};

/// Owned and used by one thread; wake() alone may be called by any.
///
/// Each probe is a connection of its own, closed at its end: a kept one would prove that an old
/// connection still lives, and libcurl shares kept ones by host name, not by address. Redirects,
/// proxies and compression are off. https verifies chain, time and host name; with
/// Probe::certificate_every a handshake may resume the target's last session.
class CurlTransfers {
 public:
  /// The error says what libcurl refused.
  [[nodiscard]] static Result<std::unique_ptr<CurlTransfers>, SystemError> create(
      const TransferOptions& options);
  ~CurlTransfers();
  CurlTransfers(const CurlTransfers&) = delete;
  CurlTransfers& operator=(const CurlTransfers&) = delete;

  /// Begins a probe of a target that has none in flight. It ends in wait(), also when it could not
  /// even begin.
  void start(TargetId target, const Probe& probe);

  /// Forgets a probe; nothing if there is none.
  void cancel(TargetId target);

  /// Forgets what it remembers of targets that are gone. None of these has a probe in flight.
  void retain(const std::function<bool(TargetId)>& is_kept);

  /// Moves all probes on until some have ended, wake() is called, one of the descriptors `also` can
  /// be read, or `at_most` is over.
  [[nodiscard]] std::vector<FinishedProbe> wait(Milliseconds at_most,
                                                std::span<const int> also = {});

  /// Makes a wait() return, the present one or else the next. Any thread.
  void wake() noexcept;

  [[nodiscard]] std::size_t in_flight() const noexcept;

 private:
  struct Multi;
  explicit CurlTransfers(std::unique_ptr<Multi> multi);
  std::unique_ptr<Multi> multi_;
};

}  // namespace demarc::health
