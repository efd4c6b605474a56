// https probes: chain, time and host name of the certificate decide before any status does.
#include <catch2/catch.hpp>

#include "tests/health/probing.h"
#include "tests/support/certificates.h"
#include "tests/support/temp_folder.h"
#include "tests/support/wait_for.h"

using namespace demarc;
using namespace demarc::health;
using namespace std::chrono_literals;
using testing::CertificateAuthority;
using testing::HttpBackend;
using testing::LeafOptions;
using testing::TempFolder;
using zones::ProbeScheme;

namespace {

struct TlsProbe {
  ProbeResult result;
  std::string server_name;
  std::size_t requests = 0;
};

TlsProbe probe_tls(const CertificateAuthority& issuer, const CertificateAuthority& trusted,
                   const LeafOptions& leaf) {
  const TempFolder folder;
  HttpBackend backend({.tls = issuer.issue(leaf)});
  const Probe probe = local_probe(backend.port(), ProbeScheme::https);
  const auto result = probe_once(probe, {.ca_file = folder.write("ca.pem", trusted.pem())});
  return {result.value_or(ProbeResult{.detail = "no result"}), backend.last_server_name(),
          backend.requests()};
}

}  // namespace

TEST_CASE("https: a good certificate, the right SNI and Host", "[health][tls]") {
  const CertificateAuthority ca;
  const auto [result, server_name, requests] = probe_tls(ca, ca, {.host = probed_host});
  CHECK(result.detail == "HTTP 200");
  CHECK(result.outcome == ProbeOutcome::pass);
  CHECK(server_name == probed_host);
  CHECK(requests == 1);
}

TEST_CASE("https: a bad certificate is a failure, and nothing is asked", "[health][tls]") {
  const CertificateAuthority ca;
  const CertificateAuthority stranger("Somebody else");
  const auto [name, is_stranger, leaf, expected] =
      GENERATE(table<const char*, bool, LeafOptions, const char*>({
          {"expired", false, {.host = probed_host, .ends_in = -60s}, "certificate has expired"},
          {"too early",
           false,
           {.host = probed_host, .starts_ago = -600s},
           "certificate is not yet valid"},
          {"another host", false, {.host = "api.us.example"}, "api.eu.example.sov"},
          {"unknown CA", true, {.host = probed_host}, "unable to get local issuer certificate"},
      }));
  CAPTURE(name);
  const auto [result, server_name, requests] = probe_tls(is_stranger ? stranger : ca, ca, leaf);
  CHECK(result.outcome == ProbeOutcome::fail);
  CAPTURE(result.detail);
  CHECK(result.detail.starts_with("certificate: "));
  CHECK(result.detail.contains(expected));
  CHECK(requests == 0);
}

TEST_CASE("https: a certificate must be good for some time yet", "[health][tls]") {
  const CertificateAuthority ca;
  const TempFolder folder;
  HttpBackend backend({.tls = ca.issue({.host = probed_host, .ends_in = 30h})});
  Probe probe = local_probe(backend.port(), ProbeScheme::https);
  const TransferOptions options{.ca_file = folder.write("ca.pem", ca.pem())};
  probe.expect.certificate_left = 29h;
  const auto good = probe_once(probe, options);
  REQUIRE(good);
  CHECK(good->detail == "HTTP 200");
  REQUIRE(good->certificate_end);
  const auto left = *good->certificate_end - std::chrono::system_clock::now();
  CHECK((left > 29h && left <= 30h));
  probe.expect.certificate_left = 31h;
  const auto soon = probe_once(probe, options);
  REQUIRE(soon);
  CHECK(soon->outcome == ProbeOutcome::fail);
  CHECK(soon->detail == "HTTP 200, but the certificate is good for 29 h, expected 31 h at least");
}

TEST_CASE("https: one prober verifies every handshake, also right after a good one",
          "[health][tls]") {
  const CertificateAuthority ca;
  const TempFolder folder;
  auto transfers = CurlTransfers::create({.ca_file = folder.write("ca.pem", ca.pem())});
  REQUIRE(transfers);
  const auto detail = [&](const LeafOptions& leaf) {
    HttpBackend backend({.tls = ca.issue(leaf)});
    const auto result = probe_once(**transfers, local_probe(backend.port(), ProbeScheme::https));
    return result ? result->detail : "no result";
  };
  CHECK(detail({.host = probed_host}) == "HTTP 200");
  CHECK(detail({.host = probed_host, .ends_in = -60s}) == "certificate: certificate has expired");
  CHECK(detail({.host = probed_host}) == "HTTP 200");
}

