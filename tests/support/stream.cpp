// tests/support/stream.h, by sockets and OpenSSL.
#include "tests/support/stream.h"

#include <sys/socket.h>

#include <cstddef>
#include <stdexcept>

#include <openssl/bio.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>

namespace demarc::testing {

namespace {

constexpr std::size_t head_max_bytes = 65'536;

std::unique_ptr<BIO, decltype(&BIO_free_all)> reader(const std::string& pem) {
  return {BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())), &BIO_free_all};
}

int choose_h2(SSL* /*ssl*/, const unsigned char** out, unsigned char* out_size,
              const unsigned char* offered, unsigned offered_size, void* /*user*/) {
  static constexpr unsigned char ours[] = {2, 'h', '2'};
  unsigned char* chosen = nullptr;
  const int found =
      SSL_select_next_proto(&chosen, out_size, ours, sizeof ours, offered, offered_size);
  if (found != OPENSSL_NPN_NEGOTIATED) return SSL_TLSEXT_ERR_ALERT_FATAL;
  *out = chosen;
  return SSL_TLSEXT_ERR_OK;
}

}  // namespace

TlsServer::TlsServer(const std::optional<TlsIdentity>& identity, Alpn alpn) {
  if (!identity) return;
  context_ = SSL_CTX_new(TLS_server_method());
  const auto certificate_text = reader(identity->certificate_pem);
  const auto key_text = reader(identity->key_pem);
  X509* const certificate = PEM_read_bio_X509(certificate_text.get(), nullptr, nullptr, nullptr);
  EVP_PKEY* const key = PEM_read_bio_PrivateKey(key_text.get(), nullptr, nullptr, nullptr);
  const bool good = context_ != nullptr && SSL_CTX_use_certificate(context_, certificate) == 1 &&
                    SSL_CTX_use_PrivateKey(context_, key) == 1;
  X509_free(certificate);
  EVP_PKEY_free(key);
  if (!good) throw std::runtime_error("the TLS identity is not a certificate and its key");
  if (alpn == Alpn::h2) SSL_CTX_set_alpn_select_cb(context_, &choose_h2, nullptr);
}

TlsServer::~TlsServer() { SSL_CTX_free(context_); }

Stream::Stream(int socket, const TlsServer& tls) : socket_(socket) {
  if (tls.context() == nullptr) return;
  ssl_ = SSL_new(tls.context());
  is_good_ = ssl_ != nullptr && SSL_set_fd(ssl_, socket_) == 1 && SSL_accept(ssl_) == 1;
}

Stream::~Stream() { SSL_free(ssl_); }

std::string Stream::server_name() const {
  if (ssl_ == nullptr) return {};
  const char* const name = SSL_get_servername(ssl_, TLSEXT_NAMETYPE_host_name);
  return name == nullptr ? std::string{} : std::string{name};
}

bool Stream::is_resumed() const { return ssl_ != nullptr && SSL_session_reused(ssl_) == 1; }

long Stream::read_some(char* out, std::size_t size) {
  if (ssl_ != nullptr) return SSL_read(ssl_, out, static_cast<int>(size));
  return ::recv(socket_, out, size, 0);
}

std::optional<std::string> Stream::read_head() {
  std::string head;
  char chunk[4096];
  while (head.size() < head_max_bytes) {
    const long got = read_some(chunk, sizeof chunk);
    if (got <= 0) return std::nullopt;
    head.append(chunk, static_cast<std::size_t>(got));
    if (head.front() < 'A' || head.front() > 'Z') return std::nullopt;  // a method starts so
    const std::size_t end = head.find("\r\n\r\n");
    if (end == std::string::npos) continue;
    ahead_ = head.substr(end + 4);
    return head.substr(0, end + 2);
  }
  return std::nullopt;
}

std::string Stream::read_body(std::size_t size) {
  char chunk[4096];
  while (ahead_.size() < size) {
    const long got = read_some(chunk, sizeof chunk);
    if (got <= 0) break;
    ahead_.append(chunk, static_cast<std::size_t>(got));
  }
  return ahead_.substr(0, size);
}

std::optional<std::string> Stream::take(std::size_t size) {
  std::string bytes = read_body(size);
  if (bytes.size() < size) return std::nullopt;
  ahead_.erase(0, size);
  return bytes;
}

bool Stream::write(std::string_view bytes) {
  while (!bytes.empty()) {
    const long sent = ssl_ != nullptr
                          ? SSL_write(ssl_, bytes.data(), static_cast<int>(bytes.size()))
                          : ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent <= 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
  return true;
}

void Stream::wait_for_end() {
  char chunk[4096];
  while (read_some(chunk, sizeof chunk) > 0) {
  }
}

}  // namespace demarc::testing
