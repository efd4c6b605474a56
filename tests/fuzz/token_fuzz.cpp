// Laws of approval tokens: any text gets an answer; nothing is approved without the key's
// signature.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "zones/claims.h"
#include "zones/jws.h"
#include "zones/token.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace demarc::zones;
  static const Approvals approvals = [] {
    Approvals made;
    made.audience = "prod-dns";
    made.keys = {{"legal-1",
                  "anna",
                  "legal",
                  KeyAlgorithm::EdDSA,
                  make_key_pair(KeyAlgorithm::EdDSA)->public_key_pem,
                  {}}};
    return made;
  }();
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  // The private key is gone, so no input can be valid.
  if (check_token(text, approvals, demarc::WallTime{}).has_value()) std::abort();
  if (const auto jws = parse_jws(text)) {
    const std::string again =
        base64url(jws->header) + '.' + base64url(jws->payload) + '.' + base64url(jws->signature);
    if (text.find(again) == std::string_view::npos) std::abort();  // one text for one token
  }
  if (const auto token = inspect_token(text); token && token->claims) {
    const auto again = read_claims(token->claims->type, write_claims(*token->claims));
    if (!again || *again != *token->claims) std::abort();  // what was read is written as the same
  }
  return 0;
}
