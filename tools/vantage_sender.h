// This node as a vantage of others: what its own checks find, signed and pushed to them by HTTP.
// tools/evidence.h says when; health/observations.h is the message.
#pragma once

#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "health/checks.h"
#include "health/http_request.h"
#include "tools/vantage_config.h"

namespace demarc::tools {

/// One thread a receiver, so that one that hangs holds up nobody. What waits for it is replaced by
/// what is newer: an old observation is worth nothing.
class VantageSender {
 public:
  /// Reads the key. The error says what is wrong with it.
  [[nodiscard]] static Result<std::unique_ptr<VantageSender>, std::string> create(
      const VantageConfig& config, const std::string& ca_file);
  ~VantageSender();
  VantageSender(const VantageSender&) = delete;
  VantageSender& operator=(const VantageSender&) = delete;

  /// Hands over what this node found itself; others' words in `checks` are left out. One thread.
  void tell(const std::vector<health::CheckState>& checks, WallTime now);

 private:
  struct Receiver {
    std::string url;
    health::HttpClient client;
    std::vector<std::string> messages;  // wait to be sent; under the mutex
    std::jthread thread;
  };
  VantageSender(const VantageConfig& config, std::string key, std::string ca_file);
  void run(Receiver& receiver);

  const std::string id_;
  const zones::KeyAlgorithm algorithm_;
  const std::string key_;
  const std::string ca_file_;
  WallTime last_{};  // the time in the last message: each is later than the one before
  std::mutex mutex_;
  std::condition_variable changed_;
  bool is_stopping_ = false;
  std::vector<std::unique_ptr<Receiver>> receivers_;
};

}  // namespace demarc::tools
