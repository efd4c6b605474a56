// tests/support/certificates.h, by OpenSSL.
#include "tests/support/certificates.h"

#include <atomic>
#include <stdexcept>
#include <utility>
#include <vector>

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

namespace demarc::testing {

namespace {

template <auto Free>
struct Deleter {
  template <typename T>
  void operator()(T* thing) const noexcept {
    Free(thing);
  }
};
using Key = std::unique_ptr<EVP_PKEY, Deleter<&EVP_PKEY_free>>;
using Certificate = std::unique_ptr<X509, Deleter<&X509_free>>;
using Bio = std::unique_ptr<BIO, Deleter<&BIO_free_all>>;

void require(bool good, const char* what) {
  if (!good) throw std::runtime_error(std::string("OpenSSL: ") + what);
}

Key build_key() {
  Key key(EVP_EC_gen("P-256"));
  require(key != nullptr, "make a key");
  return key;
}

struct Wanted {
  std::string common_name;
  std::chrono::seconds starts_ago;
  std::chrono::seconds ends_in;
  std::vector<std::pair<int, std::string>> extensions;  // NID and OpenSSL's text form
};

/// Signed by `issuer_key`; `issuer` null: by itself.
Certificate build_certificate(const Wanted& wanted, EVP_PKEY* key, X509* issuer,
                              EVP_PKEY* issuer_key) {
  static std::atomic<long> serial{1};
  Certificate certificate(X509_new());
  X509* const raw = certificate.get();
  require(raw != nullptr, "make a certificate");
  X509_set_version(raw, X509_VERSION_3);
  ASN1_INTEGER_set(X509_get_serialNumber(raw), serial++);
  X509_gmtime_adj(X509_getm_notBefore(raw), -static_cast<long>(wanted.starts_ago.count()));
  X509_gmtime_adj(X509_getm_notAfter(raw), static_cast<long>(wanted.ends_in.count()));
  X509_set_pubkey(raw, key);
  X509_NAME* const subject = X509_get_subject_name(raw);
  X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_UTF8,
                             reinterpret_cast<const unsigned char*>(wanted.common_name.c_str()), -1,
                             -1, 0);
  X509* const signer = issuer == nullptr ? raw : issuer;
  X509_set_issuer_name(raw, X509_get_subject_name(signer));

  X509V3_CTX context;
  X509V3_set_ctx_nodb(&context);
  X509V3_set_ctx(&context, signer, raw, nullptr, nullptr, 0);
  for (const auto& [nid, text] : wanted.extensions) {
    X509_EXTENSION* const extension = X509V3_EXT_conf_nid(nullptr, &context, nid, text.c_str());
    require(extension != nullptr, "make an extension");
    X509_add_ext(raw, extension, -1);
    X509_EXTENSION_free(extension);
  }
  require(X509_sign(raw, issuer_key, EVP_sha256()) != 0, "sign a certificate");
  return certificate;
}

std::string content(BIO* bio) {
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio, &data);
  return {data, static_cast<std::size_t>(size)};
}

std::string to_pem(X509* certificate) {
  const Bio bio(BIO_new(BIO_s_mem()));
  require(PEM_write_bio_X509(bio.get(), certificate) == 1, "write a certificate");
  return content(bio.get());
}

std::string to_pem(EVP_PKEY* key) {
  const Bio bio(BIO_new(BIO_s_mem()));
  require(PEM_write_bio_PrivateKey(bio.get(), key, nullptr, nullptr, 0, nullptr, nullptr) == 1,
          "write a key");
  return content(bio.get());
}

}  // namespace

struct CertificateAuthority::Parts {
  Key key;
  Certificate certificate;
};

CertificateAuthority::CertificateAuthority(const std::string& name)
    : parts_(std::make_unique<Parts>()) {
  parts_->key = build_key();
  const Wanted wanted{.common_name = name,
                      .starts_ago = std::chrono::hours{24 * 30},
                      .ends_in = std::chrono::hours{24},
                      .extensions = {{NID_basic_constraints, "critical,CA:TRUE"},
                                     {NID_key_usage, "critical,keyCertSign,cRLSign"},
                                     {NID_subject_key_identifier, "hash"}}};
  EVP_PKEY* const key = parts_->key.get();
  parts_->certificate = build_certificate(wanted, key, nullptr, key);
}

CertificateAuthority::~CertificateAuthority() = default;

std::string CertificateAuthority::pem() const { return to_pem(parts_->certificate.get()); }

TlsIdentity CertificateAuthority::issue(const LeafOptions& options) const {
  const Key key = build_key();
  const Wanted wanted{.common_name = options.host,
                      .starts_ago = options.starts_ago,
                      .ends_in = options.ends_in,
                      .extensions = {{NID_basic_constraints, "critical,CA:FALSE"},
                                     {NID_subject_alt_name, "DNS:" + options.host}}};
  const Certificate certificate =
      build_certificate(wanted, key.get(), parts_->certificate.get(), parts_->key.get());
  return {to_pem(certificate.get()), to_pem(key.get())};
}

}  // namespace demarc::testing
