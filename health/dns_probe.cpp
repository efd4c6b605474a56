#include "health/dns_probe.h"

#include <algorithm>
#include <memory>
#include <string>
#include <string_view>

#include <fmt/format.h>
#include <ldns/ldns.h>

#include "health/judgement.h"
#include "zones/name.h"
#include "zones/rdata.h"

namespace demarc::health {
namespace {

constexpr std::size_t header_bytes = 12;

struct PacketDeleter {
  void operator()(ldns_pkt* packet) const noexcept { ldns_pkt_free(packet); }
};
using Packet = std::unique_ptr<ldns_pkt, PacketDeleter>;

struct Asked {
  zones::Name name;
  std::uint16_t type = 0;
};

std::optional<Asked> parse_path(std::string_view path) {
  const std::size_t slash = path.rfind('/');
  if (slash == std::string_view::npos || slash == 0 || !path.starts_with('/')) return std::nullopt;
  const auto name = zones::Name::parse_absolute(path.substr(1, slash - 1));
  const auto type = zones::parse_type(path.substr(slash + 1));
  if (!name || !type) return std::nullopt;
  return Asked{*name, *type};
}

void put16(std::vector<std::uint8_t>& out, unsigned value) {
  out.push_back(static_cast<std::uint8_t>(value >> 8U));
  out.push_back(static_cast<std::uint8_t>(value));
}

std::string wire_of(const ldns_rr* record) {
  std::string wire;
  for (std::size_t i = 0; i < ldns_rr_rd_count(record); ++i) {
    const ldns_rdf* const part = ldns_rr_rdf(record, i);
    wire.append(reinterpret_cast<const char*>(ldns_rdf_data(part)), ldns_rdf_size(part));
  }
  return wire;
}

/// RDATA of the answers of the asked type, whoever owns them: aliases may lead to them.
std::vector<zones::Rdata> answers_of(const ldns_pkt* packet, std::uint16_t type) {
  std::vector<zones::Rdata> answers;
  const ldns_rr_list* const list = ldns_pkt_answer(packet);
  for (std::size_t i = 0; i < ldns_rr_list_rr_count(list); ++i) {
    const ldns_rr* const record = ldns_rr_list_rr(list, i);
    if (ldns_rr_get_type(record) == static_cast<ldns_rr_type>(type)) {
      answers.push_back(wire_of(record));
    }
  }
  return answers;
}

bool is_about(const ldns_pkt* packet, const Asked& asked) {
  const ldns_rr_list* const questions = ldns_pkt_question(packet);
  if (!ldns_pkt_qr(packet) || ldns_rr_list_rr_count(questions) != 1) return false;
  const ldns_rr* const question = ldns_rr_list_rr(questions, 0);
  const ldns_rdf* const owner = ldns_rr_owner(question);
  const auto name = zones::Name::from_wire({ldns_rdf_data(owner), ldns_rdf_size(owner)});
  return name == asked.name &&
         ldns_rr_get_type(question) == static_cast<ldns_rr_type>(asked.type) &&
         ldns_rr_get_class(question) == LDNS_RR_CLASS_IN;
}

}  // namespace

std::optional<std::vector<std::uint8_t>> write_dns_question(const Probe& probe, std::uint16_t id) {
  const auto asked = parse_path(probe.path);
  if (!asked) return std::nullopt;
  std::vector<std::uint8_t> out;
  put16(out, id);
  put16(out, 0x0100);  // RD: it may be a resolver; for others it changes nothing
  for (const unsigned count : {1U, 0U, 0U, 0U}) put16(out, count);
  const std::string name = asked->name.wire();
  out.insert(out.end(), name.begin(), name.end());
  put16(out, asked->type);
  put16(out, 1);  // IN
  return out;
}

std::optional<ProbeResult> judge_dns_answer(const Probe& probe, std::uint16_t id,
                                            std::span<const std::uint8_t> bytes) {
  const auto asked = parse_path(probe.path);
  if (!asked || bytes.size() < header_bytes) return std::nullopt;
  if ((std::size_t{bytes[0]} << 8U | bytes[1]) != id) return std::nullopt;
  ldns_pkt* parsed = nullptr;
  if (ldns_wire2pkt(&parsed, bytes.data(), bytes.size()) != LDNS_STATUS_OK) {
    return judge_silence(probe, "not a DNS message");
  }
  const Packet packet(parsed);
  if (!is_about(packet.get(), *asked)) return std::nullopt;
  const unsigned rcode = ldns_pkt_get_rcode(packet.get());
  if (rcode != LDNS_RCODE_NOERROR) return judge_silence(probe, fmt::format("RCODE {}", rcode));
  const auto answers = answers_of(packet.get(), asked->type);
  const bool is_cut = ldns_pkt_tc(packet.get());
  const std::string type = zones::type_to_text(asked->type);
  if (answers.empty()) {
    return judge_silence(probe, is_cut ? "the answer is truncated, and empty" : "no " + type);
  }
  const zones::RdataReader reader{zones::Name{}};
  for (const std::string& text : probe.expect.answers) {
    const auto wanted = reader.parse(asked->type, text);
    if (wanted && std::ranges::find(answers, *wanted) != answers.end()) continue;
    if (is_cut) return judge_silence(probe, "the answer is truncated");
    return ProbeResult{.detail = fmt::format("no {} {} in the answer", type, text)};
  }
  return ProbeResult{.outcome = ProbeOutcome::pass,
                     .detail = fmt::format("{} {}", answers.size(), type)};
}

}  // namespace demarc::health
