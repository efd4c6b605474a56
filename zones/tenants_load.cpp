#include "zones/tenants_load.h"

#include <algorithm>
#include <map>
#include <unordered_map>
#include <utility>

#include <fmt/format.h>

#include "zones/digest.h"
#include "zones/tenant_classes.h"
#include "zones/tenant_rules.h"
#include "zones/tenants_csv.h"
#include "zones/yaml/tenants_file.h"

namespace demarc::zones {
namespace {

constexpr std::size_t label_bytes_max = 63;
constexpr std::size_t name_bytes_max = 255;
// What a class's own name adds to the service's: a label and "_tenants".
constexpr std::size_t class_name_bytes = 64 + 9;
// Sorts of lines that are remembered: more than any good file has.
constexpr std::size_t sorts_max = 65'536;

struct TextHash {
  using is_transparent = void;
  std::size_t operator()(std::string_view text) const noexcept {
    return std::hash<std::string_view>{}(text);
  }
};
using Sorts = std::unordered_map<std::string, TenantSort, TextHash, std::equal_to<>>;

/// Lower case in place; false unless it is letters, digits and inner hyphens.
bool read_label(std::string_view text, std::string& label) {
  label.assign(text);
  for (char& letter : label) {
    if (letter >= 'A' && letter <= 'Z') letter = static_cast<char>(letter - 'A' + 'a');
    const bool is_good = (letter >= 'a' && letter <= 'z') || (letter >= '0' && letter <= '9');
    if (!is_good && letter != '-') return false;
  }
  return !label.empty() && label.size() <= label_bytes_max && !label.starts_with('-') &&
         !label.ends_with('-');
}

class TenantsLoader {
 public:
  TenantsLoader(yaml::RepositoryFiles& files, Repository& repository, Diagnostics& diagnostics)
      : files_(files),
        repository_(repository),
        diagnostics_(diagnostics),
        errors_before_(diagnostics.error_count()),
        classes_(repository, builder_) {}

  void load() {
    const std::string file = "tenants.yaml";
    // Sets are in the order of services, whatever the order of the file.
    for (std::size_t i = 0; i < repository_.services.size(); ++i) {
      const Service& service = repository_.services[i];
      if (service.home_kind != HomeKind::tenant) continue;
      (void)builder_.set_of(static_cast<ServiceId>(i),
                            service.tenant_naming.value_or(TenantNaming{}));
      check_name(service);
    }
    read_yaml(file);
    finish();
  }

 private:
  struct LineText {
    std::string_view text;
    const TenantWords& words;
  };

  void read_yaml(const std::string& file) {
    const auto text = files_.read(file, yaml::tenants_yaml_bytes_max + 1);
    if (!text) {
      diagnostics_.error({file, 0, 0}, "unreadable-file", "{}", text.error());
      return;
    }
    begin_file(file);
    const yaml::Reading reading{file, diagnostics_};
    const auto services = yaml::read_tenants_file(
        reading, *text, [this](const yaml::TenantEntry& entry) { take_entry(entry); });
    end_file();
    for (const yaml::TenantsOfService& service : services) {
      const auto id = find_service(service.service);
      for (const yaml::TextAt& path : service.files) {
        if (id) read_csv(*id, path);
      }
    }
  }

  void check_name(const Service& service) {
    if (service.owner.wire().size() + class_name_bytes <= name_bytes_max) return;
    diagnostics_.error(service.place, "tenant-service-name-too-long",
                       "service `{}` with tenants has a name of {} bytes; expected at most {}",
                       service.label, service.owner.wire().size(),
                       name_bytes_max - class_name_bytes);
  }

