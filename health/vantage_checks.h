// Checks as other vantages see them: what each told last, and when that is too old. Pure; beside
// health/checks.h, which has what this node finds itself.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "health/checks.h"
#include "health/observations.h"

namespace demarc::health {

/// A vantage tells all it knows this often, and at once when something changes.
inline constexpr Milliseconds observations_interval{5'000};

/// A check that follows the word of one vantage.
struct VantageCheck {
  std::string key;    // zones::HealthCheck::key: "KEY@VANTAGE"
  std::string check;  // the one that the vantage asks itself: "KEY"
  std::string vantage;
  Milliseconds stale_after{0};
};

[[nodiscard]] std::vector<VantageCheck> build_vantage_checks(const zones::Repository& repository);

/// The vantage has counted already: its word is the verdict. One that is silent makes its checks
/// stale, which moves nothing: a vantage that is cut off neither takes an endpoint out nor keeps
/// it.
class VantageChecks {
 public:
  /// A reload: those that stay keep their verdict.
  void replace(std::vector<VantageCheck> checks, const Moment& now);

  /// Takes what a vantage told; the error says why not: it is not newer than what it told last.
  [[nodiscard]] Result<std::vector<VerdictChange>, std::string> note(
      const Observations& observations, const Moment& now);

  [[nodiscard]] std::vector<VerdictChange> check_ages(const Moment& now);

  /// By key.
  [[nodiscard]] std::vector<CheckState> snapshot(const Moment& now) const;

 private:
  struct Known {
    VantageCheck what;
    zones::Verdict verdict = zones::Verdict::unknown;
    std::string detail;
    Moment since;
    MonotonicTime heard;  // or when it began
    bool is_heard = false;
    std::uint64_t transitions = 0;
    Milliseconds down_before{0};  // up to `since`
  };
  void change(Known& known, zones::Verdict to, TransitionReason reason, const Moment& now,
              std::vector<VerdictChange>& changes);
  [[nodiscard]] static Milliseconds down_now(const Known& known, const Moment& now);

  std::map<std::string, Known> known_;         // by key
  std::map<std::string, WallTime> last_told_;  // by vantage: the time in its last message
};

}  // namespace demarc::health
