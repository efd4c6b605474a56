// Messages for the tests of dns/: queries as bytes, answers parsed back by ldns, another's code.
#pragma once

#include <cstdint>
#include <cstdlib>
#include <memory>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "dns/wire.h"

// Last, and cleaned up after: it makes macros of `true` and `false`, which break standard headers.
#include <ldns/ldns.h>
#undef true
#undef false

namespace demarc::dns::test {

using Bytes = std::vector<std::uint8_t>;

inline void append16(Bytes& bytes, std::size_t value) {
  // Both at once: g++ 12 at -O1 believes that a second push_back reads beyond the first.
  bytes.insert(bytes.end(),
               {static_cast<std::uint8_t>(value >> 8), static_cast<std::uint8_t>(value)});
}

/// "www.example.com" as uncompressed wire bytes, letters as they are; no escapes.
inline Bytes name_bytes(std::string_view text) {
  Bytes bytes;
  while (!text.empty()) {
    const auto dot = text.find('.');
    const auto label = text.substr(0, dot);
    bytes.push_back(static_cast<std::uint8_t>(label.size()));
    bytes.insert(bytes.end(), label.begin(), label.end());
    text = dot == std::string_view::npos ? std::string_view{} : text.substr(dot + 1);
  }
  bytes.push_back(0);
  return bytes;
}

struct QueryParts {
  std::string name = "www.example.com";
  std::uint16_t type = rrtype::a;
  std::uint16_t klass = rrclass::in;
  std::uint16_t id = 0x4711;
  std::uint8_t flags = rd_bit;
  bool has_edns = false;
  std::uint16_t udp_size = 1232;
  std::uint8_t edns_version = 0;
  bool dnssec_ok = false;
  Bytes options;
};

inline Bytes opt_bytes(const QueryParts& parts) {
  Bytes bytes{0};
  append16(bytes, rrtype::opt);
  append16(bytes, parts.udp_size);
  bytes.insert(bytes.end(), {0, parts.edns_version});
  append16(bytes, parts.dnssec_ok ? 0x8000 : 0);
  append16(bytes, parts.options.size());
  bytes.insert(bytes.end(), parts.options.begin(), parts.options.end());
  return bytes;
}

inline Bytes query_bytes(const QueryParts& parts) {
  Bytes bytes;
  append16(bytes, parts.id);
  bytes.insert(bytes.end(), {parts.flags, 0, 0, 1, 0, 0, 0, 0, 0, 0});
  bytes[11] = parts.has_edns ? 1 : 0;
  const Bytes name = name_bytes(parts.name);
  bytes.insert(bytes.end(), name.begin(), name.end());
  append16(bytes, parts.type);
  append16(bytes, parts.klass);
  if (parts.has_edns) {
    const Bytes opt = opt_bytes(parts);
    bytes.insert(bytes.end(), opt.begin(), opt.end());
  }
  return bytes;
}

/// An ECS option with its code and length; `address` has as many bytes as the option shall have.
inline Bytes ecs_bytes(std::uint16_t family, std::uint8_t source, Bytes address,
                       std::uint8_t scope = 0) {
  Bytes bytes;
  append16(bytes, edns::client_subnet);
  append16(bytes, 4 + address.size());
  append16(bytes, family);
  bytes.insert(bytes.end(), {source, scope});
  bytes.insert(bytes.end(), address.begin(), address.end());
  return bytes;
}

struct FreePacket {
  void operator()(ldns_pkt* packet) const { ldns_pkt_free(packet); }
};

struct FoundOption {
  std::uint16_t code = 0;
  Bytes data;
};

/// An answer as ldns understands it.
class Message {
 public:
  explicit Message(std::span<const std::uint8_t> bytes) : bytes_(bytes.begin(), bytes.end()) {
    ldns_pkt* packet = nullptr;
    const auto status = ldns_wire2pkt(&packet, bytes.data(), bytes.size());
    if (status != LDNS_STATUS_OK) throw std::runtime_error(ldns_get_errorstr_by_id(status));
    packet_.reset(packet);
  }

  [[nodiscard]] std::uint16_t id() const { return ldns_pkt_id(packet_.get()); }
  [[nodiscard]] bool aa() const { return ldns_pkt_aa(packet_.get()); }
  [[nodiscard]] bool tc() const { return ldns_pkt_tc(packet_.get()); }
  [[nodiscard]] bool rd() const { return ldns_pkt_rd(packet_.get()); }
  [[nodiscard]] bool has_edns() const { return ldns_pkt_edns(packet_.get()); }
  [[nodiscard]] bool dnssec_ok() const { return ldns_pkt_edns_do(packet_.get()); }
  [[nodiscard]] unsigned rcode() const {
    const unsigned upper = has_edns() ? ldns_pkt_edns_extended_rcode(packet_.get()) : 0U;
    return (upper << 4) | static_cast<unsigned>(ldns_pkt_get_rcode(packet_.get()));
  }
  [[nodiscard]] std::size_t question_count() const { return ldns_pkt_qdcount(packet_.get()); }

  [[nodiscard]] std::vector<std::string> answer() const {
    return lines(ldns_pkt_answer(packet_.get()));
  }
  [[nodiscard]] std::vector<std::string> authority() const {
    return lines(ldns_pkt_authority(packet_.get()));
  }
  [[nodiscard]] std::vector<std::string> additional() const {
    return lines(ldns_pkt_additional(packet_.get()));
  }

  /// The options of the OPT, which ends every message of ours.
  [[nodiscard]] std::vector<FoundOption> options() const {
    std::vector<FoundOption> found;
    const ldns_rdf* const data = ldns_pkt_edns_data(packet_.get());
    if (data == nullptr) return found;
    const std::uint8_t* at = ldns_rdf_data(data);
    const std::uint8_t* const end = at + ldns_rdf_size(data);
    while (at + 4 <= end) {
      const std::size_t size = get16(at + 2);
      found.push_back({get16(at), Bytes(at + 4, at + 4 + size)});
      at += 4 + size;
    }
    return found;
  }
  [[nodiscard]] std::optional<Bytes> option(std::uint16_t code) const {
    for (FoundOption& option : options()) {
      if (option.code == code) return std::move(option.data);
    }
    return std::nullopt;
  }
  [[nodiscard]] std::optional<unsigned> scope() const {
    const auto data = option(edns::client_subnet);
    return data ? std::optional<unsigned>((*data)[3]) : std::nullopt;
  }
  [[nodiscard]] std::optional<unsigned> extended_error() const {
    const auto data = option(edns::extended_error);
    return data ? std::optional<unsigned>(get16(data->data())) : std::nullopt;
  }
  [[nodiscard]] const Bytes& bytes() const { return bytes_; }

 private:
  // "www.example.com. 300 A 192.0.2.1"
  static std::vector<std::string> lines(const ldns_rr_list* list) {
    std::vector<std::string> result;
    for (std::size_t index = 0; index < ldns_rr_list_rr_count(list); ++index) {
      char* const text = ldns_rr2str(ldns_rr_list_rr(list, index));
      std::string line(text);
      std::free(text);
      while (!line.empty() && line.back() == '\n') line.pop_back();
      for (char& letter : line) letter = letter == '\t' ? ' ' : letter;
      if (const auto in = line.find(" IN "); in != std::string::npos) line.erase(in, 3);
      result.push_back(std::move(line));
    }
    return result;
  }

  Bytes bytes_;
  std::unique_ptr<ldns_pkt, FreePacket> packet_;
};

}  // namespace demarc::dns::test
