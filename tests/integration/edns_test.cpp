// What a server says of itself, and the cookies it shares with its peers, asked with real dig.
#include <filesystem>
#include <fstream>

#include <catch2/catch.hpp>

#include "tests/integration/server.h"
#include "tests/support/certificates.h"

namespace demarc::testing {
namespace {

std::string dig(const Server& server, std::vector<std::string> arguments) {
  std::vector<std::string> command{
      "dig",     "@127.0.0.1", "-p",        std::to_string(server.port()),
      "+time=3", "+tries=3",   "+norecurse"};
  command.insert(command.end(), arguments.begin(), arguments.end());
  return run(std::move(command)).out;
}

bool has(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

/// The cookie that dig shows, as it takes it with +cookie=.
std::string cookie_in(const std::string& text) {
  const auto at = text.find("; COOKIE: ");
  if (at == std::string::npos) return {};
  const auto begin = at + 10;
  return text.substr(begin, text.find_first_of(" \n", begin) - begin);
}

TEST_CASE("edns: dig is told who answers, and knows the cookie for its own",
          "[integration][edns]") {
  Server server;
  server.start();
  const std::string first = dig(server, {"+nsid", "+cookie=0123456789abcdef", "ns1.example.com"});
  INFO(first);
  CHECK(has(first, "(\"test\")"));  // the node's name
  CHECK(has(first, "(good)"));
  const std::string cookie = cookie_in(first);
  CHECK(cookie.size() == 48);
  CHECK(has(dig(server, {"+cookie=" + cookie, "ns1.example.com"}), "status: NOERROR"));
  CHECK(has(dig(server, {"version.bind", "CH", "TXT"}), "\"Demarc "));
  CHECK(has(dig(server, {"id.server", "CH", "TXT"}), "\"test\""));
  CHECK(has(dig(server, {"+tcp", "+keepalive", "ns1.example.com"}), "TCP KEEPALIVE: 10.0 secs"));
  CHECK(has(dig(server, {"example.org"}), "EDE: 20"));
}

TEST_CASE("edns: cookie secrets are shared, rolled over by a reload and kept when a file is bad",
          "[integration][edns]") {
  const std::string old_secret = "e5e973e5a6b2a43f48e7dc849e37bfcf";
  const std::string new_secret = "445536bcd2513298075a5d379663c962";
  Server server;
  const auto write = [&](const std::string& name, const std::string& text) {
    std::ofstream(server.path(name)) << text << "\n";
  };
  write("secret-1", old_secret);
  write("secret-2", new_secret);
  edit(server.path("demarcd.yaml"), "debug-verbs: true",
       "debug-verbs: true\nnsid: none\nchaos: false\n"
       "cookies: { secrets: [secret-1, secret-2], require: true }");
  server.start();
  const std::string name = "ns1.example.com";
  const auto status_with = [&](const std::string& cookie) {
    return dig(server, {"+nobadcookie", "+cookie=" + cookie, name});
  };
  const std::string refused = status_with("0123456789abcdef");
  CHECK(has(refused, "status: BADCOOKIE"));
  CHECK_FALSE(has(refused, "NSID"));
  CHECK(has(dig(server, {"version.bind", "CH", "TXT"}), "status: REFUSED"));
  const std::string cookie = cookie_in(refused);
  CHECK(has(status_with(cookie), "status: NOERROR"));
  CHECK(has(dig(server, {name}), "status: NOERROR"));  // dig comes back by itself

  // Another server with the secrets in the other order believes the cookie and signs with its own.
  write("secret-1", new_secret);
  write("secret-2", old_secret);
  const auto generation = server.status().at("generation").get<int>();
  REQUIRE(server.ask({"reload"}).exit == 0);
  CHECK(server.status().at("generation").get<int>() > generation);
  CHECK(has(status_with(cookie), "status: NOERROR"));
  CHECK(cookie_in(status_with(cookie)) != cookie);

  write("secret-2", "no secret");
  CHECK(server.ask({"reload"}).exit == 1);
  CHECK(server.has_alert("configuration"));
  CHECK(
      has(server.log(), "secret-2: [bad-cookie-secret] no cookie secret; expected 32 hexadecimal"));
  CHECK(has(status_with(cookie), "status: NOERROR"));
}

TEST_CASE("edns: a rate limit answers, slips and drops, and a cookie passes it",
          "[integration][edns]") {
  Server server;
  edit(server.path("demarcd.yaml"), "debug-verbs: true",
       "debug-verbs: true\nrate-limit: { per-second: 2, slip: 1, exempt: [\"::1/128\"] }");
  server.start();
  const std::vector<std::string> plain{"+nocookie", "+ignore", "ns1.example.com"};
  int truncated = 0;
  // Dig takes far less than half a second to start: most of these are above the limit.
  for (int i = 0; i < 30; ++i) truncated += has(dig(server, plain), "flags: qr tc") ? 1 : 0;
  CHECK(truncated > 0);
  const std::string cookie =
      cookie_in(dig(server, {"+tcp", "+cookie=0123456789abcdef", "ns1.example.com"}));
  for (int i = 0; i < 10; ++i) {
    CHECK(has(dig(server, {"+cookie=" + cookie, "+ignore", "ns1.example.com"}), "192.0.2.53"));
    CHECK(has(dig(server, {"+nocookie", "+tcp", "ns1.example.com"}), "192.0.2.53"));
  }
  CHECK(server.status().at("counters").at("rate-truncated").get<int>() >= truncated);
}

TEST_CASE("edns: kdig asks over TLS, and a changed certificate is taken by itself",
          "[integration][edns][tls]") {
  const CertificateAuthority authority;
  const CertificateAuthority other("another CA");
  Server server;
  const auto put = [&](const std::string& name, const std::string& text) {
    std::ofstream(server.path(name + ".new")) << text;
    std::filesystem::rename(server.path(name + ".new"), server.path(name));
  };
  const auto use = [&](const CertificateAuthority& issuer) {
    const auto identity = issuer.issue({.host = "ns1.example.com"});
    put("key.pem", identity.key_pem);
    put("cert.pem", identity.certificate_pem);
  };
  use(authority);
  put("ca.pem", authority.pem());
  put("other.pem", other.pem());
  edit(server.path("demarcd.yaml"), "debug-verbs: true",
       "debug-verbs: true\ntls: { listen: \"127.0.0.1:0\", certificate: cert.pem, key: key.pem }");
  server.start();
  const auto kdig = [&](const std::string& ca) {
    return run({"kdig", "@127.0.0.1", "-p", std::to_string(server.tls_port()), "+tls",
                "+tls-ca=" + server.path(ca), "+tls-hostname=ns1.example.com", "+padding",
                "+retry=0", "ns1.example.com"})
        .out;
  };
  const std::string answer = kdig("ca.pem");
  INFO(answer);
  CHECK(has(answer, "192.0.2.53"));
  CHECK(has(answer, "TLS session (TLS1.3)"));
  CHECK_FALSE(has(kdig("other.pem"), "192.0.2.53"));

  put("cert.pem", "no certificate");
  REQUIRE(wait_for([&] { return server.has_alert("configuration"); }));
  CHECK(has(server.log(), "cert.pem: [bad-certificate]"));
  CHECK(has(kdig("ca.pem"), "192.0.2.53"));
  use(other);
  CHECK(wait_for([&] { return has(kdig("other.pem"), "192.0.2.53"); }));
}

}  // namespace
}  // namespace demarc::testing