TEST_CASE("https: sessions are resumed between whole handshakes, where that is asked for",
          "[health][tls]") {
  const CertificateAuthority ca;
  const TempFolder folder;
  auto transfers = CurlTransfers::create({.ca_file = folder.write("ca.pem", ca.pem())});
  REQUIRE(transfers);
  HttpBackend backend({.tls = ca.issue({.host = probed_host})});
  Probe probe = local_probe(backend.port(), ProbeScheme::https);
  const auto ask = [&] {
    const auto result = probe_once(**transfers, probe);
    CHECK((result && result->certificate_end));
    return result ? result->detail : "no result";
  };
  CHECK(ask() == "HTTP 200");
  CHECK(ask() == "HTTP 200");
  CHECK(backend.resumptions() == 0);

  probe.certificate_every = Milliseconds{3'600'000};
  CHECK(ask() == "HTTP 200");
  CHECK(backend.resumptions() == 0);
  CHECK(ask() == "HTTP 200");
  CHECK(ask() == "HTTP 200");
  CHECK(backend.resumptions() == 2);

  // What fails is looked at afresh.
  backend.behave({.status = 503});
  CHECK(ask() == "HTTP 503");
  CHECK(backend.resumptions() == 3);
  backend.behave({});
  CHECK(ask() == "HTTP 200");
  CHECK(backend.resumptions() == 3);
  CHECK(ask() == "HTTP 200");
  CHECK(backend.resumptions() == 4);

  (*transfers)->retain([](TargetId target) { return target == TargetId{1}; });
  CHECK(ask() == "HTTP 200");
  CHECK(backend.resumptions() == 5);
  (*transfers)->retain([](TargetId) { return false; });
  CHECK(ask() == "HTTP 200");
  CHECK(backend.resumptions() == 5);

  // One that is over before the next probe.
  probe.certificate_every = Milliseconds{1};
  (*transfers)->retain([](TargetId) { return false; });
  CHECK(ask() == "HTTP 200");
  CHECK(testing::wait_for([end = std::chrono::steady_clock::now() + 2ms] {
    return std::chrono::steady_clock::now() >= end;
  }));
  CHECK(ask() == "HTTP 200");
  CHECK(backend.resumptions() == 5);
}

TEST_CASE("https: a server without TLS, and a CA file that is none", "[health][tls]") {
  HttpBackend plain;
  const auto no_tls = probe_once(local_probe(plain.port(), ProbeScheme::https));
  REQUIRE(no_tls);
  CAPTURE(no_tls->detail);
  CHECK(no_tls->outcome == ProbeOutcome::fail);
  CHECK(no_tls->detail.starts_with("TLS: "));

  const CertificateAuthority ca;
  HttpBackend backend({.tls = ca.issue({.host = probed_host})});
  const auto no_ca = probe_once(local_probe(backend.port(), ProbeScheme::https),
                                {.ca_file = "/nonexistent/ca.pem"});
  REQUIRE(no_ca);
  CHECK(no_ca->outcome == ProbeOutcome::fail);
  CHECK(no_ca->detail.starts_with("CA file: "));
}

TEST_CASE("tls: the handshake is all that is asked for, and its certificate is looked at",
          "[health][tls]") {
  const CertificateAuthority ca;
  const TempFolder folder;
  const TransferOptions options{.ca_file = folder.write("ca.pem", ca.pem())};
  HttpBackend backend({.tls = ca.issue({.host = probed_host, .ends_in = 30h})});
  backend.hang();
  Probe probe = local_probe(backend.port(), ProbeScheme::tls);
  probe.path.clear();
  const auto good = probe_once(probe, options);
  REQUIRE(good);
  CHECK(good->outcome == ProbeOutcome::pass);
  CHECK(good->detail == "TLS handshake");
  CHECK(testing::wait_for([&] { return backend.last_server_name() == probed_host; }));
  CHECK(backend.requests() == 0);
  REQUIRE(good->certificate_end);
  const auto left = *good->certificate_end - std::chrono::system_clock::now();
  CHECK((left > 29h && left <= 30h));
  probe.expect.certificate_left = 31h;
  const auto soon = probe_once(probe, options);
  REQUIRE(soon);
  CHECK(soon->outcome == ProbeOutcome::fail);
  CHECK(soon->detail ==
        "TLS handshake, but the certificate is good for 29 h, expected 31 h at least");
}

TEST_CASE("tls: it names no protocol, so that a server of any may answer", "[health][tls]") {
  const CertificateAuthority ca;
  const TempFolder folder;
  const TransferOptions options{.ca_file = folder.write("ca.pem", ca.pem())};
  // It would refuse a client that offers protocols and not this one.
  HttpBackend backend({.tls = ca.issue({.host = probed_host}), .alpn = testing::Alpn::h2});
  const auto result = probe_once(local_probe(backend.port(), ProbeScheme::tls), options);
  REQUIRE(result);
  CHECK(result->detail == "TLS handshake");
}

TEST_CASE("tls: a bad certificate, no TLS and nobody there are failures", "[health][tls]") {
  const CertificateAuthority ca;
  const TempFolder folder;
  const TransferOptions options{.ca_file = folder.write("ca.pem", ca.pem())};
  const auto detail = [&](const HttpBackend& backend) {
    const auto result = probe_once(local_probe(backend.port(), ProbeScheme::tls), options);
    if (!result) return std::string("no result");
    CHECK(result->outcome == ProbeOutcome::fail);
    return result->detail;
  };
  HttpBackend expired({.tls = ca.issue({.host = probed_host, .ends_in = -60s})});
  CHECK(detail(expired) == "certificate: certificate has expired");
  HttpBackend other({.tls = ca.issue({.host = "api.us.example"})});
  CHECK(detail(other).contains(probed_host));
  HttpBackend plain;
  CHECK(detail(plain).starts_with("TLS: "));
  plain.close();
  CHECK(detail(plain) == "connection refused");
}
