#include "zones/yaml/zone_model.h"

#include <algorithm>
#include <span>

#include "zones/digest.h"
#include "zones/master_file.h"
#include "zones/rdata.h"
#include "zones/yaml/service_model.h"
#include "zones/yaml/transfer_rules.h"
#include "zones/yaml/zone_rules.h"

namespace demarc::zones::yaml {
namespace {

constexpr std::size_t soa_numbers_bytes = 20;  // serial, refresh, retry, expire, minimum

void append_number(Rdata& rdata, std::uint32_t number) {
  for (const int shift : {24, 16, 8, 0}) rdata += static_cast<char>(number >> shift);
}

/// The SOA's RNAME: a mail address, whose part before the @ is one label (RFC 1035 §8), or a name.
std::optional<Name> parse_contact(std::string_view text, const Name& apex) {
  const std::size_t at = text.find('@');
  if (at == std::string_view::npos) return Name::parse(text, apex);
  const auto domain = Name::parse_absolute(text.substr(at + 1));
  std::string local;
  for (const char letter : text.substr(0, at)) {
    if (letter == '.' || letter == '\\') local += '\\';
    local += letter;
  }
  if (!domain || local.empty()) return std::nullopt;
  return Name::parse(local, *domain);
}

class ZoneBuilder {
 public:
  ZoneBuilder(const LoadedZone& loaded, const Reading& reading, RepositoryFiles& files)
      : loaded_(loaded), values_(loaded.values), reading_(reading), files_(files) {
    sources_.files.push_back(loaded.file);
    sources_.zone = reading.place(values_.zone.at);
    digests_ = loaded.digest;
  }

  [[nodiscard]] const RecordSources& sources() const { return sources_; }

  Zone build() {
    add_soa();
    add_nameservers();
    add_records();
    for (const TextAt& include : values_.includes) add_include(include);

    Zone zone;
    zone.apex = loaded_.apex;
    zone.file = loaded_.file;
    zone.ttl = values_.ttl;
    zone.transfer = values_.transfer;
    zone.operator_names = values_.operator_names;
    zone.serial_is_fixed = !values_.soa || values_.soa->serial;
    if (const auto soa = std::ranges::find(records_, rrtype::soa, &StaticRecord::type);
        soa != records_.end()) {
      zone.serial = serial_of(soa->rdata);
    }
    zone.rrsets = build_rrsets(zone.apex, std::move(records_), sources_, reading_.diagnostics);
    zone.digest = sha256_hex(digests_);
    return zone;
  }

 private:
  static std::uint32_t serial_of(const Rdata& soa) {
    if (soa.size() < soa_numbers_bytes) return 0;
    std::uint32_t serial = 0;
    for (std::size_t i = 0; i < 4; ++i) {
      serial = (serial << 8U) | static_cast<unsigned char>(soa[soa.size() - soa_numbers_bytes + i]);
    }
    return serial;
  }

  void add(Name owner, std::uint16_t type, std::uint32_t ttl, Rdata rdata, Position at) {
    records_.push_back({.owner = std::move(owner),
                        .type = type,
                        .ttl = ttl,
                        .rdata = std::move(rdata),
                        .file = 0,
                        .line = static_cast<std::uint32_t>(at.line),
                        .column = static_cast<std::uint32_t>(at.column)});
  }

  std::optional<Name> read_name(const TextAt& text, std::string_view what) {
    auto name = Name::parse(text.value, loaded_.apex);
    if (!name) {
      reading_.error(text.at, "bad-name", "{} is `{}`; expected a domain name, or `@` for the apex",
                     what, text.value);
    }
    return name;
  }

  void add_soa() {
    if (!values_.soa) return;
    const SoaEntry& soa = *values_.soa;
    const auto primary = read_name(soa.primary, "primary");
    const auto contact = parse_contact(soa.contact.value, loaded_.apex);
    if (!contact && !soa.contact.value.empty()) {
      reading_.error(soa.contact.at, "bad-name",
                     "contact is `{}`; expected a mail address as hostmaster@example.com",
                     soa.contact.value);
    }
    // A bad name is reported; the SOA itself is there all the same.
    Rdata rdata = primary.value_or(Name{}).wire() + contact.value_or(Name{}).wire();
    for (const std::uint32_t number :
         {soa.serial.value_or(0), soa.refresh, soa.retry, soa.expire, soa.negative_ttl}) {
      append_number(rdata, number);
    }
    add(loaded_.apex, rrtype::soa, values_.ttl, std::move(rdata), soa.at);
  }

