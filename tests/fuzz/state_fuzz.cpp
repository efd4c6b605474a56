// The law of the state file: what is read and written again reads as the same.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "zones/digest.h"
#include "zones/steering_state.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace demarc::zones;
  const std::string body(reinterpret_cast<const char*>(data), size);
  (void)parse_state(body);
  // The digest would hide the reader from random bytes, so it is made to fit.
  for (const char* version : {"1", "2"}) {
    const std::string text = "{\"version\":" + std::string(version) + ",\"sha256\":\"" +
                             sha256_hex(body) + "\",\"state\":" + body + "}";
    if (const auto state = parse_state(text)) {
      const auto again = parse_state(write_state(*state));
      if (!again || *again != *state) std::abort();
    }
  }
  return 0;
}
