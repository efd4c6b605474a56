// X.509 certificates made on the spot: a CA and what it signs, for TLS servers in tests.
#pragma once

#include <chrono>
#include <memory>
#include <string>

namespace demarc::testing {

/// A certificate and its private key, both PEM.
struct TlsIdentity {
  std::string certificate_pem;
  std::string key_pem;
};

struct LeafOptions {
  std::string host;                        // the only subjectAltName, a DNS name
  std::chrono::seconds starts_ago{3'600};  // notBefore, before now
  std::chrono::seconds ends_in{3'600};     // notAfter, from now; negative: expired
};

/// P-256 keys, alive for an hour before and after now. Throws std::runtime_error if OpenSSL fails.
class CertificateAuthority {
 public:
  explicit CertificateAuthority(const std::string& name = "Demarc test CA");
  ~CertificateAuthority();
  CertificateAuthority(const CertificateAuthority&) = delete;
  CertificateAuthority& operator=(const CertificateAuthority&) = delete;

  /// The CA's own certificate, for a client to trust.
  [[nodiscard]] std::string pem() const;
  [[nodiscard]] TlsIdentity issue(const LeafOptions& options) const;

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

}  // namespace demarc::testing
