#include "tools/controller.h"

#include <algorithm>

#include <fmt/format.h>

#include "tools/audit_files.h"
#include "tools/log.h"

namespace demarc::tools {
namespace {

// Even a calm daemon saves its clock now and then, so that a restart notices a clock that went
// back.
constexpr Milliseconds calm_save_after{10'000};
constexpr Milliseconds retention_every{std::chrono::hours{1}};

zones::AuditEntry node_fact(WallTime time, std::string kind, std::string text) {
  return {.time = time,
          .kind = std::move(kind),
          .jurisdiction = std::string(zones::node_jurisdiction),
          .facts = {{"text", std::move(text)}}};
}

}  // namespace

Controller::Controller(zones::SteeringState restored, std::unique_ptr<zones::StateStore> store,
                       ControllerPaths paths, std::function<Moment()> clock, Publish publish)
    : steering_(std::move(restored)),
      store_(std::move(store)),
      paths_(std::move(paths)),
      clock_(std::move(clock)),
      publish_(std::move(publish)) {
  if (auto opened = open_log(); !opened) {
    // Closed at the border, open inside it: answers go on, no crossing is made.
    log_line(LogLevel::alert, "audit-not-open error=" + opened.error().text());
    disk_is_broken_ = true;
    open_again_at_ = clock_().monotonic + open_again_after_;
    carry_out(steering_.step({clock_(), zones::AuditBroken{opened.error().text()}}));
  }
}

Result<void, SystemError> Controller::open_log() {
  zones::AuditOptions options{.folders = {paths_.audit, paths_.jurisdictions},
                              .node = paths_.node,
                              .rotate_bytes = paths_.rotate_bytes};
  if (!paths_.key.empty()) {
    auto signer = log_signer(paths_.key, paths_.origin);
    if (!signer) return std::unexpected(signer.error());
    options.signer = std::move(*signer);
  }
  auto log = zones::AuditLog::open(std::move(options));
  if (!log) return std::unexpected(log.error());
  log_.emplace(std::move(*log));
  std::vector<zones::AuditEntry> repairs;
  for (const std::string& repair : log_->repairs()) {
    log_warning("audit-repaired what={}", repair);
    repairs.push_back(node_fact(clock_().wall, "log-repaired", repair));
  }
  auto recorded = log_->append(repairs, false);
  if (!recorded) keep_for_later(repairs);
  return recorded;
}

std::optional<zones::Reply> Controller::happen(std::vector<decltype(zones::Event::what)> what) {
  const Moment now = clock_();
  stepped_at_ = now.monotonic;
  std::vector<zones::Event> events;
  for (auto& one : what) events.push_back({now, std::move(one)});
  zones::Effects effects = steering_.step(events);
  auto reply = std::move(effects.reply);
  carry_out(std::move(effects));
  if (reply && reply->accepted && is_forgotten_) {
    reply->accepted = false;
    reply->text += "; but the state cannot be saved: a restart would not know of it";
  }
  return reply;
}

void Controller::carry_out(zones::Effects effects) {
  count_denied(effects.audit);
  state_is_dirty_ |= effects.state_changed || effects.save_state;
  timer_ = effects.timer;
  for (const auto& entry : effects.audit) {
    recent_.push_back(entry);
    if (recent_.size() <= recent_entries_max) continue;
    recent_.pop_front();
    ++before_recent_;
  }

  std::optional<std::string> broke;
  if (disk_is_broken_) {
    keep_for_later(effects.audit);
  } else if (auto appended = append(effects.audit); !appended) {
    broke = appended.error().text();
    keep_for_later(effects.audit);
  }
  // A trail that cannot be written keeps no revocation or freeze from being remembered. What failed
  // just now is saved by the step that follows, which knows that its crossings were not made.
  if (effects.save_state && !broke) {
    auto saved = save();
    is_forgotten_ = !saved;
    if (!saved && !disk_is_broken_) broke = saved.error().text();
  }
  if (broke) {
    disk_is_broken_ = true;
    backlog_.push_back(node_fact(clock_().wall, "disk-broken", *broke));
    for (zones::AuditEntry entry : effects.audit) {
      if (!entry.tells_of_new_crossing) continue;
      entry.kind = "crossing-not-made";
      entry.tells_of_new_crossing = false;
      backlog_.push_back(std::move(entry));
    }
  }
  const auto& weights = disk_is_broken_ ? effects.publish_if_unaudited : effects.publish;
  if (!weights.empty()) {
    publish_(weights, {steering_.state().trusted_wall, stepped_at_});
  }
  for (auto& alert : effects.alerts_raised) raise(std::move(alert));
  for (const std::string& key : effects.alerts_ended) end_alert(key);
  for (auto& asked : effects.advice_wanted) {
    if (listener_.advice_wanted) listener_.advice_wanted(std::move(asked));
  }
  if (broke) carry_out(steering_.step({clock_(), zones::AuditBroken{*broke}}));
}

Result<void, SystemError> Controller::append(const std::vector<zones::AuditEntry>& entries) {
  if (entries.empty()) return {};
  if (!log_) return failure("the audit trail is not open");
  // A segment begins with how things stand, so that it says so when retention has removed those
  // before it; it begins when that is known.
  const bool may_rotate = steering_.configuration() != nullptr;
  if (!may_rotate || !log_->is_about_to_rotate()) return log_->append(entries, may_rotate);
  std::vector<zones::AuditEntry> all = steering_.definitions(entries.front().time);
  all.insert(all.end(), entries.begin(), entries.end());
  return log_->append(all);
}

Result<void, SystemError> Controller::save() {
  saved_at_ = clock_().monotonic;
  auto saved = store_->save(steering_.state());
  if (saved) state_is_dirty_ = false;
  return saved;
}

void Controller::keep_for_later(const std::vector<zones::AuditEntry>& entries) {
  for (const auto& entry : entries) {
    if (entry.tells_of_new_crossing) continue;  // it did not happen
    if (backlog_.size() == audit_backlog_max) {
      backlog_.pop_front();
      ++backlog_lost_;
    }
    backlog_.push_back(entry);
  }
}

void Controller::maintain() {
  const auto now = clock_();
  if (disk_is_broken_) {
    if (is_forgotten_ && save()) is_forgotten_ = false;
    if (!log_ && !open_log_again(now.monotonic)) return;
    std::vector<zones::AuditEntry> entries(backlog_.begin(), backlog_.end());
    if (backlog_lost_ != 0) {
      entries.push_back(node_fact(now.wall, "entries-lost", std::to_string(backlog_lost_)));
    }
    if (!append(entries)) return;
    backlog_.clear();
    backlog_lost_ = 0;
    if (!save()) return;
    is_forgotten_ = false;
    disk_is_broken_ = false;
    happen_one(zones::AuditMended{});
    return;
  }
  keep_trail();
  const auto since = now.monotonic - saved_at_;
  if ((state_is_dirty_ && since >= lazy_save_after) || since >= calm_save_after) save_now();
}

void Controller::maintain_last() {
  open_again_at_ = {};
  maintain();
}

bool Controller::open_log_again(MonotonicTime now) {
  if (now < open_again_at_) return false;
  if (open_log()) return true;
  open_again_after_ = std::min(open_again_after_ * 2, open_again_longest);
  open_again_at_ = now + open_again_after_;
  return false;
}

/// What the trail needs now and then, whatever happens: a checkpoint, and the end of old details.
void Controller::keep_trail() {
  const auto now = clock_();
  if (now.monotonic - checkpoint_at_ >= paths_.checkpoint_interval) checkpoint_now();
  if (paths_.retention <= Milliseconds::zero() || !log_) return;
  if (retention_at_ && now.monotonic - *retention_at_ < retention_every) return;
  // By believed time: a clock that ran ahead for a moment must not cost the evidence of years.
  retention_at_ = now.monotonic;
  if (steering_.clock_in_doubt()) return;
  const WallTime believed = std::min(now.wall, steering_.state().trusted_wall);
  const auto removed = log_->apply_retention(believed - paths_.retention, believed);
  if (!removed) {
    raise({"retention", "old details cannot be removed: " + removed.error().text(), now.wall});
  } else {
    end_alert("retention");
    if (*removed != 0) log_info("retention-applied segments={}", *removed);
  }
}

void Controller::checkpoint_now() {
  if (!log_ || disk_is_broken_) return;
  checkpoint_at_ = clock_().monotonic;
  if (auto signed_now = log_->checkpoint(); !signed_now) {
    raise({"checkpoint", "no checkpoint can be written: " + signed_now.error().text(),
           clock_().wall});
  } else {
    end_alert("checkpoint");
  }
}

void Controller::keep_policy(const std::string& digest,
                             const std::vector<std::pair<std::string, std::string>>& files) {
  if (auto kept = write_policy_copy(paths_.audit, digest, files); !kept) {
    raise({"policy-copy", "the policy's text is not kept with the trail: " + kept.error().text(),
           clock_().wall});
  } else {
    end_alert("policy-copy");
  }
}

void Controller::save_now() {
  if (auto saved = save(); !saved) {
    raise({"state", "the state cannot be saved: " + saved.error().text(), clock_().wall});
    return;
  }
  end_alert("state");
}

void Controller::raise(zones::Alert alert) {
  const auto known = alerts_.find(alert.key);
  if (known != alerts_.end()) alert.since = std::min(alert.since, known->second.since);
  if (known == alerts_.end() || known->second.text != alert.text) {
    log_line(LogLevel::alert, fmt::format("raised key={} {}", alert.key, alert.text));
  }
  const std::string key = alert.key;
  const auto& kept = alerts_.insert_or_assign(key, std::move(alert)).first->second;
  if (listener_.alert_raised) listener_.alert_raised(kept);
}

void Controller::end_alert(const std::string& key) {
  if (alerts_.erase(key) == 0) return;
  log_info("alert-ended key={}", key);
  if (listener_.alert_ended) listener_.alert_ended(key);
}

void Controller::listen(ControllerListener listener) {
  listener_ = std::move(listener);
  if (!listener_.alert_raised) return;
  for (const auto& [key, alert] : alerts_) listener_.alert_raised(alert);
}

void Controller::count_denied(const std::vector<zones::AuditEntry>& entries) {
  for (const auto& entry : entries) {
    if (entry.kind != "crossing-held") continue;
    const auto rule = entry.fact("rule");
    ++denied_[rule.empty() ? "no-grant" : std::string(rule)];
  }
}

}  // namespace demarc::tools
