#include "zones/yaml/zone_file.h"

#include "zones/yaml/operator_names_file.h"

namespace demarc::zones::yaml {
namespace {

void read_text_at(const Reading& reading, const Node& node, std::string_view what, TextAt& target) {
  if (auto text = read_text(reading, node, what)) target = {std::move(*text), node.at};
}

void read_texts(const Reading& reading, const Node& node, std::string_view what,
                std::size_t items_max, std::vector<TextAt>& target) {
  read_one_or_list(reading, node, what, items_max, [&](const Node& item) {
    TextAt text;
    read_text_at(reading, item, what, text);
    if (!text.value.empty()) target.push_back(std::move(text));
  });
}

void read_soa(const Reading& reading, const Node& node, SoaEntry& soa) {
  soa.at = node.at;
  const auto seconds = [&reading](std::uint32_t& target, std::string_view what) {
    return [&reading, &target, what](const Node& value) {
      assign(target, read_ttl(reading, value, what));
    };
  };
  read_map(reading, node, "soa",
           {{"primary", Presence::required,
             [&](const Node& value) { read_text_at(reading, value, "primary", soa.primary); }},
            {"contact", Presence::required,
             [&](const Node& value) { read_text_at(reading, value, "contact", soa.contact); }},
            {"serial", Presence::optional,
             [&](const Node& value) {
               assign(soa.serial, read_integer(reading, value, "serial", {0, 0xffffffff}));
             }},
            {"refresh", Presence::optional, seconds(soa.refresh, "refresh")},
            {"retry", Presence::optional, seconds(soa.retry, "retry")},
            {"expire", Presence::optional, seconds(soa.expire, "expire")},
            {"negative-ttl", Presence::optional, seconds(soa.negative_ttl, "negative-ttl")}});
}

/// The value of a type: RDATA, a list of RDATA, or a map with `ttl` and `data`.
void read_rrset(const Reading& reading, const TextAt& owner, const Key& type, const Node& node,
                std::vector<StaticEntry>& records) {
  StaticEntry entry{.owner = owner, .type = {type.text, type.at}, .ttl = {}, .data = {}};
  const auto read_data = [&](const Node& value) {
    read_texts(reading, value, "data", rdata_per_rrset_max, entry.data);
  };
  if (node.kind == NodeKind::map) {
    read_map(reading, node, "RRset",
             {{"ttl", Presence::optional,
               [&](const Node& value) { entry.ttl = read_ttl(reading, value, "ttl"); }},
              {"data", Presence::required, read_data}});
  } else {
    read_data(node);
  }
  records.push_back(std::move(entry));
}

void read_records(const Reading& reading, const Node& node, std::vector<StaticEntry>& records) {
  read_named(reading, node, "records", owners_max, [&](const Key& owner, const Node& types) {
    const TextAt owner_at{owner.text, owner.at};
    read_named(reading, types, "record types", types_per_owner_max,
               [&](const Key& type, const Node& value) {
                 read_rrset(reading, owner_at, type, value, records);
               });
  });
}

}  // namespace

ZoneFile read_zone_file(const Reading& reading, const Node& root) {
  ZoneFile zone;
  zone.at = root.at;
  read_map(reading, root, "zone file",
           {{"zone", Presence::required,
             [&](const Node& value) { read_text_at(reading, value, "zone", zone.zone); }},
            {"ttl", Presence::optional,
             [&](const Node& value) { assign(zone.ttl, read_ttl(reading, value, "ttl")); }},
            {"soa", Presence::optional,
             [&](const Node& value) { read_soa(reading, value, zone.soa.emplace()); }},
            {"nameservers", Presence::optional,
             [&](const Node& value) {
               read_texts(reading, value, "nameservers", nameservers_max, zone.nameservers);
             }},
            {"include", Presence::optional,
             [&](const Node& value) {
               read_texts(reading, value, "include", includes_max, zone.includes);
             }},
            {"records", Presence::optional,
             [&](const Node& value) { read_records(reading, value, zone.records); }},
            {"transfer", Presence::optional,
             [&](const Node& value) { zone.transfer = read_transfer(reading, value); }},
            {"operator-names", Presence::optional,
             [&](const Node& value) { zone.operator_names = read_operator_names(reading, value); }},
            {"services", Presence::optional, [&](const Node& value) {
               read_named(reading, value, "services", services_per_zone_max,
                          [&](const Key& label, const Node& body) {
                            zone.services.push_back(read_service(reading, label, body));
                          });
             }}});
  return zone;
}

}  // namespace demarc::zones::yaml
