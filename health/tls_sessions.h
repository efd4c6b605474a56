// The TLS sessions that probes resume: one a target, for a while.
// health/curl_transfers.cpp alone uses it. Only the .cpp knows libcurl, whose own cache it is.
#pragma once

#include <functional>
#include <memory>
#include <unordered_map>

#include "geo/base/moment.h"
#include "health/probe.h"

namespace demarc::health {

/// A resumed session (RFC 8446 §2.2) costs less than a handshake, and shows no certificate. So each
/// lasts `Probe::certificate_every` and ends early with anything but a pass: what is wrong is
/// always looked at afresh. Owned and used by one thread.
class TlsSessions {
 public:
  /// Where the probe's session is kept, a share handle of libcurl (CURLSH*); null if it is to have
  /// none. A transfer holds on to it until its own handle is cleaned up.
  [[nodiscard]] std::shared_ptr<void> find_or_make(TargetId target, const Probe& probe,
                                                   MonotonicTime now);

  /// The target's next probe is a whole handshake.
  void end(TargetId target) { sessions_.erase(target); }

  void retain(const std::function<bool(TargetId)>& is_kept);

 private:
  struct Session {
    std::shared_ptr<void> share;
    MonotonicTime end{};
  };
  std::unordered_map<TargetId, Session> sessions_;
};

}  // namespace demarc::health
