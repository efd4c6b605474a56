// A tiny DNS responder, for testing the clients: answers every A question with 192.0.2.10, TTL 30,
// AA, ECS scope 16 and EDE 14 (if the question has EDNS). Names that start with "silent" get no
// answer, "wrong" an answer to another name, "twice" two.
#pragma once

#include <cstdint>
#include <span>
#include <thread>
#include <vector>

namespace demarc::testing {

/// Listens on 127.0.0.1 from its construction to its end. Throws std::system_error if it cannot.
class UdpResponder {
 public:
  UdpResponder();
  ~UdpResponder();
  UdpResponder(const UdpResponder&) = delete;
  UdpResponder& operator=(const UdpResponder&) = delete;

  [[nodiscard]] std::uint16_t port() const noexcept { return port_; }

 private:
  void answer_all() const;
  int socket_ = -1;
  int stop_event_ = -1;
  std::uint16_t port_ = 0;
  std::thread thread_;
};

}  // namespace demarc::testing
