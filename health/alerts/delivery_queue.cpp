#include "health/alerts/delivery_queue.h"

#include <algorithm>
#include <utility>

namespace demarc::health {
namespace {

// 2^20 times any first wait is beyond every longest one.
constexpr unsigned doublings_max = 20;

/// Makes `later` say what a receiver that never got `earlier` has to know.
void take_over(const Notice& earlier, Notice& later) {
  if (earlier.state == NoticeState::raised && later.state == NoticeState::changed) {
    later.state = NoticeState::raised;
  }
  // What the receiver knows is from before the earlier message, not from before this one.
  if (earlier.state == NoticeState::raised || earlier.before) later.before = earlier.before;
}

}  // namespace

Milliseconds backoff(const RetryTiming& timing, unsigned failures, double random) {
  const unsigned doublings = std::min(failures == 0 ? 0 : failures - 1, doublings_max);
  const auto longest = std::min(timing.first * (Milliseconds::rep{1} << doublings), timing.longest);
  const double share = 0.5 + std::clamp(random, 0.0, 1.0) / 2;
  return Milliseconds(static_cast<Milliseconds::rep>(static_cast<double>(longest.count()) * share));
}

Delivery judge_delivery(const Result<HttpAnswer, std::string>& answer) {
  constexpr int request_timeout = 408, too_early = 425, too_many_requests = 429;
  if (!answer) return Delivery::again;
  const int status = answer->status;
  if (status >= 200 && status <= 299) return Delivery::delivered;
  if (status == request_timeout || status == too_early || status == too_many_requests) {
    return Delivery::again;
  }
  return status >= 300 && status <= 499 ? Delivery::given_up : Delivery::again;
}

DeliveryQueue::Pushed DeliveryQueue::push(Queued message) {
  Pushed pushed;
  const auto earlier = std::ranges::find_if(messages_, [&](const Queued& queued) {
    return queued.notice.alert.key == message.notice.alert.key;
  });
  if (earlier != messages_.end()) {
    if (message.notice.state == NoticeState::reminder) {
      pushed.replaced.push_back(message.number);  // the alert itself is still on its way
      return pushed;
    }
    take_over(earlier->notice, message.notice);
    pushed.replaced.push_back(earlier->number);
    messages_.erase(earlier);
  }
  messages_.push_back(std::move(message));
  if (messages_.size() > undelivered_max) pushed.too_many = take_least_urgent();
  return pushed;
}

Queued DeliveryQueue::take_least_urgent() {
  const auto least = std::ranges::min_element(messages_, {}, [](const Queued& queued) {
    return std::pair(queued.notice.alert.to_everyone, queued.notice.alert.level);
  });
  Queued taken = std::move(*least);
  messages_.erase(least);
  return taken;
}

Queued DeliveryQueue::pop() {
  Queued first = std::move(messages_.front());
  messages_.pop_front();
  return first;
}

}  // namespace demarc::health
