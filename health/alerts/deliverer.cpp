// One worker a receiver: take what was handed in, put it on disk, try the oldest, wait.
#include "health/alerts/deliverer.h"

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <random>
#include <system_error>
#include <thread>
#include <utility>

#include <fmt/format.h>

#include "health/alerts/spool.h"
#include "health/http_request.h"
#include "health/signals_blocked.h"

namespace demarc::health {
namespace {

// A disk that failed is asked again after this.
constexpr Milliseconds save_again_after{2'000};
constexpr std::size_t answer_shown_max = 120;

std::string one_line(std::string_view text) {
  std::string line;
  for (const char c : text.substr(0, answer_shown_max)) line += c >= ' ' && c <= '~' ? c : ' ';
  return line;
}

std::string error_of(const Result<HttpAnswer, std::string>& answer) {
  if (!answer) return answer.error();
  const std::string said = one_line(answer->body);
  return fmt::format("HTTP {}{}{}", answer->status, said.empty() ? "" : ": ", said);
}

}  // namespace

class Deliverer::Worker {
 public:
  Worker(const DelivererOptions& options, Receiver receiver, std::uint64_t seed)
      : options_(options),
        receiver_(std::move(receiver)),
        spool_(options.folder + "/" + receiver_.name),
        random_(seed) {
    state_.receiver = receiver_.name;
    state_.kind = receiver_.kind;
    state_.url = receiver_.url;
  }

  void load(std::vector<std::string>& troubles);
  void start() {
    thread_ = std::thread([this] { run(); });
  }
  void stop() noexcept;

  void deliver(const Notice& notice);
  void stand(const StandingAlerts& alerts);
  [[nodiscard]] const std::string& name() const noexcept { return receiver_.name; }
  [[nodiscard]] bool is_saved() const;
  [[nodiscard]] DeliveryState state() const;

 private:
  void run();
  void take_inbox();
  void save_messages(MonotonicTime now);
  void try_first();
  void repeat_standing();
  void give_up(const Queued& message, const std::string& reason);
  void note_failure(std::string error);
  void publish_sizes();
  [[nodiscard]] Result<HttpAnswer, std::string> post(std::string body);
  [[nodiscard]] std::optional<MonotonicTime> next_due() const;
  [[nodiscard]] MonotonicTime now() const { return options_.clock().monotonic; }

  const DelivererOptions& options_;
  const Receiver receiver_;

  mutable std::mutex mutex_;  // the five below; never held during a request or a write
  std::condition_variable woken_;
  std::vector<Notice> inbox_;
  StandingAlerts standing_;
  bool is_stopping_ = false;
  bool is_saved_ = true;
  DeliveryState state_;

