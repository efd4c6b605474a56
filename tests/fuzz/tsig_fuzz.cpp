// Fuzzes dns/tsig.h and the serial of an IXFR. The laws: what is read lies inside the message; no
// bytes but a signer's pass the check, and what is signed passes it.

#include <cstdint>
#include <cstdlib>
#include <span>
#include <vector>

#include "dns/query.h"
#include "dns/transfer_reply.h"
#include "dns/tsig.h"

namespace {

void require(bool holds) {
  if (!holds) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace demarc::dns;
  constexpr std::uint64_t now = 1'795'413'600;
  const std::span packet(data, size);
  Query query;
  const Reading reading = read_query(packet, query);
  if (reading == Reading::silence || size > message_size_max - tsig_size_max) return 0;
  if (!query.question.empty()) {
    (void)read_ixfr_serial(packet, header_size + query.question.size());
  }
  const TsigKey key{*demarc::zones::Name::parse_absolute("key.example"), {1, 2, 3}};
  if (query.tsig_at != 0 && reading == Reading::good) {
    require(query.tsig_at < size);
    if (const auto record = read_tsig(packet, query.tsig_at)) {
      require(record->mac.data() > data && record->other.data() <= data + size);
      require(record->other.data() + record->other.size() == data + size);
      require(record->key.size != 0 && record->algorithm.size != 0);
      // Nobody signed it with a secret of three bytes.
      const TsigRequest request = check_tsig(packet, *record, {key}, now);
      require(request.error != TsigError::none);
      std::vector<std::uint8_t> answer(message_size_max);
      const std::size_t end = append_tsig(request, answer, header_size, now);
      require(end <= header_size + tsig_room(*record));
    }
    return 0;
  }
  if (reading != Reading::good) return 0;
  std::vector<std::uint8_t> message(data, data + size);
  message.resize(size + tsig_size_max);
  TsigMac mac;
  message.resize(sign_request(key, message, size, now, mac));
  Query again;
  require(read_query(message, again) == Reading::good && again.tsig_at == size);
  const auto record = read_tsig(message, again.tsig_at);
  require(record && check_tsig(message, *record, {key}, now).error == TsigError::none);
  return 0;
}
