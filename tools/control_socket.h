// The control socket: one JSON object a line in, one out, over a Unix socket that only the owner
// can open. tools/control_verbs.h answers, tools/cli_online.cpp asks.
#pragma once

#include <functional>
#include <list>
#include <memory>
#include <string>

#include "geo/base/result.h"
#include "tools/event_loop.h"

namespace demarc::tools {

/// A longer request is refused, more connections wait in the kernel's queue.
inline constexpr std::size_t control_request_bytes_max = 65'536;
inline constexpr std::size_t control_connections_max = 16;

/// Who is at the other end, by the kernel's word (SO_PEERCRED): "root", or "uid 1000" if unnamed.
using ControlAnswer =
    std::function<std::string(const std::string& request, const std::string& who)>;

class ControlSocket {
 public:
  /// Listens at `path`; replaces a socket that a killed daemon left, never one that still answers.
  [[nodiscard]] static Result<std::unique_ptr<ControlSocket>, SystemError> open(
      EventLoop& loop, const std::string& path, ControlAnswer answer);
  ~ControlSocket();

 private:
  struct Peer {
    Descriptor descriptor;
    std::string who;
    std::string request;
  };
  ControlSocket(EventLoop& loop, std::string path, ControlAnswer answer)
      : loop_(loop), path_(std::move(path)), answer_(std::move(answer)) {}
  void accept_peer();
  void read_peer(std::list<Peer>::iterator peer);
  void drop(std::list<Peer>::iterator peer);

  EventLoop& loop_;
  std::string path_;
  ControlAnswer answer_;
  Descriptor listener_;
  std::list<Peer> peers_;
};

/// Sends one request and waits for its answer, at most `timeout_seconds`. For the command line.
[[nodiscard]] Result<std::string, SystemError> ask_control(const std::string& path,
                                                           const std::string& request,
                                                           int timeout_seconds = 30);

}  // namespace demarc::tools
