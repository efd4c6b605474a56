// The test tools themselves: children, the backend, and what is read from dig and from the wire.
#include <sys/socket.h>

#include <csignal>

#include <catch2/catch.hpp>

#include "tests/support/dig.h"
#include "tests/support/dns_client.h"
#include "tests/support/http_backend.h"
#include "tests/support/process.h"
#include "tests/support/temp_folder.h"
#include "tests/support/udp_responder.h"
#include "tests/support/wait_for.h"

using namespace demarc;
using namespace demarc::testing;
using namespace std::chrono_literals;

TEST_CASE("run: exit status, output, errors and input", "[support][process]") {
  const auto [name, argv, exit, out, err] =
      GENERATE(table<const char*, std::vector<std::string>, int, const char*, const char*>({
          {"both outputs", {"sh", "-c", "echo out; echo err >&2; exit 3"}, 3, "out\n", "err\n"},
          {"a signal", {"sh", "-c", "kill -TERM $$"}, 128 + SIGTERM, "", ""},
          {"no such program", {"/nonexistent/program"}, 127, "", ""},
      }));
  CAPTURE(name);
  const Finished finished = run(argv);
  CHECK(finished.exit == exit);
  CHECK(finished.out == out);
  CHECK(finished.err == err);
  CHECK(run(ProcessOptions{.argv = {"cat"}, .input = "some\ninput"}).out == "some\ninput");
}

TEST_CASE("run: environment and folder are the child's own", "[support][process]") {
  const TempFolder folder;
  const Finished finished = run(ProcessOptions{.argv = {"sh", "-c", "echo $DEMARC_X; pwd"},
                                               .environment = {{"DEMARC_X", "yes"}},
                                               .working_folder = folder.path()});
  CHECK(finished.out == "yes\n" + folder.path() + "\n");
  CHECK(run(ProcessOptions{.argv = {"true"}, .working_folder = "/nonexistent"}).exit == 127);
}

TEST_CASE("run: more output than a pipe holds, and a child that never ends", "[support][process]") {
  CHECK(run({"head", "-c", "1000000", "/dev/zero"}).out.size() == 1'000'000);
  CHECK(run({"sleep", "600"}, 100ms).exit == 128 + SIGKILL);
}

TEST_CASE("process: a line is waited for, signals end it, nothing is left", "[support][process]") {
  pid_t pid = 0;
  {
    Process process({.argv = {"sh", "-c",
                              "echo first; echo ready 53; echo half | tr -d '\\n';"
                              "exec sleep 600"}});
    pid = process.pid();
    CHECK(process.wait_for_line("ready ") == "ready 53");
    CHECK(process.wait_for_line("half", 50ms) == std::nullopt);
    CHECK(process.is_running());
    CHECK(process.wait(1ms) == std::nullopt);
    SECTION("SIGTERM") { CHECK(process.stop() == 128 + SIGTERM); }
    SECTION("SIGKILL") {
      process.signal(SIGKILL);
      CHECK(process.wait() == 128 + SIGKILL);
    }
    SECTION("by the destructor") {}
  }
  CHECK(kill(pid, 0) == -1);
}

TEST_CASE("process: an ended child is not waited for", "[support][process]") {
  Process process({.argv = {"true"}});
  CHECK(process.wait_for_line("never") == std::nullopt);
  CHECK(process.stop() == 0);
}

TEST_CASE("wait_for: the condition, or the deadline", "[support]") {
  int asked = 0;
  CHECK(wait_for([&] { return ++asked == 3; }));
  CHECK_FALSE(wait_for([] { return false; }, 10ms));
  CHECK(wait_for([] { return true; }, 0ms));
}

TEST_CASE("backend: behaviour switches while it runs, the port stays", "[support][backend]") {
  HttpBackend backend;
  const std::string url = "http://127.0.0.1:" + std::to_string(backend.port()) + "/x";
  const auto curl = [&] {
    return run({"curl", "-s", "-o", "/dev/null", "-w", "%{http_code}", "-m", "5", url});
  };
  CHECK(curl().out == "200");
  backend.status(503);
  CHECK(curl().out == "503");
  backend.close();
  CHECK(curl().exit == 7);  // could not connect
  backend.close();
  backend.reopen();
  backend.ok();
  CHECK(curl().out == "200");
  CHECK(backend.requests() == 3);
  CHECK(backend.last_request().starts_with("GET /x HTTP/1.1\r\n"));
}

