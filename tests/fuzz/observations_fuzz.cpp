// Laws of what is pushed: any bytes get an answer, and nothing is taken that nobody signed.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "health/observations.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace demarc;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  // A key that nobody has the other half of.
  static const std::vector<zones::Vantage> vantages{
      {"paris", zones::KeyAlgorithm::EdDSA,
       "-----BEGIN PUBLIC KEY-----\n"
       "MCowBQYDK2VwAyEAgk/yTR9MRR8zA3aXD5xcbIXfNd1yTCWFqVh6dDjEFxY=\n"
       "-----END PUBLIC KEY-----\n"}};
  const WallTime now{Milliseconds{1'795'413'600'000}};
  const auto read = health::read_observations(text, vantages, now);
  if (read || read.error().empty()) std::abort();
  return 0;
}
