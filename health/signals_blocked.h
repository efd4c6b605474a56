// Signals are for the daemon's loop alone: threads that this room starts see none.
// health/prober.h, health/lag_prober.h, health/advisor.h and health/alerts/deliverer.h start them.
#pragma once

#include <csignal>

namespace demarc::health {

/// Blocks every signal for the present thread and those it starts meanwhile. A write to a closed
/// connection must not end the program either: with NOSIGNAL, libcurl leaves SIGPIPE to its caller.
class SignalsBlocked {
 public:
  SignalsBlocked() {
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before_);
  }
  ~SignalsBlocked() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
  SignalsBlocked(const SignalsBlocked&) = delete;
  SignalsBlocked& operator=(const SignalsBlocked&) = delete;

 private:
  sigset_t before_{};
};

}  // namespace demarc::health
