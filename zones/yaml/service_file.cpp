#include "zones/yaml/service_file.h"

#include <algorithm>

#include "zones/yaml/https_file.h"
#include "zones/yaml/route_file.h"

namespace demarc::zones::yaml {
namespace {

void read_addresses(const Reading& reading, const Node& node, RecordEntry& record) {
  read_one_or_list(reading, node, "addresses", addresses_max, [&](const Node& item) {
    const auto address = read_address(reading, item);
    if (!address) return;
    if (std::ranges::find(record.addresses, *address) != record.addresses.end()) {
      reading.error(item.at, "address-twice", "address {} again; expected it once in a record",
                    geo::to_text(*address));
      return;
    }
    record.addresses.push_back(*address);
  });
}

void read_record(const Reading& reading, const Node& node, std::vector<RecordEntry>& records) {
  RecordEntry record;
  record.at = node.at;
  const bool is_map = read_map(
      reading, node, "record",
      {{"region", Presence::required,
        [&](const Node& value) {
          assign(record.region, read_identifier(reading, value, "region"));
        }},
       {"weight", Presence::required,
        [&](const Node& value) {
          assign(record.weight, read_integer(reading, value, "weight", {0, weight_max}));
        }},
       {"endpoint", Presence::required,
        [&](const Node& value) {
          if (auto text = read_text(reading, value, "endpoint")) {
            record.endpoint = {std::move(*text), value.at};
          }
        }},
       {"capacity", Presence::optional,
        [&](const Node& value) { record.capacity = read_percent(reading, value, "capacity"); }},
       {"jurisdiction", Presence::optional,
        [&](const Node& value) {
          if (auto name = read_identifier(reading, value, "jurisdiction")) {
            record.jurisdiction = std::move(*name);
          }
        }},
       {"addresses", Presence::optional,
        [&](const Node& value) { read_addresses(reading, value, record); }}});
  if (is_map) records.push_back(std::move(record));
}

/// `one`, `all` or a number.
void read_answers(const Reading& reading, const Node& node, At<std::size_t>& answers) {
  answers.at = node.at;
  const auto text = read_text(reading, node, "answers");
  if (!text) return;
  const auto number = parse_integer(*text);
  if (*text == "one") {
    answers.value = 1;
  } else if (*text == "all") {
    answers.value = answers_all;
  } else if (number && *number >= 1 && *number <= records_max) {
    answers.value = *number;
  } else {
    reading.error(node.at, "bad-choice",
                  "answers is `{}`; expected one, all or an integer from 1 to {}", *text,
                  records_max);
  }
}

void read_home(const Reading& reading, const Node& node, ServiceEntry& service) {
  auto home = read_identifier(reading, node, "home");
  if (home) service.home = std::move(*home);
}

void read_tenants(const Reading& reading, const Node& node, ServiceEntry& service) {
  TenantNamingEntry naming;
  naming.at = node.at;
  const bool is_map = read_map(
      reading, node, "tenants",
      {{"labels", Presence::optional,
        [&](const Node& value) {
          assign(naming.labels, read_choice<TenantLabels>(reading, value, "labels",
                                                          {{"opaque", TenantLabels::opaque},
                                                           {"plain", TenantLabels::plain},
                                                           {"both", TenantLabels::both}}));
        }},
       {"key", Presence::optional, [&](const Node& value) {
          if (auto text = read_text(reading, value, "key")) {
            naming.key = TextAt{std::move(*text), value.at};
          }
        }}});
  if (is_map) service.tenants = std::move(naming);
}

std::optional<unsigned> read_quorum(const Reading& reading, const Node& node) {
  const auto text = read_text(reading, node, "quorum");
  if (!text) return std::nullopt;
  if (*text == "all") return quorum_all;
  if (*text == "any") return 1;
  const auto quorum = parse_integer(*text);
  if (quorum && *quorum >= 1 && *quorum <= checks_max) return static_cast<unsigned>(*quorum);
  reading.error(node.at, "bad-quorum",
                "quorum is `{}`; expected `any`, `all` or an integer from 1 to {}", *text,
                checks_max);
  return std::nullopt;
}

}  // namespace

ServiceEntry read_service(const Reading& reading, const Key& label, const Node& body) {
  ServiceEntry service;
  service.label = {label.text, label.at};
  service.at = body.at;
  const auto text_at = [&reading](std::optional<TextAt>& target, std::string_view what) {
    return [&reading, &target, what](const Node& value) {
      if (auto text = read_text(reading, value, what)) target = TextAt{std::move(*text), value.at};
    };
  };
  read_map(
      reading, body, "service",
      {{"ttl", Presence::optional,
        [&](const Node& value) { assign(service.ttl, read_ttl(reading, value, "ttl")); }},
       {"ttl-min", Presence::optional,
        [&](const Node& value) {
          const auto ttl = read_ttl(reading, value, "ttl-min");
          if (ttl) service.ttl_min = At<std::uint32_t>{*ttl, value.at};
        }},
       {"residency", Presence::optional,
        [&](const Node& value) {
          // Hard until it is read: a slip in this word must not open the border.
          const auto residency = read_choice<Residency>(
              reading, value, "residency",
              {{"none", Residency::none}, {"soft", Residency::soft}, {"hard", Residency::hard}});
          service.residency = {residency.value_or(Residency::hard),
                               residency ? value.at : Position{}};
        }},
       {"home", Presence::optional, [&](const Node& value) { read_home(reading, value, service); }},
       {"default-home", Presence::optional, text_at(service.default_home, "default-home")},
       {"access", Presence::optional,
        [&](const Node& value) {
          const auto access = read_choice<Access>(reading, value, "access",
                                                  {{"read", Access::read},
                                                   {"scoped-write", Access::scoped_write},
                                                   {"write", Access::write}});
          service.access = At<Access>{access.value_or(Access::write), value.at};
        }},
       {"route", Presence::optional,
        [&](const Node& value) { service.route = read_route(reading, value); }},
       {"answers", Presence::optional,
        [&](const Node& value) { read_answers(reading, value, service.answers); }},
       {"records", Presence::required,
        [&](const Node& value) {
          read_list(reading, value, "records", records_max,
                    [&](const Node& item) { read_record(reading, item, service.records); });
        }},
       {"health-checks", Presence::optional,
        [&](const Node& value) {
          read_list(reading, value, "health-checks", checks_max,
                    [&](const Node& item) { service.checks.push_back(read_check(reading, item)); });
        }},
       {"quorum", Presence::optional,
        [&](const Node& value) {
          if (const auto quorum = read_quorum(reading, value)) {
            service.quorum = At<unsigned>{*quorum, value.at};
          }
        }},
       {"degraded-weight", Presence::optional,
        [&](const Node& value) {
          service.degraded_weight = read_share(reading, value, "degraded-weight", 1);
        }},
       {"activation", Presence::optional,
        [&](const Node& value) { service.activation = read_activation(reading, value); }},
       {"leash", Presence::optional,
        [&](const Node& value) { service.leash = read_leash(reading, value); }},
       {"on-block", Presence::optional, text_at(service.on_block, "on-block")},
       {"tenants", Presence::optional,
        [&](const Node& value) { read_tenants(reading, value, service); }},
       {"sticky", Presence::optional,
        [&](const Node& value) {
          assign(service.is_sticky,
                 read_choice<bool>(reading, value, "sticky", {{"none", false}, {"client", true}}));
        }},
       {"client-subnet", Presence::optional,
        [&](const Node& value) {
          assign(service.uses_client_subnet, read_choice<bool>(reading, value, "client-subnet",
                                                               {{"use", true}, {"ignore", false}}));
        }},
       {"https", Presence::optional,
        [&](const Node& value) { service.https = read_https(reading, value); }}});
  return service;
}

}  // namespace demarc::zones::yaml
