#include "dns/transfer_records.h"

#include <algorithm>
#include <set>
#include <span>
#include <string>
#include <string_view>

#include "dns/https_record.h"
#include "dns/wire.h"
#include "zones/mode_signal.h"

namespace demarc::dns {

namespace {

constexpr std::uint8_t share_whole = 100;     // percent
constexpr std::size_t string_size_max = 255;  // of a character-string

class RecordList {
 public:
  explicit RecordList(std::uint32_t ttl) : ttl_(ttl) {}

  void add(const zones::Name& owner, std::uint16_t type, std::string_view rdata) {
    bytes_.insert(bytes_.end(), owner.wire().begin(), owner.wire().end());
    const std::size_t at = bytes_.size();
    bytes_.resize(at + 10);
    put16(bytes_.data() + at, type);
    put16(bytes_.data() + at + 2, rrclass::in);
    put32(bytes_.data() + at + 4, ttl_);
    put16(bytes_.data() + at + 8, rdata.size());
    bytes_.insert(bytes_.end(), rdata.begin(), rdata.end());
  }
  [[nodiscard]] std::vector<std::uint8_t> take() { return std::move(bytes_); }

 private:
  std::uint32_t ttl_;
  std::vector<std::uint8_t> bytes_;
};

std::string_view as_text(std::span<const std::uint8_t> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

std::string_view text_of(const geo::Address& address) {
  return as_text(std::span(address.bytes).first(address.family == geo::Family::ipv4 ? 4 : 16));
}

void add_addresses(const zones::Service& service, const zones::Choice& choice, RecordList& list) {
  std::vector<geo::Address> addresses;
  std::set<geo::Address> seen;
  for (const zones::WeightedRecord& weighted : choice.records) {
    for (const geo::Address& address : service.record(weighted.record).addresses) {
      if (!seen.insert(address).second) continue;
      list.add(service.owner, address.family == geo::Family::ipv4 ? rrtype::a : rrtype::aaaa,
               text_of(address));
      addresses.push_back(address);
    }
  }
  if (!service.https) return;
  const auto rdata = https_rdata(*service.https, addresses);
  list.add(service.owner, rrtype::https, as_text(rdata));
}

// One owner has one CNAME (RFC 2181 §10.1).
void add_choice(const zones::Service& service, const zones::Choice& choice, RecordList& list) {
  const bool has_addresses =
      std::ranges::any_of(choice.records, [&](const zones::WeightedRecord& weighted) {
        return !service.record(weighted.record).addresses.empty();
      });
  if (has_addresses) return add_addresses(service, choice, list);
  const auto heaviest =
      std::ranges::max_element(choice.records, {}, &zones::WeightedRecord::weight);
  if (heaviest == choice.records.end()) return;
  list.add(service.owner, rrtype::cname, service.record(heaviest->record).endpoint_name.wire());
}

void add_mode(const zones::Service& service, RecordList& list) {
  const auto owner = zones::mode_owner(service);
  if (!owner) return;
  std::string rdata;
  const std::string text = zones::mode_text(std::nullopt);
  for (std::size_t at = 0; at < text.size(); at += string_size_max) {
    const std::string part = text.substr(at, string_size_max);
    rdata += static_cast<char>(part.size());
    rdata += part;
  }
  list.add(*owner, rrtype::txt, rdata);
}

}  // namespace

std::vector<std::uint8_t> transfer_records(const zones::Service& service, const zones::Views& views,
                                           const zones::ClearedWeights& cleared) {
  RecordList list(service.ttl);
  if (!cleared.tenant().empty()) return {};
  // Location class 0 is that of a client whose place is unknown.
  const auto& variants = views.variant_of_class(service.view);
  const auto& fenced = cleared.fenced_choice_of_variant();
  if (variants.empty() || variants[0] >= fenced.size()) return {};
  const zones::Choice& choice = cleared.choices().at(fenced[variants[0]]);
  const bool is_whole = choice.share == share_whole;
  if (choice.kind == zones::ChoiceKind::records && is_whole) add_choice(service, choice, list);
  add_mode(service, list);
  return list.take();
}

}  // namespace demarc::dns
