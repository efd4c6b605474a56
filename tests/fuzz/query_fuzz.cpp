// Fuzzes dns/query.h. The law: what is read is what the bytes say, and nothing outside of them.

#include <cstdint>
#include <cstdlib>
#include <span>

#include "dns/query.h"
#include "dns/wire.h"

namespace {

void require(bool holds) {
  if (!holds) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace demarc::dns;
  const std::span packet(data, size);
  Query query;
  const Reading reading = read_query(packet, query);
  if (reading == Reading::silence) {
    require(size < header_size || (data[2] & qr_bit) != 0);
    return 0;
  }
  require(query.id == get16(data));
  if (query.question.empty()) {
    require(reading != Reading::good);
    return 0;
  }
  require(query.question.data() == data + header_size);
  require(query.question.size() == query.qname.size() + 4);
  require(query.qname.size() <= name_size_max && query.qname.label_count() <= label_count_max);

  // The name in lower case is the same name, and each suffix hashes as if it stood alone.
  const auto lower = query.qname.suffix(0);
  NameKey again;
  require(again.read(lower) == lower.size());
  for (std::size_t label = 0; label <= again.label_count(); ++label) {
    require(again.hash(label) == query.qname.hash(label));
    NameKey alone;
    require(alone.read(again.suffix(label)) == again.suffix(label).size());
    require(alone.hash(0) == again.hash(label));
  }
  const auto subnet = query.edns.client_subnet;
  require(subnet.empty() || (subnet.data() > data && subnet.data() + subnet.size() <= data + size));
  return 0;
}
