// How a probe asks over HTTP: its method and its version, against real servers.
#include <catch2/catch.hpp>

#include "tests/health/probing.h"
#include "tests/support/certificates.h"
#include "tests/support/temp_folder.h"

using namespace demarc;
using namespace demarc::health;
using namespace std::chrono_literals;
using testing::Alpn;
using testing::CertificateAuthority;
using testing::Conduct;
using testing::HttpBackend;
using testing::TempFolder;
using zones::HttpVersion;
using zones::ProbeScheme;

namespace {

std::string said(const std::optional<ProbeResult>& result) {
  if (!result) return "no result";
  return (result->outcome == ProbeOutcome::pass ? "+ " : "- ") + result->detail;
}

Probe http2_probe(std::uint16_t port, ProbeScheme scheme) {
  Probe probe = local_probe(port, scheme);
  probe.http_version = HttpVersion::http2;
  return probe;
}

}  // namespace

TEST_CASE("probe: HEAD asks for no body and waits for none", "[health][transfers]") {
  HttpBackend backend;
  Probe probe = local_probe(backend.port());
  probe.method = zones::ProbeMethod::head;
  probe.timing.timeout = 2s;
  CHECK(said(probe_once(probe)) == "+ HTTP 200");
  CHECK(backend.last_request().starts_with("HEAD /health HTTP/1.1\r\n"));
  backend.status(503);
  CHECK(said(probe_once(probe)) == "- HTTP 503");
  backend.behave({.conduct = Conduct::cut_short});  // a body is promised, as RFC 9110 §9.3.2 has it
  CHECK(said(probe_once(probe)) == "+ HTTP 200");
}

TEST_CASE("probe: HTTP/2 without TLS is spoken from the first byte", "[health][transfers]") {
  HttpBackend backend({.speaks_http2 = true});
  Probe probe = http2_probe(backend.port(), ProbeScheme::http);
  CHECK(said(probe_once(probe)) == "+ HTTP 200");
  CHECK(backend.last_request() == "PRI * HTTP/2.0\r\n");
  probe.expect.body = "ok";
  CHECK(said(probe_once(probe)) == "+ HTTP 200");
  backend.answer_with("ill");
  CHECK(said(probe_once(probe)) == "- HTTP 200, but `ok` is not in the body");
  backend.status(503);
  CHECK(said(probe_once(probe)) == "- HTTP 503");
}

TEST_CASE("probe: a server that has only the other version is a failure", "[health][transfers]") {
  HttpBackend old;
  const std::string told = said(probe_once(http2_probe(old.port(), ProbeScheme::http)));
  CAPTURE(told);  // in the words of whichever side noticed first
  CHECK(told.starts_with("- "));
  CHECK_FALSE(told.contains("HTTP 200"));
}

TEST_CASE("probe: HTTP/2 over TLS is what the two have agreed on", "[health][transfers][tls]") {
  const CertificateAuthority ca;
  const TempFolder folder;
  const TransferOptions options{.ca_file = folder.write("ca.pem", ca.pem())};
  const auto identity = ca.issue({.host = probed_host});
  HttpBackend modern({.tls = identity, .alpn = Alpn::h2, .speaks_http2 = true});
  HttpBackend old({.tls = identity});
  CHECK(said(probe_once(http2_probe(modern.port(), ProbeScheme::https), options)) == "+ HTTP 200");
  CHECK(modern.last_request() == "PRI * HTTP/2.0\r\n");
  CHECK(said(probe_once(http2_probe(old.port(), ProbeScheme::https), options)) ==
        "- HTTP 200, but the server chose HTTP/1.1, expected HTTP/2");
  CHECK(said(probe_once(local_probe(modern.port(), ProbeScheme::https), options))
            .starts_with("- TLS: "));
}

TEST_CASE("grpc: the health service of a real connection", "[health][grpc]") {
  const bool is_tls = GENERATE(true, false);
  const CertificateAuthority ca;
  const TempFolder folder;
  const std::string serving{"\0\0\0\0\x02\x08\x01", 7};
  HttpBackend backend(
      {.tls = is_tls ? std::optional(ca.issue({.host = probed_host})) : std::nullopt,
       .alpn = is_tls ? Alpn::h2 : Alpn::none,
       .speaks_http2 = true});
  backend.behave({.body = serving, .trailers = {{"grpc-status", "0"}}});
  Probe probe = local_probe(backend.port(), is_tls ? ProbeScheme::grpcs : ProbeScheme::grpc);
  probe.path = "/shop.Cart";
  probe.expect_status.clear();
  const TransferOptions options{.ca_file = folder.write("ca.pem", ca.pem())};
  const auto good = probe_once(probe, options);
  REQUIRE(good);
  CHECK(good->detail == "gRPC: SERVING");
  CHECK(good->outcome == ProbeOutcome::pass);
  CHECK(good->certificate_end.has_value() == is_tls);
  backend.behave({.body = "", .trailers = {{"grpc-status", "5"}}});
  CHECK(probe_once(probe, options)->detail == "gRPC: NOT_FOUND: it does not know the service");
  backend.close();
  CHECK(probe_once(probe, options)->detail == "connection refused");
}
