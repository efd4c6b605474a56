#include "health/advisor.h"

#include <algorithm>
#include <system_error>
#include <utility>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "health/signals_blocked.h"
#include "zones/strict_json.h"

namespace demarc::health {
namespace {

using nlohmann::json;
using zones::Effect;

constexpr std::size_t detail_max = 200;
// Refusals need a line too; beyond this many the caller floods, and steering's own limit holds.
constexpr std::size_t refusals_max = 1'024;

std::string text_member(const json& object, const char* name) {
  const auto found = object.find(name);
  if (found == object.end() || !found->is_string()) return {};
  std::string text = found->get<std::string>();
  if (text.size() > detail_max) {
    // Not in the middle of a letter: what is stored has to stay UTF-8.
    std::size_t end = detail_max;
    while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xc0U) == 0x80U) --end;
    text.resize(end);
  }
  for (char& c : text) {
    if (static_cast<unsigned char>(c) < ' ') c = ' ';
  }
  return text;
}

Advice from_result(const json& result) {
  if (result.is_boolean()) {
    return result.get<bool>() ? Advice{Effect::allow, "allowed"} : Advice{Effect::deny, "denied"};
  }
  if (!result.is_object()) {
    return {std::nullopt,
            fmt::format("the result is of type {}, expected true, false or an object with `allow`",
                        result.type_name())};
  }
  const auto allow = result.find("allow");
  if (allow == result.end() || !allow->is_boolean()) {
    return {std::nullopt, "the result has no `allow` that is true or false"};
  }
  const bool is_allowed = allow->get<bool>();
  const std::string reason = text_member(result, "reason");
  return {is_allowed ? Effect::allow : Effect::deny,
          !reason.empty() ? reason : std::string(is_allowed ? "allowed" : "denied")};
}

}  // namespace

Advice read_advice(int status, std::string_view body) {
  if (status != 200) return {std::nullopt, fmt::format("the advisor answered HTTP {}", status)};
  const auto parsed = zones::parse_json_object(body);
  if (!parsed) return {std::nullopt, "the advisor's answer: " + parsed.error()};
  const auto result = parsed->find("result");
  if (result == parsed->end()) {
    return {std::nullopt, "the advisor's answer has no `result`: its rule is undefined"};
  }
  Advice advice = from_result(*result);
  if (const auto id = text_member(*parsed, "decision_id"); !id.empty()) {
    advice.detail += " (decision " + id + ")";
  }
  return advice;
}

AdvisorClient::AdvisorClient(Options options, OnAdvice on_advice)
    : options_(std::move(options)), on_advice_(std::move(on_advice)) {}

AdvisorClient::~AdvisorClient() { stop(); }

Result<void, SystemError> AdvisorClient::start() {
  const SignalsBlocked blocked;
  try {
    thread_ = std::thread([this] { run(); });
  } catch (const std::system_error& error) {
    return std::unexpected(SystemError{"start the advisor's thread", error.code().value()});
  }
  return {};
}

void AdvisorClient::stop() noexcept {
  {
    const std::scoped_lock lock(mutex_);
    is_stopping_ = true;
  }
  woken_.notify_one();
  client_.stop();
  if (thread_.joinable()) thread_.join();
}

void AdvisorClient::ask(zones::AdviceWanted question) {
  {
    const std::scoped_lock lock(mutex_);
    if (waiting_.size() >= refusals_max) return;
    const bool is_full = waiting_.size() >= questions_max;
    waiting_.push_back({std::move(question), options_.clock().monotonic, is_full});
  }
  woken_.notify_one();
}

void AdvisorClient::run() {
  for (;;) {
    Waiting next;
    {
      std::unique_lock lock(mutex_);
      woken_.wait(lock, [this] { return is_stopping_ || !waiting_.empty(); });
      if (is_stopping_) return;
      next = std::move(waiting_.front());
      waiting_.pop_front();
    }
    auto given = answer(next);
    {
      const std::scoped_lock lock(mutex_);
      if (is_stopping_) return;
    }
    on_advice_(std::move(given));
  }
}

zones::AdviceGiven AdvisorClient::answer(const Waiting& waiting) {
  const auto& [id, advisor, input] = waiting.question;
  zones::AdviceGiven given{id, std::nullopt, {}};
  if (waiting.is_refused) {
    given.detail = "too many questions wait for the advisor";
    return given;
  }
  const auto waited = options_.clock().monotonic - waiting.asked_at;
  if (waited >= advisor.timeout) {
    given.detail = fmt::format("no advice within {} ms", advisor.timeout.count());
    return given;
  }
  if (!zones::parse_json_object(input)) {
    given.detail = "the question is no JSON object";
    return given;
  }
  const auto answer = client_.send({.method = "POST",
                                    .url = advisor.url,
                                    .headers = {{"Content-Type", "application/json"}},
                                    .body = "{\"input\":" + input + "}",
                                    .timeout = advisor.timeout - waited,
                                    .ca_file = options_.ca_file});
  if (!answer) {
    given.detail = "the advisor gave no answer: " + answer.error();
    return given;
  }
  Advice advice = read_advice(answer->status, answer->body);
  given.effect = advice.effect;
  given.detail = std::move(advice.detail);
  return given;
}

}  // namespace demarc::health
