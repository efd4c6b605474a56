// Asks the policy's engine about crossings: Open Policy Agent's data API over HTTP. Its word comes
// back as zones::AdviceGiven; what it weighs is decided in zones/steering.h. tools/outside_world.h
// owns the client; health/http_request.h carries the question.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>

#include "geo/base/moment.h"
#include "geo/base/result.h"
#include "health/http_request.h"
#include "zones/events.h"

namespace demarc::health {

/// Questions that wait at once; one more gets no word.
inline constexpr std::size_t questions_max = 64;

/// What the engine's answer says: `{"result": true}` or `{"result": {"allow": true}}` allow,
/// `false` in their place denies, with `reason` and `decision_id` as the detail. Everything else is
/// no word: another status, no JSON, no result (the rule is undefined), a result of another kind.
/// Any bytes are fine.
struct Advice {
  std::optional<zones::Effect> effect;
  std::string detail;
};
[[nodiscard]] Advice read_advice(int status, std::string_view body);

class AdvisorClient {
 public:
  using OnAdvice = std::function<void(zones::AdviceGiven)>;

  struct Options {
    std::string ca_file;            // PEM; empty: the system's
    std::function<Moment()> clock;  // called from both threads
  };

  /// `on_advice` is called from the client's thread; it should only hand over and return.
  AdvisorClient(Options options, OnAdvice on_advice);
  ~AdvisorClient();  // stops
  AdvisorClient(const AdvisorClient&) = delete;
  AdvisorClient& operator=(const AdvisorClient&) = delete;

  [[nodiscard]] Result<void, SystemError> start();

  /// Every question is answered once, within its advisor's timeout from now on, time in the line
  /// included; without a word if the engine has not answered by then. Returns at once; any thread.
  void ask(zones::AdviceWanted question);

  /// Ends the thread; questions that wait get no answer.
  void stop() noexcept;

 private:
  struct Waiting {
    zones::AdviceWanted question;
    MonotonicTime asked_at;
    bool is_refused = false;  // there was no room
  };
  void run();
  [[nodiscard]] zones::AdviceGiven answer(const Waiting& waiting);

  const Options options_;
  const OnAdvice on_advice_;
  std::mutex mutex_;  // the two below
  std::condition_variable woken_;
  std::deque<Waiting> waiting_;
  bool is_stopping_ = false;
  HttpClient client_;
  std::thread thread_;
};

}  // namespace demarc::health
