#include "tools/vantage_sender.h"

#include <algorithm>
#include <fstream>
#include <iterator>
#include <utility>

#include "health/observations.h"
#include "health/signals_blocked.h"
#include "tools/log.h"
#include "zones/yaml/public_key.h"

namespace demarc::tools {
namespace {

constexpr Milliseconds push_timeout{4'000};

std::string read_key(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  std::string pem(zones::yaml::key_file_bytes_max, '\0');
  in.read(pem.data(), static_cast<std::streamsize>(pem.size()));
  pem.resize(static_cast<std::size_t>(in.gcount()));
  return pem;
}

}  // namespace

Result<std::unique_ptr<VantageSender>, std::string> VantageSender::create(
    const VantageConfig& config, const std::string& ca_file) {
  std::string key = read_key(config.key);
  const auto trial = health::sign_observations({config.id, {}, {}}, config.algorithm, key);
  if (!trial) return std::unexpected("vantage's key " + config.key + ": " + trial.error());
  return std::unique_ptr<VantageSender>(new VantageSender(config, std::move(key), ca_file));
}

VantageSender::VantageSender(const VantageConfig& config, std::string key, std::string ca_file)
    : id_(config.id),
      algorithm_(config.algorithm),
      key_(std::move(key)),
      ca_file_(std::move(ca_file)) {
  const health::SignalsBlocked blocked;
  for (const std::string& url : config.push_to) {
    Receiver& receiver = *receivers_.emplace_back(std::make_unique<Receiver>());
    receiver.url = url;
    receiver.thread = std::jthread([this, &receiver] { run(receiver); });
  }
}

VantageSender::~VantageSender() {
  {
    const std::scoped_lock lock(mutex_);
    is_stopping_ = true;
  }
  changed_.notify_all();
  for (const auto& receiver : receivers_) receiver->client.stop();
}

void VantageSender::tell(const std::vector<health::CheckState>& checks, WallTime now) {
  std::vector<health::Observation> found;
  for (const health::CheckState& check : checks) {
    if (check.verdict == zones::Verdict::unknown || check.verdict == zones::Verdict::stale) {
      continue;
    }
    found.push_back({check.key, check.verdict, check.detail});
  }
  std::vector<std::string> messages;
  for (std::size_t at = 0; at < found.size(); at += health::observations_max) {
    const auto first = found.begin() + static_cast<std::ptrdiff_t>(at);
    const auto count = std::min(health::observations_max, found.size() - at);
    last_ = std::max(now, last_ + Milliseconds{1});
    auto message = health::sign_observations(
        {id_, last_, {first, first + static_cast<std::ptrdiff_t>(count)}}, algorithm_, key_);
    if (message) messages.push_back(std::move(*message));
  }
  if (messages.empty()) return;
  {
    const std::scoped_lock lock(mutex_);
    for (const auto& receiver : receivers_) receiver->messages = messages;
  }
  changed_.notify_all();
}

void VantageSender::run(Receiver& receiver) {
  bool is_told = false;  // that it does not take them
  for (;;) {
    std::vector<std::string> messages;
    {
      std::unique_lock lock(mutex_);
      changed_.wait(lock, [&] { return is_stopping_ || !receiver.messages.empty(); });
      if (is_stopping_) return;
      messages.swap(receiver.messages);
    }
    std::string wrong;
    for (const std::string& message : messages) {
      const auto answer = receiver.client.send({.method = "POST",
                                                .url = receiver.url,
                                                .headers = {{"Content-Type", "application/jose"}},
                                                .body = message,
                                                .timeout = push_timeout,
                                                .ca_file = ca_file_});
      if (!answer) {
        wrong = answer.error();
      } else if (answer->status != 204) {
        wrong = fmt::format("HTTP {}: {}", answer->status, answer->body.substr(0, 200));
      }
      if (!wrong.empty()) break;
    }
    if (wrong.empty() == is_told && wrong != "stopped") {
      if (is_told) {
        log_info("observations taken-again by={}", receiver.url);
      } else {
        log_warning("observations not-taken by={} why=\"{}\"", receiver.url, wrong);
      }
      is_told = !is_told;
    }
  }
}

}  // namespace demarc::tools