TEST_CASE("dig: a whole answer is read", "[support][dig]") {
  const DigAnswer answer = parse_dig(R"(
; <<>> DiG 9.18.49 <<>> @127.0.0.1 -p 5300 api.example.com A +subnet=192.0.2.0/24
;; global options: +cmd
;; Got answer:
;; ->>HEADER<<- opcode: QUERY, status: NOERROR, id: 4711
;; flags: qr aa; QUERY: 1, ANSWER: 2, AUTHORITY: 1, ADDITIONAL: 2

;; OPT PSEUDOSECTION:
; EDNS: version: 0, flags:; udp: 1232
; NSID: 6e 73 31 ("ns1")
; CLIENT-SUBNET: 192.0.2.0/24/16
; EDE: 14 (Not Ready): (held: the border)
; EDE: 4 (Forged Answer)
;; QUESTION SECTION:
;api.example.com.		IN	A

;; ANSWER SECTION:
api.example.com.	30	IN	CNAME	api.eu.example.sov.
api.eu.example.sov.	60	IN	A	192.0.2.10

;; AUTHORITY SECTION:
example.com.		300	IN	SOA	ns1.example.com. host.example.com. 1 2 3 4 5

;; ADDITIONAL SECTION:
t.example.com.		5	IN	TXT	"a  b" "c"

;; Query time: 0 msec
;; SERVER: 127.0.0.1#5300(127.0.0.1) (TCP)
;; WHEN: Mon Nov 23 02:31:19 UTC 2026
;; MSG SIZE  rcvd: 123
)");
  CHECK(answer.status == "NOERROR");
  CHECK(answer.id == 4711);
  CHECK(answer.flags == std::vector<std::string>{"qr", "aa"});
  CHECK(answer.has_flag("aa"));
  CHECK_FALSE(answer.has_flag("a"));
  CHECK(answer.has_edns);
  CHECK(answer.udp_size == 1232);
  CHECK(answer.nsid == "ns1");
  CHECK(answer.subnet == "192.0.2.0");
  CHECK(answer.source_prefix == 24U);
  CHECK(answer.scope_prefix == 16U);
  CHECK(answer.ede == std::vector<std::uint16_t>{14, 4});
  REQUIRE(answer.answer.size() == 2);
  CHECK(answer.rdata("A") == std::vector<std::string>{"192.0.2.10"});
  CHECK(answer.rdata("AAAA").empty());
  CHECK(answer.ttl() == 30U);
  REQUIRE(answer.authority.size() == 1);
  CHECK(answer.authority[0].rdata == "ns1.example.com. host.example.com. 1 2 3 4 5");
  REQUIRE(answer.additional.size() == 1);
  CHECK(answer.additional[0].owner == "t.example.com.");
  CHECK(answer.is_tcp);
  CHECK(answer.size_bytes == 123);
}

TEST_CASE("dig: no answer is no status", "[support][dig]") {
  const DigAnswer answer = parse_dig(
      ";; communications error to 127.0.0.1#1: connection refused\n\n"
      "; <<>> DiG 9.18 <<>> x\n;; no servers could be reached\n");
  CHECK(answer.status.empty());
  CHECK(answer.answer.empty());
  CHECK_FALSE(answer.ttl());
}

TEST_CASE("dig: the real one asks our responder", "[support][dig]") {
  UdpResponder responder;
  const DigAnswer answer =
      dig("127.0.0.1", responder.port(), {"www.example.com", "A", "+subnet=192.0.2.0/24"});
  CAPTURE(answer.text);
  CHECK(answer.exit == 0);
  CHECK(answer.status == "NOERROR");
  CHECK(answer.has_flag("aa"));
  CHECK_FALSE(answer.has_flag("rd"));
  CHECK(answer.rdata("A") == std::vector<std::string>{"192.0.2.10"});
  CHECK(answer.ttl() == 30U);
  CHECK(answer.scope_prefix == 16U);
  CHECK(answer.ede == std::vector<std::uint16_t>{14});
}

TEST_CASE("client: a hundred thousand questions, each with its own answer", "[support][client]") {
  UdpResponder responder;
  DnsClient client("127.0.0.1", responder.port());
  std::vector<DnsQuestion> questions;
  for (unsigned i = 0; i < 100'000; ++i) {
    const geo::Address network = geo::Address::ipv4(i << 8);
    questions.push_back(
        {.name = "n" + std::to_string(i) + ".Example.com.", .subnet = geo::Prefix{network, 24}});
  }
  std::size_t wrong = 0;
  std::vector<unsigned> answers(questions.size());
  const auto result = client.ask_all(questions, [&](std::size_t at, const DnsReply& reply) {
    ++answers[at];
    const bool right = reply.qname + "." == questions[at].name && reply.answer.size() == 1 &&
                       reply.scope_prefix == 16U && reply.answer[0].ttl == 30;
    wrong += right ? 0 : 1;
  });
  CHECK(result.answered == questions.size());
  CHECK(result.lost == 0);
  CHECK(result.strange == 0);
  CHECK(wrong == 0);
  CHECK(std::ranges::count(answers, 1U) == static_cast<std::ptrdiff_t>(questions.size()));
}

