// DNS over TLS (RFC 7858): the server's certificate, and one client's encrypted bytes.
// dns/tcp_loop.h moves them where it would use recv() and send(); only the .cpp knows OpenSSL.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "geo/base/result.h"

namespace demarc::dns {

/// A certificate chain with its key, ready for handshakes: TLS 1.2 and 1.3, no session cache (there
/// are tickets), no renegotiation, ALPN `dot` where a client offers it. Immutable; any thread.
class TlsContext {
 public:
  /// Both files PEM, read once. The error names the file and what is wrong with it.
  [[nodiscard]] static Result<std::shared_ptr<const TlsContext>, std::string> load(
      const std::string& certificate_file, const std::string& key_file);
  ~TlsContext();
  TlsContext(const TlsContext&) = delete;
  TlsContext& operator=(const TlsContext&) = delete;

 private:
  friend class TlsSession;
  struct Handle;
  explicit TlsContext(std::unique_ptr<Handle> handle);
  std::unique_ptr<Handle> handle_;
};

/// What came of an attempt to read or write.
enum class StreamState : std::uint8_t {
  done,         // `size` bytes were moved
  finished,     // the client sends no more
  wants_read,   // again when the socket can be read
  wants_write,  // again when it can be written
  broken,
};
struct StreamResult {
  StreamState state = StreamState::broken;
  std::size_t size = 0;
};

/// One connection. Its handshake happens inside read(). Owned by one thread. OpenSSL allocates for
/// the handshake; reading and writing later reuse its buffers.
class TlsSession {
 public:
  /// `socket` is borrowed and non-blocking. Null if memory ran out.
  [[nodiscard]] static std::unique_ptr<TlsSession> begin(const TlsContext& context, int socket);
  ~TlsSession();
  TlsSession(const TlsSession&) = delete;
  TlsSession& operator=(const TlsSession&) = delete;

  [[nodiscard]] StreamResult read(std::span<std::uint8_t> out) noexcept;
  /// After wants_write the same bytes, wherever they lie by then, come first in the next call.
  [[nodiscard]] StreamResult write(std::span<const std::uint8_t> bytes) noexcept;
  /// Whether bytes are decrypted already: the socket will not announce them.
  [[nodiscard]] bool has_pending() const noexcept;
  /// Says goodbye if the socket takes it at once.
  void end() noexcept;

 private:
  struct Handle;
  explicit TlsSession(std::unique_ptr<Handle> handle);
  [[nodiscard]] StreamResult result_of(int code) noexcept;
  std::unique_ptr<Handle> handle_;
};

}  // namespace demarc::dns
