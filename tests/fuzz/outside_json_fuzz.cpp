// JSON from outside: a replica's lag, what a check expects of an endpoint, the advisor's answer,
// and files of the alert spool. The laws: a lag is finite, only an answer with status 200 and a
// result allows, and a notice that reads writes and reads as the same.
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "health/advisor.h"
#include "health/alerts/message.h"
#include "health/expectation.h"
#include "health/lag_value.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace demarc;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  // The pointer is the editor's, the document the replica's: the first line is one, the rest the
  // other.
  const auto end = text.find('\n');
  const auto body = end == std::string_view::npos ? text : text.substr(end + 1);
  if (const auto lag = health::read_lag(body, text.substr(0, end)); lag && !std::isfinite(*lag)) {
    std::abort();
  }
  (void)health::read_header_line(text);
  const demarc::zones::ExpectedAnswer expected{.body = "up",
                                               .values = {{std::string(text.substr(0, end)), "1"}}};
  const auto unmet = health::find_unmet(expected, {.body = std::string(body)}, {});
  if (!unmet && body.find("up") == std::string_view::npos) std::abort();
  const auto advice = health::read_advice(200, body);
  if (advice.effect == zones::Effect::allow && body.find("result") == std::string_view::npos &&
      body.find('\\') == std::string_view::npos) {
    std::abort();
  }
  if (health::read_advice(500, body).effect == zones::Effect::allow) std::abort();
  if (const auto notice = health::parse_notice(body)) {
    const std::string written = health::write_notice(*notice);
    const auto again = health::parse_notice(written);
    if (!again || health::write_notice(*again) != written) std::abort();
  }
  if (const auto told = health::parse_told(body)) {
    if (!health::parse_told(health::write_told(*told))) std::abort();
  }
  return 0;
}