TEST_CASE("client: what does not come or does not fit is counted", "[support][client]") {
  UdpResponder responder;
  DnsClient client("127.0.0.1", responder.port());
  const std::vector<DnsQuestion> questions = {{.name = "silent.example."},
                                              {.name = "a.example."},
                                              {.name = "wrong.example."},
                                              {.name = "twice.example."}};
  std::vector<std::size_t> answered;
  const auto result = client.ask_all(
      questions, [&](std::size_t at, const DnsReply&) { answered.push_back(at); }, 1, 50ms);
  CHECK(answered == std::vector<std::size_t>{1, 3});
  CHECK(result.answered == 2);
  CHECK(result.lost == 2);
  CHECK(result.resent == 4);   // two questions, two more tries each
  CHECK(result.strange >= 3);  // another name, three times; the second copy may come too late
  CHECK_FALSE(client.ask({.name = "silent.example."}, 20ms));
}

TEST_CASE("reply: names, sections, rcode and hints", "[support][client]") {
  const std::vector<std::uint8_t> bytes = {
      0x12, 0x34, 0x86, 0x00,                         // id; QR, AA, TC
      0,    1,    0,    2,    0,    0, 0, 1,          // one question, two answers, one additional
      1,    'A',  2,    'e',  'X',  0, 0, 65,  0, 1,  // A.eX HTTPS IN
      0xc0, 12,   0,    5,    0,    1, 0, 0,   0, 9, 0, 4,
      1,    'b',  0xc0, 14,                                  // a.ex CNAME b.ex, TTL 9
      0xc0, 34,   0,    65,   0,    1, 0, 0,   0, 9, 0, 11,  // b.ex HTTPS, TTL 9
      0,    1,    0,    0,    4,    0, 4, 192, 0, 2, 7,      // 1 . ipv4hint=192.0.2.7
      0,    0,    41,   0x04, 0xd0, 1, 0, 0,   0, 0, 0,      // OPT, extended rcode 1: BADVERS is 16
  };
  const auto reply = parse_reply(bytes);
  REQUIRE(reply);
  CHECK(reply->id == 0x1234);
  CHECK(reply->rcode == 16);
  CHECK(reply->is_authoritative);
  CHECK(reply->is_truncated);
  CHECK(reply->qname == "A.eX");
  CHECK(reply->qtype == rr::HTTPS);
  REQUIRE(reply->answer.size() == 2);
  CHECK(reply->answer[0].target == "b.ex");
  CHECK(reply->answer[1].owner == "b.ex");
  CHECK(reply->addresses() == std::vector{geo::Address::ipv4(0xc0000207)});
  CHECK(reply->has_edns);

  for (std::size_t size = 0; size < bytes.size(); ++size) {
    CAPTURE(size);
    CHECK_FALSE(parse_reply(std::span(bytes).first(size)));
  }
  auto longer = bytes;
  longer.push_back(0);
  CHECK_FALSE(parse_reply(longer));
}

TEST_CASE("reply: a name that points at itself ends", "[support][client]") {
  const std::vector<std::uint8_t> bytes = {0, 0, 0x80, 0,    0,  1, 0, 0, 0,
                                           0, 0, 0,    0xc0, 12, 0, 1, 0, 1};
  CHECK_FALSE(parse_reply(bytes));
}

TEST_CASE("query: what is built is what was asked", "[support][client]") {
  const geo::Prefix subnet{geo::Address::ipv4(0xc0000200), 23};
  CHECK(build_query(0x1234, {.name = "a.ex", .type = rr::AAAA, .subnet = subnet}) ==
        std::vector<std::uint8_t>{
            0x12, 0x34, 0,  0,    0,    1, 0,  0,  0,   0, 0,
            1,                                              // id, no flags, one question, one OPT
            1,    'a',  2,  'e',  'x',  0, 0,  28, 0,   1,  // a.ex AAAA IN
            0,    0,    41, 0x04, 0xd0, 0, 0,  0,  0,   0, 11,  // OPT, size 1232
            0,    8,    0,  7,    0,    1, 23, 0,  192, 0, 2,   // ECS 192.0.2.0/23: three bytes
        });
  CHECK(build_query(1, {.name = ".", .edns = false}).size() == 17);
  CHECK_THROWS_AS(build_query(1, {.name = "a..b"}), std::invalid_argument);
}