  /// By owner, once a service: what is wrong is said once.
  std::optional<ServiceId> find_service(const yaml::TextAt& text) {
    const auto known = services_.find(text.value);
    if (known != services_.end()) return known->second;
    const auto name = Name::parse_absolute(text.value);
    auto id = name ? repository_.find_service(*name) : std::nullopt;
    const Place place{"tenants.yaml", text.at.line, text.at.column};
    if (!id && errors_before_ == 0) {
      diagnostics_.error(place, "unknown-service",
                         "no service `{}`; expected the absolute name of one", text.value);
    } else if (id && repository_.service(*id).home_kind != HomeKind::tenant) {
      diagnostics_.error(place, "service-without-tenants",
                         "service `{}` has no `home: tenant`; expected one that has", text.value);
      id.reset();
    }
    services_[text.value] = id;
    return id;
  }

  void take_entry(const yaml::TenantEntry& entry) {
    const auto service = find_service(entry.service);
    if (!service) return;
    std::string joined;
    for (const std::string& word : entry.words) joined += word + ',';
    TenantWords words;
    std::ranges::copy(entry.words, words.begin());
    const auto place_of = [&](TenantWord word) {
      const yaml::Position at = entry.at[static_cast<std::size_t>(word)];
      return Place{file_, at.line, at.column};
    };
    const PlaceMaker place = [&] {
      return Place{file_, entry.tenant.at.line, entry.tenant.at.column};
    };
    const auto spot = spot_at(entry.tenant.at.line, entry.tenant.at.column);
    Sorts& sorts = sorts_[{*service, 0}];
    TenantSort* const sort = sort_of(sorts, *service, {joined, words}, place_of);
    if (sort != nullptr) add(*sort, entry.tenant.value, place, spot, place_of);
  }

  void read_csv(ServiceId service, const yaml::TextAt& path) {
    const Place place{"tenants.yaml", path.at.line, path.at.column};
    const auto text = files_.read(path.value, tenants_csv_bytes_max);
    if (!text) {
      diagnostics_.error(place, "unreadable-file", "{}: {}", path.value, text.error());
      return;
    }
    begin_file(path.value);
    bool has_sensitivity = false;
    (void)read_tenant_rows(*text, file_, diagnostics_, has_sensitivity,
                           [&](const TenantRow& row) { take_row(service, row, has_sensitivity); });
    end_file();
  }

  void take_row(ServiceId service, const TenantRow& row, bool has_sensitivity) {
    const auto place_of = [&](TenantWord word) {
      std::size_t column = row.tenant.size() + 2;
      std::string_view rest = row.rest;
      for (std::size_t i = 0; i < static_cast<std::size_t>(word); ++i) {
        const std::size_t comma = rest.find(',');
        if (comma == std::string_view::npos) break;
        column += comma + 1;
        rest.remove_prefix(comma + 1);
      }
      return Place{file_, row.line, column};
    };
    Sorts& sorts = sorts_[{service, has_sensitivity ? 6 : 5}];
    const auto known = sorts.find(row.rest);
    TenantSort* sort = known == sorts.end() ? nullptr : &known->second;
    if (sort == nullptr) {
      TenantWords words;
      if (!split_words(row.rest, has_sensitivity, words)) {
        return report({file_, row.line, 1}, "csv-columns",
                      fmt::format("a line that has not {} columns; expected those of the header",
                                  has_sensitivity ? 6 : 5));
      }
      sort = sort_of(sorts, service, {row.rest, words}, place_of);
      if (sort == nullptr) return;
    }
    const PlaceMaker place = [&] { return Place{file_, row.line, 1}; };
    add(*sort, row.tenant, place, spot_at(row.line, 1), place_of);
  }

  template <typename PlaceOf>
  TenantSort* sort_of(Sorts& sorts, ServiceId service, const LineText& line,
                      const PlaceOf& place_of) {
    if (const auto known = sorts.find(line.text); known != sorts.end()) return &known->second;
    auto sort = classes_.resolve(service, line.words);
    if (!sort) {
      report(place_of(sort.error().word), sort.error().rule, sort.error().text);
      return nullptr;
    }
    if (sorts.size() == sorts_max) sorts.clear();
    sort->set = builder_.set_of(service, {});
    return &sorts.emplace(std::string(line.text), std::move(*sort)).first->second;
  }

