// Laws of what probes hear: any bytes get a judgement, in one short printable line.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "health/dns_probe.h"
#include "health/file_probe.h"
#include "health/judgement.h"

namespace {

using namespace demarc;
using health::ProbeOutcome;

void check(const health::ProbeResult& result) {
  const bool is_printable =
      std::ranges::all_of(result.detail, [](char c) { return c >= ' ' && c <= '~'; });
  if (result.detail.empty() || result.detail.size() > 400 || !is_printable) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  check(health::judge_evidence(text));

  health::HeardAnswer heard{.status = 200, .body = std::string(text)};
  heard.headers = {{"grpc-status", "0"}};
  check(health::judge_grpc({}, heard, WallTime{}));
  heard.headers = {{"grpc-status", std::string(text)}};
  check(health::judge_grpc({}, heard, WallTime{}));

  const health::Probe query{.expect_status = {{200, 299}},
                            .expect = {.query_value = "< 1"},
                            .silence = zones::Silence::stale};
  const auto judged = health::judge_http(query, heard, WallTime{});
  check(judged);

  for (const char* const path : {"/a.example./A", "/a.example./CNAME"}) {
    const health::Probe dns{
        .scheme = zones::ProbeScheme::dns, .path = path, .expect = {.answers = {"192.0.2.10"}}};
    if (const auto result = health::judge_dns_answer(dns, 0x1234, {data, size})) check(*result);
  }
  return 0;
}
