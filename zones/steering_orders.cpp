// Steering's part for what people order: endpoints out, up or down, a freeze, the way home.
#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "zones/alert_text.h"
#include "zones/digest.h"
#include "zones/order_target.h"
#include "zones/steering.h"
#include "zones/steering_step.h"
#include "zones/time_text.h"

namespace demarc::zones {
namespace {

constexpr auto order_lasts_max = std::chrono::days(31);

void reply(Effects& out, bool accepted, std::string text, std::string id = {}) {
  out.reply = Reply{accepted, std::move(text), std::move(id)};
}

bool names_any(const Service& service, const Policy& policy, const std::string& target) {
  return std::ranges::any_of(
      service.records, [&](const Record& record) { return names_record(policy, record, target); });
}

std::string_view effect_of(OrderKind kind) {
  switch (kind) {
    case OrderKind::drain:
      return "is drained";
    case OrderKind::force_up:
      return "counts as well";
    case OrderKind::force_down:
      return "counts as down";
  }
  return "is drained";
}

}  // namespace

void Steering::on(Step& step, const OrderGiven& event) {
  if (!configuration_) return reply(step.out, false, "no repository is loaded yet");
  const Repository& repository = *configuration_->repository;
  if (event.reason.empty()) return reply(step.out, false, "an order needs a reason");
  if (event.lasts <= Milliseconds::zero() || event.lasts > order_lasts_max) {
    return reply(step.out, false, "an order needs an end, at most 31 days away");
  }
  if (state_.orders.size() >= orders_max) return reply(step.out, false, "too many orders");
  std::string service_text;
  if (!event.service.empty()) {
    const auto owner = Name::parse_absolute(event.service);
    const auto service = owner ? repository.find_service(*owner) : std::nullopt;
    if (!service) return reply(step.out, false, "there is no service `" + event.service + "`");
    if (!names_any(repository.service(*service), repository.policy, event.target)) {
      return reply(step.out, false,
                   fmt::format("`{}` has no record whose region or endpoint is `{}`", event.service,
                               event.target));
    }
    service_text = owner->text_without_dot();
  } else if (std::ranges::none_of(repository.services, [&](const Service& service) {
               return names_any(service, repository.policy, event.target);
             })) {
    return reply(
        step.out, false,
        fmt::format("no service has a record whose region or endpoint is `{}`", event.target));
  }
  const WallTime ends = step.now + event.lasts;
  const std::string seed = fmt::format("{}|{}|{}|{}", event.target, service_text,
                                       step.now.time_since_epoch().count(), state_.orders.size());
  const std::string id = "order-" + sha256_hex(seed).substr(0, 10);
  const Order order{id,           event.target, service_text, event.who,
                    event.reason, step.now,     ends,         event.kind};
  if (const std::string broken = assertion_against(order); !broken.empty()) {
    return reply(step.out, false, fmt::format("[{}] the order would break this assertion", broken));
  }
  state_.orders[id] = order;
  step.out.save_state = true;
  auto fact = entry(step, "order-given", std::string(node_jurisdiction));
  fact.facts.emplace_back("order", id);
  fact.facts.emplace_back("order-kind", std::string(to_text(event.kind)));
  fact.facts.emplace_back("target", event.target);
  fact.facts.emplace_back("service", service_text);
  fact.facts.emplace_back("who", event.who);
  fact.facts.emplace_back("why", event.reason);
  fact.facts.emplace_back("ends", to_rfc3339(ends));
  step.out.audit.push_back(std::move(fact));
  touch_all(step);
  reply(step.out, true,
        fmt::format("{} {} until {}", event.target, effect_of(event.kind), to_rfc3339(ends)), id);
}

void Steering::on(Step& step, const OrderEnded& event) {
  std::vector<std::string> ended;
  for (const auto& [id, order] : state_.orders) {
    if (id == event.id || order.target == event.id) ended.push_back(id);
  }
  if (ended.empty()) return reply(step.out, false, "there is no order `" + event.id + "`");
  for (const std::string& id : ended) {
    auto fact = entry(step, "order-ended", std::string(node_jurisdiction));
    fact.facts.emplace_back("order", id);
    fact.facts.emplace_back("target", state_.orders[id].target);
    fact.facts.emplace_back("who", event.who);
    step.out.audit.push_back(std::move(fact));
    state_.orders.erase(id);
  }
  step.out.save_state = true;
  touch_all(step);
  reply(step.out, true, fmt::format("ended {}", fmt::join(ended, ", ")));
}

void Steering::on(Step& step, const FreezeSet& event) {
  if (event.on && event.reason.empty()) return reply(step.out, false, "a freeze needs a reason");
  if (const std::string text = overrule_mass_failure(step, event); !text.empty()) {
    return reply(step.out, true, text);
  }
  if (event.on == state_.freeze.has_value()) {
    return reply(step.out, false, event.on ? "it is frozen already" : "it is not frozen");
  }
  step.out.save_state = true;
  auto fact =
      entry(step, event.on ? "freeze-begun" : "freeze-ended", std::string(node_jurisdiction));
  fact.facts.emplace_back("who", event.who);
  fact.facts.emplace_back("why", event.reason);
  step.out.audit.push_back(std::move(fact));
  if (event.on) {
    if (state_.drill) end_drill(step, event.who, "frozen: " + event.reason);
    state_.freeze = Freeze{event.who, event.reason, step.now};
    step.out.alerts_raised.push_back(
        node_alert("freeze", "frozen by " + event.who + ": " + event.reason, step.now,
                   AlertLevel::warning, {{"end the freeze", "demarc unfreeze"}}));
    return reply(step.out, true, "frozen: health moves nothing until it is ended");
  }
  state_.freeze.reset();
  step.verdicts_moved = true;
  step.out.alerts_ended.emplace_back("freeze");
  touch_all(step);  // covered crossings waited for this as well
  reply(step.out, true, "the freeze has ended");
}

void Steering::on(Step& step, const FailbackOrdered& event) {
  if (!configuration_) return reply(step.out, false, "no repository is loaded yet");
  if (event.reason.empty()) return reply(step.out, false, "going home by order needs a reason");
  const Repository& repository = *configuration_->repository;
  const auto owner = Name::parse_absolute(event.service);
  const auto named = owner ? repository.find_service(*owner) : std::nullopt;
  if (!named) return reply(step.out, false, "there is no service `" + event.service + "`");
  bool is_any = false;
  for (std::size_t i = 0; i < repository.services.size(); ++i) {
    const ServiceId id{static_cast<std::uint32_t>(i)};
    const Service& service = repository.services[i];
    if (id != *named && service.tenants_of != named) continue;
    const auto leash = state_.leashes.find(service.owner.text_without_dot());
    if (leash == state_.leashes.end() || leash->second.kept_away.empty()) continue;
    leash->second.kept_away.clear();
    step.touched.insert(id);
    is_any = true;
    auto fact = entry(step, "failback-ordered", service);
    fact.facts.emplace_back("who", event.who);
    fact.facts.emplace_back("why", event.reason);
    step.out.audit.push_back(std::move(fact));
  }
  if (!is_any) {
    return reply(step.out, false, event.service + " does not wait for a word to come home");
  }
  step.out.save_state = true;
  reply(step.out, true, event.service + " comes home");
}

}  // namespace demarc::zones
