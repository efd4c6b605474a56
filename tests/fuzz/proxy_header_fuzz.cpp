// The header of a proxy: any bytes are read within their bounds, and what is good stays good with
// more bytes behind it.
#include <cstdlib>
#include <vector>

#include "dns/proxy_header.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace demarc::dns;
  for (const auto transport : {ProxyTransport::stream, ProxyTransport::datagram}) {
    ProxyHeader header;
    const auto reading = read_proxy_header({data, size}, transport, header);
    if (reading != ProxyReading::good) continue;
    if (header.size > size || header.size > proxy_header_size_max) std::abort();
    std::vector<std::uint8_t> longer(data, data + size);
    longer.push_back(0);
    ProxyHeader again;
    if (read_proxy_header(longer, transport, again) != ProxyReading::good) std::abort();
    if (again.size != header.size || again.source != header.source) std::abort();
  }
  return 0;
}