  // The thread's own.
  DeliveryQueue queue_;
  Spool spool_;
  std::mt19937_64 random_;
  unsigned failures_ = 0;  // in a row
  MonotonicTime try_at_{};
  MonotonicTime save_at_{};
  MonotonicTime repeat_at_{};
  HttpClient client_;
  std::thread thread_;
};

void Deliverer::Worker::load(std::vector<std::string>& troubles) {
  for (Queued& message : spool_.load(troubles)) {
    const auto pushed = queue_.push(std::move(message));
    for (const std::uint64_t number : pushed.replaced) spool_.remove(number);
    if (pushed.too_many) give_up(*pushed.too_many, "too many messages wait");
  }
  publish_sizes();
}

void Deliverer::Worker::deliver(const Notice& notice) {
  // Alertmanager makes its own reminders of what it hears every minute.
  if (receiver_.kind == ReceiverKind::alertmanager && notice.state == NoticeState::reminder) return;
  {
    const std::scoped_lock lock(mutex_);
    inbox_.push_back(notice);
    is_saved_ = false;
    ++state_.undelivered;
  }
  woken_.notify_one();
}

void Deliverer::Worker::stand(const StandingAlerts& alerts) {
  if (receiver_.kind != ReceiverKind::alertmanager) return;
  const std::scoped_lock lock(mutex_);
  standing_ = alerts;
}

bool Deliverer::Worker::is_saved() const {
  const std::scoped_lock lock(mutex_);
  return is_saved_;
}

DeliveryState Deliverer::Worker::state() const {
  const std::scoped_lock lock(mutex_);
  return state_;
}

void Deliverer::Worker::stop() noexcept {
  {
    const std::scoped_lock lock(mutex_);
    is_stopping_ = true;
  }
  woken_.notify_one();
  client_.stop();
  if (thread_.joinable()) thread_.join();
}

void Deliverer::Worker::run() {
  for (;;) {
    take_inbox();
    save_messages(now());
    publish_sizes();
    if (!queue_.empty() && now() >= try_at_) {
      try_first();
    } else if (receiver_.kind == ReceiverKind::alertmanager && now() >= repeat_at_) {
      repeat_standing();
    }
    publish_sizes();
    const auto due = next_due();
    std::unique_lock lock(mutex_);
    const auto has_work = [this] { return is_stopping_ || !inbox_.empty(); };
    if (is_stopping_) {
      lock.unlock();
      take_inbox();  // what was handed in until now outlives us
      save_messages(MonotonicTime::max());
      return publish_sizes();
    }
    if (!due) {
      woken_.wait(lock, has_work);
    } else {
      woken_.wait_for(lock, std::max(*due - now(), Milliseconds{0}), has_work);
    }
  }
}

std::optional<MonotonicTime> Deliverer::Worker::next_due() const {
  std::optional<MonotonicTime> due;
  const auto sooner = [&](MonotonicTime at) { due = due ? std::min(*due, at) : at; };
  if (!queue_.empty()) sooner(try_at_);
  if (receiver_.kind == ReceiverKind::alertmanager) sooner(repeat_at_);
  const std::scoped_lock lock(mutex_);
  if (!is_saved_) sooner(save_at_);
  return due;
}

void Deliverer::Worker::take_inbox() {
  std::vector<Notice> taken;
  {
    const std::scoped_lock lock(mutex_);
    taken.swap(inbox_);
  }
  for (Notice& notice : taken) {
    const auto pushed = queue_.push({spool_.next_number(), std::move(notice), false});
    for (const std::uint64_t number : pushed.replaced) spool_.remove(number);
    if (pushed.too_many) give_up(*pushed.too_many, "too many messages wait");
  }
  if (!taken.empty()) save_at_ = MonotonicTime{};
}

void Deliverer::Worker::save_messages(MonotonicTime now) {
  if (now < save_at_) return;
  std::string error;
  for (Queued& message : queue_.messages()) {
    if (message.is_saved) continue;
    const auto saved = spool_.save(message);
    message.is_saved = saved.has_value();
    if (saved) continue;
    error = saved.error().text();
    save_at_ = now == MonotonicTime::max() ? now : now + save_again_after;
    break;
  }
  const std::scoped_lock lock(mutex_);
  state_.spool_error = error;
}

void Deliverer::Worker::publish_sizes() {
  const bool all_saved =
      std::ranges::all_of(queue_.messages(), [](const Queued& one) { return one.is_saved; });
  const std::scoped_lock lock(mutex_);
  is_saved_ = all_saved && inbox_.empty();
  if (queue_.empty()) state_.spool_error.clear();
  state_.undelivered = queue_.size() + inbox_.size();
  state_.oldest = queue_.empty() ? std::nullopt : std::optional(queue_.front().notice.at);
}

Result<HttpAnswer, std::string> Deliverer::Worker::post(std::string body) {
  const bool is_webhook = receiver_.kind == ReceiverKind::webhook;
  HttpRequest request{.method = "POST",
                      .url = is_webhook ? receiver_.url : receiver_.url + "/api/v2/alerts",
                      .headers = {{"Content-Type", "application/json"}},
                      .body = std::move(body),
                      .timeout = receiver_.timeout,
                      .ca_file = receiver_.ca_file};
  if (is_webhook && !receiver_.secret.empty()) {
    request.headers.emplace_back(
        "Demarc-Signature", write_signature(receiver_.secret, options_.clock().wall, request.body));
  }
  return client_.send(request);
}

void Deliverer::Worker::try_first() {
  const Notice& notice = queue_.front().notice;
  const WallTime wall = options_.clock().wall;
  const bool is_webhook = receiver_.kind == ReceiverKind::webhook;
  const auto answer = post(is_webhook ? write_webhook(notice, options_.sender)
                                      : write_alertmanager(notice, options_.sender, wall));
  switch (judge_delivery(answer)) {
    case Delivery::delivered: {
      spool_.remove(queue_.pop().number);
      failures_ = 0;
      const std::scoped_lock lock(mutex_);
      ++state_.delivered;
      state_.last_error.clear();
      return;
    }
    case Delivery::given_up:
      failures_ = 0;
      return give_up(queue_.pop(), error_of(answer));
    case Delivery::again:
      if (wall - notice.at >= undelivered_for_max) {
        give_up(queue_.pop(), "not delivered in time; last: " + error_of(answer));
      }
      return note_failure(error_of(answer));
  }
}

void Deliverer::Worker::note_failure(std::string error) {
  const double random = std::uniform_real_distribution<double>(0, 1)(random_);
  try_at_ = now() + backoff(options_.retry, ++failures_, random);
  const std::scoped_lock lock(mutex_);
  if (is_stopping_) return;  // it was us who ended the attempt
  ++state_.failed;
  state_.last_error = std::move(error);
}

void Deliverer::Worker::give_up(const Queued& message, const std::string& reason) {
  const auto buried = spool_.bury(message, reason, options_.clock().wall);
  const std::scoped_lock lock(mutex_);
  ++state_.dead;
  state_.last_error = reason;
  if (!buried) state_.spool_error = buried.error().text();
}

void Deliverer::Worker::repeat_standing() {
  repeat_at_ = now() + options_.repeat;
  StandingAlerts standing;
  {
    const std::scoped_lock lock(mutex_);
    standing = standing_;
  }
  if (standing.empty()) return;
  const auto answer = post(write_alertmanager(standing, options_.sender, options_.clock().wall));
  if (judge_delivery(answer) != Delivery::delivered) note_failure(error_of(answer));
}

Deliverer::Deliverer(DelivererOptions options) : options_(std::move(options)) {
  std::uint64_t seed = options_.seed;
  for (const Receiver& receiver : options_.receivers) {
    workers_.push_back(std::make_unique<Worker>(options_, receiver, seed++));
  }
}

Deliverer::~Deliverer() { stop(); }

Result<std::vector<std::string>, SystemError> Deliverer::start() {
  std::vector<std::string> troubles;
  const SignalsBlocked blocked;
  for (const auto& worker : workers_) {
    worker->load(troubles);
    try {
      worker->start();
    } catch (const std::system_error& error) {
      return std::unexpected(SystemError{"start an alert receiver's thread", error.code().value()});
    }
  }
  return troubles;
}

void Deliverer::deliver(const Notice& notice) {
  for (const auto& worker : workers_) {
    if (notice.to.contains(worker->name())) worker->deliver(notice);
  }
}

void Deliverer::stand(const std::string& receiver, const StandingAlerts& alerts) {
  for (const auto& worker : workers_) {
    if (worker->name() == receiver) worker->stand(alerts);
  }
}

bool Deliverer::is_saved() const {
  return std::ranges::all_of(workers_, [](const auto& worker) { return worker->is_saved(); });
}

std::vector<DeliveryState> Deliverer::states() const {
  std::vector<DeliveryState> states;
  for (const auto& worker : workers_) states.push_back(worker->state());
  return states;
}

void Deliverer::stop() noexcept {
  for (const auto& worker : workers_) worker->stop();
}

}  // namespace demarc::health
