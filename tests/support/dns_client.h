// A UDP client that asks a hundred thousand questions in seconds and checks that every answer is
// the one to its question. tests/support/dns_message.h reads and writes the messages.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>

#include "tests/support/dns_message.h"

namespace demarc::testing {

struct AskAllResult {
  std::size_t answered = 0;
  std::size_t lost = 0;     // no answer after all tries
  std::size_t strange = 0;  // datagrams that are no answer to a question in flight
  std::size_t resent = 0;
};

/// One connected UDP socket; used by one thread. Throws std::system_error if it cannot be made.
class DnsClient {
 public:
  DnsClient(const std::string& address, std::uint16_t port);
  ~DnsClient();
  DnsClient(const DnsClient&) = delete;
  DnsClient& operator=(const DnsClient&) = delete;

  /// One question, up to three tries; nothing if no answer comes.
  [[nodiscard]] std::optional<DnsReply> ask(
      const DnsQuestion& question, std::chrono::milliseconds timeout = std::chrono::seconds{2});

  /// Asks every question, `window` in flight at once (1 to 4,096), each up to three times.
  /// `take` gets the question's index and its answer, in the order in which they come; an answer
  /// has the question's id, name and type.
  AskAllResult ask_all(std::span<const DnsQuestion> questions,
                       const std::function<void(std::size_t, const DnsReply&)>& take,
                       std::size_t window = 128,
                       std::chrono::milliseconds timeout = std::chrono::seconds{2});

 private:
  struct Batch;
  int socket_ = -1;
  std::uint16_t generation_ = 0;  // goes on from one call to the next
};

}  // namespace demarc::testing
