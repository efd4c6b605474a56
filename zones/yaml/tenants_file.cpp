#include "zones/yaml/tenants_file.h"

namespace demarc::zones::yaml {
namespace {

constexpr std::size_t regions_of_line_max = 100;
constexpr std::size_t services_max = 100'000;

class LineReader {
 public:
  explicit LineReader(const Reading& reading) : reading_(reading) {}

  /// Nothing where it is no map; then that has been said.
  bool read(const Key& service, const Key& tenant, const Node& node, TenantEntry& entry) const {
    entry.service = {service.text, service.at};
    entry.tenant = {tenant.text, tenant.at};
    entry.words.fill({});
    entry.at.fill(node.at);
    return read_map(reading_, node, "tenant",
                    {text(entry, "home", TenantWord::home),
                     text(entry, "residency", TenantWord::residency),
                     {"region", Presence::optional,
                      [&](const Node& value) { read_regions(value, entry); }},
                     text(entry, "regulated", TenantWord::regulated),
                     text(entry, "sensitivity", TenantWord::sensitivity)});
  }

 private:
  [[nodiscard]] Field text(TenantEntry& entry, std::string_view key, TenantWord word) const {
    const auto presence = word == TenantWord::home ? Presence::required : Presence::optional;
    return {key, presence, [this, key, word, &entry](const Node& value) {
              const auto at = static_cast<std::size_t>(word);
              entry.at[at] = value.at;
              if (auto read = read_text(reading_, value, key)) entry.words[at] = std::move(*read);
            }};
  }

  /// As the CSV has them: with a blank between.
  void read_regions(const Node& node, TenantEntry& entry) const {
    const auto at = static_cast<std::size_t>(TenantWord::region);
    entry.at[at] = node.at;
    read_one_or_list(reading_, node, "region", regions_of_line_max, [&](const Node& item) {
      const auto region = read_identifier(reading_, item, "region");
      if (!region) return;
      if (!entry.words[at].empty()) entry.words[at] += ' ';
      entry.words[at] += region->value;
    });
  }

  const Reading& reading_;
};

void read_files(const Reading& reading, const Node& node, TenantsOfService& service) {
  read_one_or_list(reading, node, "files", tenant_files_max, [&](const Node& item) {
    if (auto path = read_text(reading, item, "file")) service.files.push_back({*path, item.at});
  });
}

}  // namespace

std::vector<TenantsOfService> read_tenants_file(
    const Reading& reading, std::string_view text,
    const std::function<void(const TenantEntry&)>& take) {
  const LineReader reader(reading);
  TenantEntry entry;
  const EntryStream stream{.below = "tenants",
                           .take = [&](const Key& service, const Key& tenant, const Node& line) {
                             const auto errors = reading.diagnostics.error_count();
                             if (!reader.read(service, tenant, line, entry)) return;
                             if (reading.diagnostics.error_count() == errors) take(entry);
                           }};
  const auto tree =
      parse_syntax(text, reading.file, reading.diagnostics, stream, tenants_yaml_bytes_max);
  std::vector<TenantsOfService> services;
  if (!tree) return services;
  read_named(reading, *tree, "tenants.yaml", services_max, [&](const Key& key, const Node& value) {
    TenantsOfService service{.service = {key.text, key.at}, .files = {}};
    read_map(reading, value, "service",
             {{"files", Presence::optional,
               [&](const Node& node) { read_files(reading, node, service); }},
              {"tenants", Presence::optional, [&](const Node& node) {
                 // Its entries were handed over already; anything else is not what it should be.
                 if (node.kind == NodeKind::map) return;
                 reading.error(node.at, "wrong-type",
                               "tenants is {}; expected a map of tenants to their lines",
                               to_text(node.kind));
               }}});
    services.push_back(std::move(service));
  });
  return services;
}

}  // namespace demarc::zones::yaml
