#include "health/grpc_health.h"

#include <catch2/catch.hpp>

#include "health/judgement.h"

using namespace demarc;
using namespace demarc::health;
using namespace std::string_literals;

TEST_CASE("grpc: the question, of the server and of one service", "[health][grpc]") {
  CHECK(write_grpc_request("") == "\0\0\0\0\0"s);
  CHECK(write_grpc_request("/a.B") ==
        "\0\0\0\0\x05\x0a\x03"
        "a.B"s);
  const std::string longer = write_grpc_request("/" + std::string(200, 'x'));
  CHECK(longer.substr(0, 8) == "\0\0\0\0\xcb\x0a\xc8\x01"s);
  CHECK(longer.size() == 8 + 200);
}

TEST_CASE("grpc: what an answer says", "[health][grpc]") {
  const auto [status, body, expected] = GENERATE(table<const char*, std::string, const char*>({
      {"0", "\0\0\0\0\x02\x08\x01"s, "gRPC: SERVING"},
      {"0", "\0\0\0\0\x02\x08\x02"s, "gRPC: NOT_SERVING"},
      {"0", "\0\0\0\0\x02\x08\x03"s, "gRPC: SERVICE_UNKNOWN"},
      {"0", "\0\0\0\0\0"s, "gRPC: UNKNOWN"},
      {"0", "\0\0\0\0\x02\x08\x09"s, "gRPC: a serving status that nobody knows"},
      {"0", "\0\0\0\0\x02\x10\x01"s, "gRPC: not a health message"},
      {"0", "\0\0\0\0\x02\x08\x81"s, "gRPC: not a health message"},
      {"0", "\0\0\0\0\x03\x08\x01"s, "gRPC: not one message"},
      {"0", "\x01\0\0\0\x02\x08\x01"s, "gRPC: a compressed message"},
      {"0", "\0\0\0"s, "gRPC: no message"},
      {"5", "", "gRPC: NOT_FOUND: it does not know the service"},
      {"12", "", "gRPC: UNIMPLEMENTED: it has no health service"},
      {"13", "", "gRPC: status 13"},
      {"\x01", "", "gRPC: a status that is no number"},
      {nullptr, "\0\0\0\0\x02\x08\x01"s, "gRPC: no grpc-status"},
  }));
  HeardAnswer heard{.status = 200, .body = body};
  if (status != nullptr) heard.headers = {{"grpc-status", status}};
  const auto result = judge_grpc({}, heard, WallTime{});
  CHECK(result.detail == expected);
  CHECK((result.outcome == ProbeOutcome::pass) == (result.detail == "gRPC: SERVING"));
  heard.status = 502;
  CHECK(judge_grpc({}, heard, WallTime{}).detail == "HTTP 502");
}
