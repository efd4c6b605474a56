#include "dns/steered_reply.h"

#include <algorithm>
#include <optional>

#include "dns/rendered_layout.h"
#include "dns/sticky_draw.h"

namespace demarc::dns {

namespace {

/// Between our clock reading and the resolver's start of the TTL, there is our own way out.
constexpr std::int64_t ttl_margin_ms = 100;

constexpr ExtendedError not_ready_error{14, {}};  // RFC 8914 §4.15
constexpr ExtendedError held_error{49152, "held at the border"};
constexpr ExtendedError exception_error{49153, "exception active"};
constexpr ExtendedError all_down_error{49154, "all endpoints down"};

SteeredType steered_type(std::uint16_t qtype) noexcept {
  if (qtype == rrtype::a) return SteeredType::a;
  if (qtype == rrtype::aaaa) return SteeredType::aaaa;
  return qtype == rrtype::https ? SteeredType::https : SteeredType::other;
}

std::uint16_t type_of(const Drawn& drawn) noexcept {
  return drawn.part_count == 0 ? 0 : get16(drawn.parts[0].bytes.data() + rr_type_at);
}

std::optional<ExtendedError> error_of(zones::ChoiceNote note) noexcept {
  switch (note) {
    case zones::ChoiceNote::none:
      return std::nullopt;
    case zones::ChoiceNote::held:
      return held_error;
    case zones::ChoiceNote::exception:
      return exception_error;
    case zones::ChoiceNote::all_down:
      return all_down_error;
  }
  return std::nullopt;
}

struct Located {
  geo::ClassId location_class = 0;
  std::uint8_t scope_prefix = 0;
  std::uint64_t client = 0;  // of a sticky service
};

// SOURCE PREFIX-LENGTH 0 asks us to look at no address, not even at the resolver's (RFC 7871
// §7.1.2): it is answered as an unknown client, which is class 0.
Located find_class(const Asked& asked, const ViewTable& view, bool has_subnet) noexcept {
  const Edns& edns = asked.query.edns;
  if (!view.tells_clients_apart || (has_subnet && edns.subnet.length == 0)) return {};
  const geo::LocationTable& locations = *asked.snapshot.locations;
  const geo::Found found = locations.find(has_subnet ? edns.subnet.address : asked.client);
  Located located{found.location_class, 0, 0};
  if (has_subnet && found.block < view.scopes.size()) {
    const unsigned scope = unsigned{view.scopes[found.block]} + found.scope_offset;
    located.scope_prefix = static_cast<std::uint8_t>(std::min(scope, edns.subnet.address.bits()));
  }
  return located;
}

Located locate(const Asked& asked, const ViewTable& view, const ServiceAnswers& answers) noexcept {
  const Edns& edns = asked.query.edns;
  const bool has_subnet = !edns.client_subnet.empty() && answers.uses_client_subnet();
  Located located = find_class(asked, view, has_subnet);
  if (!answers.is_sticky()) [[likely]]
    return located;
  const auto bits = static_cast<std::uint8_t>(asked.client.bits());
  const StickyClient kept =
      sticky_client(has_subnet ? edns.subnet : geo::Prefix{asked.client, bits});
  located.client = kept.hash;
  if (has_subnet) located.scope_prefix = std::max(located.scope_prefix, kept.length);
  return located;
}

struct Chosen {
  const ServiceAnswers::Choice* choice = nullptr;
  std::optional<std::uint32_t> ttl_max;  // of a choice that needs a grant, or may be another soon
};

// How long the grants of a slot still live, as a TTL; nothing: they have ended, or it has none.
std::optional<std::uint32_t> ttl_left(const ServiceSlot& slot, const Worker& worker) noexcept {
  if (slot.wall_end_ms == never_ms) return std::nullopt;  // there is no grant to rely on
  const std::int64_t left_ms = std::min(slot.wall_end_ms - worker.now.wall_ms,
                                        slot.monotonic_end_ms - worker.now.monotonic_ms);
  if (left_ms <= clock_lag_max_ms) return std::nullopt;
  const std::int64_t ttl = std::max<std::int64_t>(left_ms - ttl_margin_ms, 0) / 1000;
  return static_cast<std::uint32_t>(std::min<std::int64_t>(ttl, 0x7fff'ffff));
}

// Which percent of a max-share a query is of: a client that keeps its answer keeps this as well.
std::uint32_t percent_of(const ServiceAnswers& answers, std::uint64_t client,
                         Random& random) noexcept {
  constexpr std::uint64_t share_salt = 0x7368'6172'65;  // no record's hash
  const std::uint64_t bits = answers.is_sticky() ? spread_bits(client ^ share_salt) : random.next();
  return scaled(static_cast<std::uint32_t>(bits >> 32), 100);
}

// How long an answer should live that may be another one soon: no longer than that is off, down to
// the service's least; where it lives longer, a part less by chance, or all caches would come back
// in the same moment.
std::uint32_t ttl_until_change(const ServiceAnswers& answers, Worker& worker) noexcept {
  constexpr std::uint32_t jitter_part = 5;
  const std::int64_t left = (answers.may_change_ms() - worker.now.wall_ms) / 1000;
  const std::int64_t least = answers.ttl_min();
  const auto ttl = static_cast<std::uint32_t>(
      std::clamp<std::int64_t>(left, least, std::max<std::int64_t>(answers.ttl(), least)));
  const std::uint32_t range = std::min(ttl / jitter_part, ttl - answers.ttl_min());
  if (range == 0) return ttl;
  return ttl - scaled(static_cast<std::uint32_t>(worker.random.next() >> 32), range + 1);
}

Chosen choose_record(const ServiceSlot& slot, std::size_t variant, std::uint64_t client,
                     Worker& worker) noexcept {
  const ServiceAnswers& answers = *slot.answers;
  const std::uint16_t fenced = answers.fenced_choice_of_variant(variant);
  const std::uint16_t now = answers.choice_of_variant(variant);
  if (now == fenced) return {&answers.choice(fenced), std::nullopt};

  const auto ttl_max = ttl_left(slot, worker);
  if (!ttl_max) {
    worker.counters.fenced.add();
    return {&answers.choice(fenced), std::nullopt};
  }
  const ServiceAnswers::Choice& choice = answers.choice(now);
  if (choice.share < 100) [[unlikely]] {
    if (percent_of(answers, client, worker.random) >= choice.share)
      return {&answers.choice(choice.otherwise), ttl_max};
  }
  return {&choice, ttl_max};
}

Chosen choose(const ServiceSlot& slot, std::size_t variant, std::uint64_t client,
              Worker& worker) noexcept {
  Chosen chosen = choose_record(slot, variant, client, worker);
  if (slot.answers->may_change_ms() != never_ms) [[unlikely]] {
    const std::uint32_t ttl = ttl_until_change(*slot.answers, worker);
    chosen.ttl_max = std::min(chosen.ttl_max.value_or(ttl), ttl);
  }
  return chosen;
}

void add_nodata(const Asked& asked, std::uint32_t zone, SteeredPlace place,
                std::optional<std::uint32_t> ttl_max, Reply& reply) noexcept {
  const ZoneTable& zones = *asked.snapshot.zones;
  const std::size_t soa_at = reply.size();
  const bool is_compressed = place.after_cname == Chain::no;
  const Answer negative = is_compressed ? zones.negative(zone) : zones.plain_negative(zone);
  const std::size_t shift =
      is_compressed ? asked.query.qname.size() - zones.apex_size(zone) : std::size_t{0};
  if (!reply.append(negative, shift)) return;
  add_serial(asked.snapshot, negative, reply);
  if (!ttl_max) return;
  reply.lower_ttl(soa_at + (is_compressed ? 2 : zones.apex_size(zone)), *ttl_max);
}

void add_slot(const Asked& asked, const ServiceSlot& slot, SteeredPlace place,
              Reply& reply) noexcept {
  if (slot.answers == nullptr) {
    reply.set_extended_error(not_ready_error);
    return reply.fail();
  }
  const ServiceAnswers& answers = *slot.answers;
  const SteeredType type = steered_type(asked.query.qtype);
  if (!answers.may_have(type)) {  // for no client: scope 0
    return add_nodata(asked, answers.zone(), place, std::nullopt, reply);
  }

  const ViewTable& view = (*asked.snapshot.views)[zones::index_of(answers.view())];
  const Located located = locate(asked, view, answers);
  if (located.location_class >= view.variant_of_class.size()) return reply.fail();
  const zones::VariantId variant = view.variant_of_class[located.location_class];
  if (variant >= answers.variant_count()) return reply.fail();
  reply.set_scope(located.scope_prefix);

  const Chosen chosen = choose(slot, variant, located.client, asked.worker);
  if (const auto error = error_of(chosen.choice->note)) reply.set_extended_error(*error);
  switch (chosen.choice->kind) {
    case zones::ChoiceKind::servfail:
      return reply.fail();
    case zones::ChoiceKind::nodata:
      return add_nodata(asked, answers.zone(), place, chosen.ttl_max, reply);
    case zones::ChoiceKind::records:
      break;
  }
  Drawn& drawn = asked.worker.drawn;
  asked.worker.counters.steered.add();
  Chance chance{asked.worker.random, asked.worker.draw_memory, located.client};
  answers.draw(*chosen.choice, type, chance, drawn);
  if (drawn.part_count == 0) {
    return add_nodata(asked, answers.zone(), place, chosen.ttl_max, reply);
  }
  const bool fits = reply.append(drawn, place.owner_at, chosen.ttl_max, answers.addresses_repeat());
  if (type == SteeredType::https && fits && type_of(drawn) == rrtype::https) {
    reply.append_hinted(drawn.parts[0], place.owner_at, chosen.ttl_max);
  }
}

// The HTTPS record of a target and the addresses that it hints at: one draw for all of them. False:
// there is none, or no room.
bool add_target_https(const Drawn& drawn, std::span<const std::uint8_t> owner,
                      std::uint16_t& owner_at, std::optional<std::uint32_t> ttl_max,
                      Reply& reply) noexcept {
  if (type_of(drawn) != rrtype::https) return false;
  const std::size_t size_before = reply.size();
  reply.append_additional(drawn, owner, owner_at, ttl_max);
  if (reply.size() == size_before) return false;
  reply.append_hinted(drawn.parts[0], owner_at, ttl_max);
  return true;
}

void add_target(const Asked& asked, const ServiceSlot& slot, std::span<const std::uint8_t> owner,
                std::uint16_t owner_at, Reply& reply) noexcept {
  if (slot.answers == nullptr) return;
  const ServiceAnswers& answers = *slot.answers;
  const ViewTable& view = (*asked.snapshot.views)[zones::index_of(answers.view())];
  const Located located = locate(asked, view, answers);
  if (located.location_class >= view.variant_of_class.size()) return;
  const zones::VariantId variant = view.variant_of_class[located.location_class];
  if (variant >= answers.variant_count()) return;
  reply.deepen_scope(located.scope_prefix);

  // One choice for both types: what is left out of one is not in the other.
  const Chosen chosen = choose(slot, variant, located.client, asked.worker);
  if (chosen.choice->kind != zones::ChoiceKind::records) return;
  Drawn& drawn = asked.worker.drawn;
  Chance chance{asked.worker.random, asked.worker.draw_memory, located.client};
  const auto draw = [&](SteeredType type) noexcept {
    answers.draw(*chosen.choice, type, chance, drawn);
  };
  if (asked.query.qtype == rrtype::https && answers.may_have(SteeredType::https)) {
    draw(SteeredType::https);
    if (add_target_https(drawn, owner, owner_at, chosen.ttl_max, reply)) return;
  }
  for (const SteeredType type : {SteeredType::a, SteeredType::aaaa}) {
    if (!answers.may_have(type)) continue;
    draw(type);
    if (type_of(drawn) == rrtype::cname) return;
    reply.append_additional(drawn, owner, owner_at, chosen.ttl_max);
  }
}

}  // namespace

void add_steered(const Asked& asked, std::uint32_t service, SteeredPlace place,
                 Reply& reply) noexcept {
  add_slot(asked, asked.snapshot.services[service], place, reply);
}

void add_target_addresses(const Asked& asked, const Answer& answer,
                          std::optional<std::size_t> shift, Reply& reply) noexcept {
  const ZoneTable& zones = *asked.snapshot.zones;
  for (std::size_t at = 0; at < answer.targets.size(); at += RenderedLayout::target_size) {
    const std::uint8_t* const target = answer.targets.data() + at;
    const std::uint16_t name_at = get16(target);
    const Node& node = zones.node(get32(target + 2));
    add_target(asked, asked.snapshot.services[node.special], zones.owner(node),
               static_cast<std::uint16_t>(name_at == 0 || !shift ? 0 : name_at + *shift), reply);
  }
}

std::optional<zones::TenantId> find_tenant(const Asked& asked, std::uint32_t service,
                                           std::size_t owner_size) noexcept {
  const NameKey& qname = asked.query.qname;
  if (asked.snapshot.tenants == nullptr || qname.suffix(1).size() != owner_size) {
    return std::nullopt;
  }
  const auto name = qname.suffix(0);
  return asked.snapshot.tenants->find_label(zones::ServiceId{service}, name.subspan(1, name[0]));
}

void add_steered_tenant(const Asked& asked, zones::TenantId tenant, Reply& reply) noexcept {
  const Snapshot& snapshot = asked.snapshot;
  if (!snapshot.tenant_slots.empty()) {
    const auto own = snapshot.tenant_slots.find(tenant);
    if (own != snapshot.tenant_slots.end()) return add_slot(asked, own->second, {}, reply);
  }
  const auto tenant_class = snapshot.tenants->kind(tenant).tenant_class;
  add_slot(asked, snapshot.services[zones::index_of(tenant_class)], {}, reply);
}

bool is_under_grant(const ServiceSlot& slot, const Worker& worker) noexcept {
  return ttl_left(slot, worker).has_value();
}

void add_mode(const Asked& asked, std::uint32_t service, Reply& reply) noexcept {
  const ServiceSlot& slot = asked.snapshot.services[service];
  if (slot.answers == nullptr) return reply.fail();
  const ServiceAnswers& answers = *slot.answers;
  const bool is_asked = asked.query.qtype == rrtype::txt || asked.query.qtype == rrtype::any;
  if (!is_asked || answers.home_mode().bytes.empty()) {
    return add_nodata(asked, answers.zone(), {}, std::nullopt, reply);
  }
  const bool has_exception = !answers.live_mode().bytes.empty();
  const auto ttl_max = has_exception ? ttl_left(slot, asked.worker) : std::nullopt;
  Drawn& drawn = asked.worker.drawn;
  drawn.parts[0] = ttl_max ? answers.live_mode() : answers.home_mode();
  drawn.part_count = 1;
  reply.append(drawn, header_size, ttl_max, false);
}

}  // namespace demarc::dns