  void add_nameservers() {
    for (const TextAt& nameserver : values_.nameservers) {
      const auto name = read_name(nameserver, "nameserver");
      if (name) add(loaded_.apex, rrtype::ns, values_.ttl, name->wire(), nameserver.at);
    }
  }

  void add_records() {
    const RdataReader reader(loaded_.apex);
    for (const StaticEntry& entry : values_.records) {
      const auto owner = read_name(entry.owner, "owner");
      const auto type = parse_type(entry.type.value);
      if (!type) {
        reading_.error(entry.type.at, "bad-type",
                       "record type is `{}`; expected one as A, MX or TYPE65280", entry.type.value);
      }
      if (!owner || !type) continue;
      for (const TextAt& data : entry.data) {
        auto rdata = parse_data(reader, *type, data.value);
        if (rdata) {
          add(*owner, *type, entry.ttl.value_or(values_.ttl), std::move(*rdata), data.at);
        } else {
          reading_.error(data.at, "bad-rdata",
                         "{} data is `{}`: {}; expected its presentation "
                         "format",
                         entry.type.value, data.value, rdata.error());
        }
      }
    }
  }

  /// TXT without quotes is the text itself: YAML took the editor's quotes, and splitting it at
  /// blanks, as a master file would, breaks every SPF record.
  static Result<Rdata, std::string> parse_data(const RdataReader& reader, std::uint16_t type,
                                               std::string_view text) {
    const bool is_presentation =
        text.find('"') != std::string_view::npos || text.starts_with("\\#");
    if (type == rrtype::txt && !is_presentation) return text_rdata(text);
    return reader.parse(type, text);
  }

  /// Beside the zone file, or from the repository's folder.
  std::optional<std::string> find_include(const TextAt& include) {
    const std::string beside = "zones/" + include.value;
    const bool is_beside = files_.exists(beside);
    const bool is_above = files_.exists(include.value);
    if (is_beside && is_above) {
      reading_.error(include.at, "ambiguous-include", "both {} and {} exist; expected one of them",
                     beside, include.value);
      return std::nullopt;
    }
    return is_beside ? beside : include.value;
  }

  void add_include(const TextAt& include) {
    const auto path = find_include(include);
    if (!path) return;
    const auto text = files_.read(*path, master_file_bytes_max);
    if (!text) {
      reading_.error(include.at, "unreadable-file", "{}: {}", include.value, text.error());
      return;
    }
    digests_ += "\n" + sha256_hex(*text);
    sources_.files.push_back(*path);
    records_.reserve(records_.size() + static_cast<std::size_t>(std::ranges::count(*text, '\n')));
    parse_master_file({.text = *text,
                       .file = *path,
                       .file_number = static_cast<std::uint32_t>(sources_.files.size() - 1),
                       .origin = loaded_.apex,
                       .default_ttl = values_.ttl},
                      reading_.diagnostics, records_);
  }

  const LoadedZone& loaded_;
  const ZoneFile& values_;
  const Reading& reading_;
  RepositoryFiles& files_;
  RecordSources sources_;
  std::string digests_;
  std::vector<StaticRecord> records_;
};

}  // namespace

void add_zone(const LoadedZone& loaded, PolicyState policy_state, const Reading& reading,
              RepositoryFiles& files, Repository& repository) {
  ZoneBuilder builder(loaded, reading, files);
  Zone zone = builder.build();
  const ServiceScope scope{.reading = reading,
                           .policy = repository.policy,
                           .policy_state = policy_state,
                           .files = files,
                           .apex = loaded.apex,
                           .zone = repository.zones.size(),
                           .zone_ttl = loaded.values.ttl};
  const std::size_t first = repository.services.size();
  for (const ServiceEntry& entry : loaded.values.services) {
    auto service = build_service(scope, entry);
    if (!service) continue;
    zone.services.push_back(static_cast<ServiceId>(repository.services.size()));
    repository.services.push_back(std::move(*service));
  }
  check_transfer(zone, std::span(repository.services).subspan(first), reading.diagnostics);
  check_services(zone, std::span(repository.services).subspan(first), builder.sources(),
                 reading.diagnostics);
  repository.zones.push_back(std::move(zone));
}

}  // namespace demarc::zones::yaml
