// Signed messages for the tests of dns/: keys, and queries and answers that ldns, another's code,
// signs and verifies.
#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "dns/tsig.h"
#include "tests/dns/world.h"

namespace demarc::dns::test {

inline constexpr const char* key_name = "transfer.example.net.";
inline constexpr const char* key_base64 = "QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVo=";  // A to Z
inline constexpr const char* hmac_name = "hmac-sha256.";

inline TsigKey good_key() {
  TsigKey key{.name = name(key_name), .secret = {}};
  for (char letter = 'A'; letter <= 'Z'; ++letter) {
    key.secret.push_back(static_cast<std::uint8_t>(letter));
  }
  return key;
}

/// ldns signs with the real clock.
inline std::uint64_t seconds_now() {
  return static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::seconds>(
                                        std::chrono::system_clock::now().time_since_epoch())
                                        .count());
}

using Packet = std::unique_ptr<ldns_pkt, FreePacket>;

inline Packet parse_packet(std::span<const std::uint8_t> bytes) {
  ldns_pkt* packet = nullptr;
  const auto status = ldns_wire2pkt(&packet, bytes.data(), bytes.size());
  if (status != LDNS_STATUS_OK) throw std::runtime_error(ldns_get_errorstr_by_id(status));
  return Packet(packet);
}

/// The query with a TSIG of that key; `mac` is what its answer hangs on.
struct SignedBytes {
  Bytes bytes;
  Bytes mac;
};
inline SignedBytes sign_with_ldns(const Bytes& query, const char* key = key_name,
                                  const char* secret = key_base64,
                                  const char* algorithm = hmac_name) {
  const Packet packet = parse_packet(query);
  const auto status = ldns_pkt_tsig_sign(packet.get(), key, secret, 300, algorithm, nullptr);
  if (status != LDNS_STATUS_OK) throw std::runtime_error(ldns_get_errorstr_by_id(status));
  std::uint8_t* wire = nullptr;
  std::size_t size = 0;
  ldns_pkt2wire(&wire, packet.get(), &size);
  const ldns_rdf* const mac = ldns_rr_rdf(ldns_pkt_tsig(packet.get()), 3);
  SignedBytes result{Bytes(wire, wire + size),
                     Bytes(ldns_rdf_data(mac), ldns_rdf_data(mac) + ldns_rdf_size(mac))};
  std::free(wire);
  return result;
}

/// Verifies the messages of an answer one after the other, as a secondary does.
class LdnsVerifier {
 public:
  /// `request_mac` has its length before it, as in the record.
  explicit LdnsVerifier(Bytes request_mac) : last_(std::move(request_mac)) {}

  [[nodiscard]] bool holds(std::span<const std::uint8_t> message) {
    const Packet packet = parse_packet(message);
    if (ldns_pkt_tsig(packet.get()) == nullptr) return false;
    const ldns_rdf* const mac = ldns_rr_rdf(ldns_pkt_tsig(packet.get()), 3);
    Bytes next(ldns_rdf_data(mac), ldns_rdf_data(mac) + ldns_rdf_size(mac));
    ldns_rdf* const before =
        ldns_rdf_new_frm_data(LDNS_RDF_TYPE_INT16_DATA, last_.size(), last_.data());
    const bool is_good = ldns_pkt_tsig_verify_next(packet.get(), message.data(), message.size(),
                                                   key_name, key_base64, before, is_first_ ? 0 : 1);
    ldns_rdf_deep_free(before);
    is_first_ = false;
    last_ = std::move(next);
    return is_good;
  }

 private:
  Bytes last_;
  bool is_first_ = true;
};

/// A table of the world's zones, which outlives it.
inline std::shared_ptr<const TransferTable> transfer_table(const World& world, TsigKeys keys) {
  const std::shared_ptr<const zones::Repository> repository(&world.repository,
                                                            [](const zones::Repository*) {});
  auto table = TransferTable::build(repository, std::move(keys));
  if (!table) throw std::runtime_error(table.error().front());
  return std::make_shared<const TransferTable>(std::move(*table));
}

}  // namespace demarc::dns::test