  template <typename PlaceOf>
  void add(TenantSort& sort, std::string_view tenant, const PlaceMaker& place, TenantSpot spot,
           const PlaceOf& place_of) {
    if (!read_label(tenant, label_)) {
      return report(place(), "bad-tenant-name",
                    fmt::format("tenant is `{}`; expected 1 to {} letters, digits and inner "
                                "hyphens",
                                tenant.substr(0, 2 * label_bytes_max), label_bytes_max));
    }
    const auto kind = classes_.kind_of(sort, label_, place);
    if (!kind) return report(place_of(kind.error().word), kind.error().rule, kind.error().text);
    if (!builder_.add(sort.set, label_, *kind, spot)) {
      report(place(), "too-many-tenants",
             fmt::format("one more tenant; expected at most {}", tenants_max));
    }
  }

  void begin_file(const std::string& file) {
    file_ = file;
    file_names_.push_back(file);
    findings_ = 0;
  }

  void end_file() {
    if (findings_ <= tenant_findings_max) return;
    diagnostics_.error({file_, 0, 0}, "more-findings", "{} more findings; expected none",
                       findings_ - tenant_findings_max);
  }

  void report(const Place& place, const std::string& rule, const std::string& text) {
    if (++findings_ > tenant_findings_max) return;
    diagnostics_.error(place, rule, "{}", text);
  }

  [[nodiscard]] TenantSpot spot_at(std::size_t line, std::size_t column) const {
    return {static_cast<std::uint32_t>(line), static_cast<std::uint16_t>(file_names_.size() - 1),
            static_cast<std::uint16_t>(std::min<std::size_t>(column, 0xffff))};
  }

  [[nodiscard]] Place place_of(TenantSpot spot) const {
    return {file_names_.at(spot.file), spot.line, spot.column};
  }

  void report_clashes(const std::vector<TenantMapBuilder::Clash>& clashes) {
    for (const TenantMapBuilder::Clash& clash : clashes) {
      const Place first = place_of(clash.first);
      const Place second = place_of(clash.second);
      if (clash.is_label) {
        diagnostics_.error(second, "tenant-label-taken",
                           "tenant `{}` is the opaque label of the one in {}:{}; expected another "
                           "name",
                           clash.name, first.file, first.line);
      } else {
        diagnostics_.error(second, "tenant-twice",
                           "tenant `{}` again, first in {}:{}; expected one line a tenant",
                           clash.name, first.file, first.line);
      }
    }
  }

  void finish() {
    const auto clashes = builder_.order_lines(tenant_findings_max);
    report_clashes(clashes);
    if (diagnostics_.error_count() != errors_before_) return;
    const TenantMap& map = builder_.finish(repository_);
    report_clashes(builder_.label_clashes());
    check_tenant_names(repository_, map, diagnostics_,
                       [this](TenantId id) { return place_of(builder_.spot_of(id)); });
    if (diagnostics_.error_count() != errors_before_) return;
    for (std::size_t set = 0; set < map.set_count(); ++set) {
      const Service& service = repository_.service(map.service_of(set));
      Zone& zone = repository_.zones[service.zone];
      const std::string key = service.tenant_naming ? service.tenant_naming->key : std::string{};
      zone.digest = sha256_hex(zone.digest + map.digest() + sha256_hex(key));
    }
    repository_.tenants = std::make_shared<const TenantMap>(builder_.take());
  }

  yaml::RepositoryFiles& files_;
  Repository& repository_;
  Diagnostics& diagnostics_;
  std::size_t errors_before_;
  TenantMapBuilder builder_;
  TenantClasses classes_;
  std::map<std::string, std::optional<ServiceId>> services_;
  // By service and columns: the same text means another thing in another format.
  std::map<std::pair<ServiceId, std::size_t>, Sorts> sorts_;
  std::string file_;
  std::vector<std::string> file_names_;
  std::size_t findings_ = 0;
  std::string label_;
};

}  // namespace

void load_tenants(yaml::RepositoryFiles& files, Repository& repository, Diagnostics& diagnostics) {
  TenantsLoader(files, repository, diagnostics).load();
}

}  // namespace demarc::zones
