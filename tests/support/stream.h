// One accepted connection of a test server, plain or TLS.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "tests/support/certificates.h"

struct ssl_ctx_st;
struct ssl_st;

namespace demarc::testing {

/// What a TLS server chooses of the protocols that a client offers (RFC 7301).
enum class Alpn : std::uint8_t { none, h2 };

/// The TLS side of a server; empty without an identity.
class TlsServer {
 public:
  /// Throws std::runtime_error if the identity is not one.
  explicit TlsServer(const std::optional<TlsIdentity>& identity, Alpn alpn = Alpn::none);
  ~TlsServer();
  TlsServer(const TlsServer&) = delete;
  TlsServer& operator=(const TlsServer&) = delete;

  [[nodiscard]] ssl_ctx_st* context() const noexcept { return context_; }

 private:
  ssl_ctx_st* context_ = nullptr;
};

/// Blocking; shutdown() of the socket by another thread ends any call. Does not own the socket.
/// A write to a closed peer raises SIGPIPE in TLS: the caller's thread blocks it.
class Stream {
 public:
  /// With TLS, makes the handshake; see is_good().
  Stream(int socket, const TlsServer& tls);
  ~Stream();
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;

  [[nodiscard]] bool is_good() const noexcept { return is_good_; }
  [[nodiscard]] std::string server_name() const;
  /// The client resumed a session of before (RFC 8446 §2.2).
  [[nodiscard]] bool is_resumed() const;

  /// Up to the empty line that ends a request's headers; nothing if the peer ends before, speaks no
  /// HTTP or sends more than 64 KiB.
  [[nodiscard]] std::optional<std::string> read_head();
  /// The next `size` bytes after the head; what came of them if the peer ends before.
  [[nodiscard]] std::string read_body(std::size_t size);
  /// Takes just `size` of the bytes that come next; nothing if the peer ends before.
  [[nodiscard]] std::optional<std::string> take(std::size_t size);
  /// False: the peer is gone.
  bool write(std::string_view bytes);
  /// Waits until the peer ends.
  void wait_for_end();

 private:
  long read_some(char* out, std::size_t size);

  int socket_;
  ssl_st* ssl_ = nullptr;
  bool is_good_ = true;
  std::string ahead_;  // read with the head, and not of it
};

}  // namespace demarc::testing
