#include "dns/local_reply.h"

#include <algorithm>
#include <array>
#include <string_view>

#include <arpa/inet.h>
#include <fmt/format.h>

#include "dns/local_names.h"
#include "zones/operator_texts.h"

namespace demarc::dns {

namespace {

const std::vector<geo::Override> no_overrides;

enum class Kind : std::uint8_t { none, geo, health, gate, challenge };

std::string_view as_text(std::span<const std::uint8_t> bytes) noexcept {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

Kind kind_of(const NameKey& qname) noexcept {
  if (qname.label_count() < 2) return Kind::none;
  const auto name = qname.suffix(0);
  const std::string_view label = as_text(name.subspan(1, name[0]));
  if (label == zones::geo_label) return Kind::geo;
  if (label == zones::health_label) return Kind::health;
  if (label == zones::gate_label) return Kind::gate;
  return label == challenge_label ? Kind::challenge : Kind::none;
}

bool is_switched_on(const zones::OperatorNames& names, Kind kind) noexcept {
  switch (kind) {
    case Kind::geo:
      return names.geo;
    case Kind::health:
      return names.health;
    case Kind::gate:
      return names.gate;
    case Kind::none:
    case Kind::challenge:
      break;
  }
  return false;
}

bool asks_for_text(const Asked& asked) noexcept {
  return asked.query.qtype == rrtype::txt || asked.query.qtype == rrtype::any;
}

void add_records(const Asked& asked, RecordBytes records, Reply& reply) noexcept {
  Drawn& drawn = asked.worker.drawn;
  drawn.parts[0] = records;
  drawn.part_count = 1;
  reply.append(drawn, header_size, std::nullopt, false);
}

void add_nodata(const Asked& asked, std::uint32_t zone, Reply& reply) noexcept {
  const ZoneTable& zones = *asked.snapshot.zones;
  const std::size_t shift = asked.query.qname.size() - zones.apex_size(zone);
  const Answer negative = zones.negative(zone);
  if (reply.append(negative, shift)) add_serial(asked.snapshot, negative, reply);
}

// Whether the service's answers go by the ECS option of this query.
bool uses_client_subnet(const Asked& asked, std::uint32_t service) noexcept {
  if (asked.query.edns.client_subnet.empty()) return false;
  const auto& answers = asked.snapshot.services[service].answers;
  return answers == nullptr || answers->uses_client_subnet();
}

// What `_geo` says, in a buffer of its own: it differs for each client.
class GeoText {
 public:
  GeoText(const Asked& asked, std::uint32_t service) noexcept : asked_(asked), service_(service) {}

  [[nodiscard]] RecordBytes write() noexcept {
    const bool has_subnet = uses_client_subnet(asked_, service_);
    const geo::Prefix prefix =
        has_subnet ? asked_.query.edns.subnet
                   : geo::Prefix{asked_.client, static_cast<std::uint8_t>(asked_.client.bits())};
    const bool is_hidden = has_subnet && prefix.length == 0;  // RFC 7871 §7.1.2
    const geo::Location location = is_hidden ? geo::Location{} : locate(prefix.address);
    add("v=demarc1 source={}", has_subnet                    ? "ecs"
                               : asked_.worker.is_spoken_for ? "proxy"
                                                             : "socket");
    add_prefix(prefix);
    add(" country={}", location.country.known() ? location.country.text() : "-");
    add(" subdivision={}",
        location.subdivision.empty() ? std::string_view("-") : location.subdivision);
    add(" asn={}", location.asn);
    add(" region={}", region(is_hidden, prefix.address));
    bytes_[rr_rdata_at] = static_cast<std::uint8_t>(size_);
    write_head();
    return {{bytes_.data(), rr_rdata_at + 1 + size_}, 1, 0};
  }

 private:
  static constexpr std::size_t string_size_max = 255;

  template <typename... Args>
  void add(fmt::format_string<Args...> text, Args&&... args) noexcept {
    const auto out =
        fmt::format_to_n(reinterpret_cast<char*>(bytes_.data()) + rr_rdata_at + 1 + size_,
                         string_size_max - size_, text, std::forward<Args>(args)...);
    size_ = std::min(size_ + out.size, string_size_max);
  }

  void add_prefix(const geo::Prefix& prefix) noexcept {
    std::array<char, INET6_ADDRSTRLEN> text{};
    const int family = prefix.address.family == geo::Family::ipv4 ? AF_INET : AF_INET6;
    inet_ntop(family, prefix.address.bytes.data(), text.data(), text.size());
    add(" prefix={}/{}", std::string_view(text.data()), prefix.length);
  }

  void write_head() noexcept {
    put16(bytes_.data(), 0xc000 | header_size);
    put16(bytes_.data() + 2, rrtype::txt);
    put16(bytes_.data() + 4, rrclass::in);
    put32(bytes_.data() + rr_ttl_at, 0);
    put16(bytes_.data() + rr_rdata_at - 2, 1 + size_);
  }

  [[nodiscard]] geo::Location locate(const geo::Address& address) const noexcept {
    const OperatorView& view = *asked_.snapshot.operators;
    if (view.databases == nullptr) return {};
    return view.databases->find(address, view.overrides ? *view.overrides : no_overrides);
  }

  // By the tables that the answers come from, so that the two agree.
  [[nodiscard]] std::string_view region(bool is_hidden,
                                        const geo::Address& address) const noexcept {
    const Snapshot& snapshot = asked_.snapshot;
    const ServiceSlot& slot = snapshot.services[service_];
    if (slot.answers == nullptr) return "servfail";
    const ViewTable& view = (*snapshot.views)[zones::index_of(slot.answers->view())];
    const geo::ClassId at = is_hidden || !view.tells_clients_apart
                                ? geo::ClassId{0}
                                : snapshot.locations->find(address).location_class;
    const ServiceTexts& texts = snapshot.operators->services[service_];
    const auto& regions =
        is_under_grant(slot, asked_.worker) ? texts.regions : texts.fenced_regions;
    if (at >= view.variant_of_class.size()) return "servfail";
    const zones::VariantId variant = view.variant_of_class[at];
    return variant < regions.size() ? std::string_view(regions[variant]) : "-";
  }

  const Asked& asked_;
  std::uint32_t service_;
  std::size_t size_ = 0;
  std::array<std::uint8_t, rr_rdata_at + 1 + string_size_max> bytes_;
};

// Over TCP nobody forges an address: those are always answered.
bool may_look_up(const Asked& asked) noexcept {
  Worker& worker = asked.worker;
  const std::int64_t second = worker.now.monotonic_ms / 1000;
  if (second != worker.geo_second) {
    worker.geo_second = second;
    worker.geo_lookups = 0;
  }
  return ++worker.geo_lookups <= geo_lookups_max;
}

void add_geo(const Asked& asked, std::uint32_t service, Reply& reply) noexcept {
  if (reply.is_datagram() && !may_look_up(asked)) return reply.truncate();
  if (uses_client_subnet(asked, service)) reply.set_scope(asked.query.edns.subnet.length);
  GeoText text(asked, service);
  add_records(asked, text.write(), reply);
}

// The service whose name follows the QNAME's first label.
const Node* find_service(const Asked& asked) noexcept {
  const ZoneTable& zones = *asked.snapshot.zones;
  const auto id = zones.find_suffix(asked.query.qname, 1);
  if (!id || !zones.node(*id).has(Node::is_service)) return nullptr;
  return &zones.node(*id);
}

bool add_operator_name(const Asked& asked, Kind kind, Reply& reply) noexcept {
  const OperatorView* const view = asked.snapshot.operators.get();
  const Node* const service = view != nullptr ? find_service(asked) : nullptr;
  if (service == nullptr || service->zone >= view->zones.size() ||
      service->special >= view->services.size()) {
    return false;
  }
  const zones::OperatorNames& names = view->zones[service->zone];
  const bool may_ask =
      is_switched_on(names, kind) &&
      std::ranges::any_of(names.allow, [&](const auto& net) { return net.contains(asked.client); });
  if (!may_ask) return false;
  const ServiceTexts& texts = view->services[service->special];
  if (!asks_for_text(asked)) {
    add_nodata(asked, service->zone, reply);
  } else if (kind == Kind::geo) {
    add_geo(asked, service->special, reply);
  } else if (kind == Kind::health) {
    add_records(asked, texts.health.records(), reply);
  } else {
    const ServiceSlot& slot = asked.snapshot.services[service->special];
    const bool is_live = !texts.gate_live.empty() && is_under_grant(slot, asked.worker);
    add_records(asked, (is_live ? texts.gate_live : texts.gate_home).records(), reply);
  }
  return true;
}

bool add_challenge(const Asked& asked, std::uint32_t zone, Reply& reply) noexcept {
  if (asked.snapshot.challenges == nullptr) return false;
  const auto found = asked.snapshot.challenges->find(as_text(asked.query.qname.suffix(0)));
  if (found == asked.snapshot.challenges->end()) return false;
  if (asks_for_text(asked)) {
    add_records(asked, found->second.records(), reply);
  } else {
    add_nodata(asked, zone, reply);
  }
  return true;
}

}  // namespace

bool may_be_local(const Match& match, const Node& node) noexcept {
  return match.kind != MatchKind::exact ||
         (node.entry_count == 0 && !node.has(Node::is_service) && !node.is_mode());
}

bool add_local_name(const Asked& asked, std::uint32_t zone, Reply& reply) noexcept {
  switch (const Kind kind = kind_of(asked.query.qname)) {
    case Kind::none:
      return false;
    case Kind::challenge:
      return add_challenge(asked, zone, reply);
    case Kind::geo:
    case Kind::health:
    case Kind::gate:
      return add_operator_name(asked, kind, reply);
  }
  return false;
}

}  // namespace demarc::dns
