#include "dns/tls.h"

#include <cerrno>

#include <fmt/format.h>
#include <openssl/err.h>
#include <openssl/ssl.h>

namespace demarc::dns {

struct TlsContext::Handle {
  SSL_CTX* context = nullptr;
  ~Handle() { SSL_CTX_free(context); }
};
struct TlsSession::Handle {
  SSL* session = nullptr;
  bool is_broken = false;  // then nothing more may be said
  ~Handle() { SSL_free(session); }
};

namespace {

std::string last_error() {
  const unsigned long code = ERR_peek_last_error();
  const char* const reason = code != 0 ? ERR_reason_error_string(code) : nullptr;
  ERR_clear_error();
  return reason != nullptr ? reason : "unknown error";
}

// A client that offers protocols and not ours gets no ALPN; RFC 7858 asks for none.
int select_protocol(SSL* /*session*/, const unsigned char** chosen, unsigned char* chosen_size,
                    const unsigned char* offered, unsigned int offered_size, void* /*context*/) {
  static constexpr unsigned char ours[] = {3, 'd', 'o', 't'};
  unsigned char* found = nullptr;
  if (SSL_select_next_proto(&found, chosen_size, ours, sizeof ours, offered, offered_size) !=
      OPENSSL_NPN_NEGOTIATED) {
    return SSL_TLSEXT_ERR_NOACK;
  }
  *chosen = found;
  return SSL_TLSEXT_ERR_OK;
}

}  // namespace

TlsContext::TlsContext(std::unique_ptr<Handle> handle) : handle_(std::move(handle)) {}
TlsContext::~TlsContext() = default;

Result<std::shared_ptr<const TlsContext>, std::string> TlsContext::load(
    const std::string& certificate_file, const std::string& key_file) {
  auto handle = std::make_unique<Handle>();
  SSL_CTX* const context = SSL_CTX_new(TLS_server_method());
  handle->context = context;
  if (context == nullptr) return std::unexpected("TLS: " + last_error());
  SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
  SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_CIPHER_SERVER_PREFERENCE |
                                   SSL_OP_NO_COMPRESSION | SSL_OP_IGNORE_UNEXPECTED_EOF);
  SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_alpn_select_cb(context, select_protocol, nullptr);
  if (SSL_CTX_use_certificate_chain_file(context, certificate_file.c_str()) != 1) {
    return std::unexpected(fmt::format("{}: [bad-certificate] {}; expected a PEM certificate chain",
                                       certificate_file, last_error()));
  }
  if (SSL_CTX_use_PrivateKey_file(context, key_file.c_str(), SSL_FILETYPE_PEM) != 1 ||
      SSL_CTX_check_private_key(context) != 1) {
    return std::unexpected(
        fmt::format("{}: [bad-key] {}; expected the private key of the certificate, PEM", key_file,
                    last_error()));
  }
  return std::shared_ptr<const TlsContext>(new TlsContext(std::move(handle)));
}

TlsSession::TlsSession(std::unique_ptr<Handle> handle) : handle_(std::move(handle)) {}
TlsSession::~TlsSession() = default;

std::unique_ptr<TlsSession> TlsSession::begin(const TlsContext& context, int socket) {
  auto handle = std::make_unique<Handle>();
  handle->session = SSL_new(context.handle_->context);
  if (handle->session == nullptr || SSL_set_fd(handle->session, socket) != 1) {
    ERR_clear_error();
    return nullptr;
  }
  SSL_set_accept_state(handle->session);
  return std::unique_ptr<TlsSession>(new TlsSession(std::move(handle)));
}

StreamResult TlsSession::read(std::span<std::uint8_t> out) noexcept {
  std::size_t size = 0;
  const int code = SSL_read_ex(handle_->session, out.data(), out.size(), &size);
  return code == 1 ? StreamResult{StreamState::done, size} : result_of(code);
}

StreamResult TlsSession::write(std::span<const std::uint8_t> bytes) noexcept {
  std::size_t size = 0;
  const int code = SSL_write_ex(handle_->session, bytes.data(), bytes.size(), &size);
  return code == 1 ? StreamResult{StreamState::done, size} : result_of(code);
}

StreamResult TlsSession::result_of(int code) noexcept {
  const int error = SSL_get_error(handle_->session, code);
  ERR_clear_error();  // the queue is the thread's: what is left would taint another session
  switch (error) {
    case SSL_ERROR_WANT_READ:
      return {StreamState::wants_read, 0};
    case SSL_ERROR_WANT_WRITE:
      return {StreamState::wants_write, 0};
    case SSL_ERROR_ZERO_RETURN:
      return {StreamState::finished, 0};
    default:
      handle_->is_broken = true;
      return {StreamState::broken, 0};
  }
}

bool TlsSession::has_pending() const noexcept { return SSL_pending(handle_->session) > 0; }

void TlsSession::end() noexcept {
  const bool may_speak = !handle_->is_broken && SSL_is_init_finished(handle_->session) == 1;
  if (may_speak) SSL_shutdown(handle_->session);
  ERR_clear_error();
}

}  // namespace demarc::dns
