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
      : loaded_(loaded), values_(*loaded.values), reading_(reading), files_(files) {
    sources_.files.push_back(loaded.file);
    sources_.zone = reading.place(values_.zone.at);
    digests_ = loaded.digest;
    rrsets_ = RRsets(loaded.apex);
  }

  [[nodiscard]] const RecordSources& sources() const { return sources_; }
  /// False: a file could not be read to its end, and nothing is known of what follows.
  [[nodiscard]] bool is_whole() const { return is_whole_; }

  Zone build() {
    add_soa();
    add_nameservers();
    add_records();
    add_includes();
    if (is_whole_) {
      finish_rrsets(rrsets_, sources_, reading_.diagnostics);
    } else {
      rrsets_.sort();  // the rules would find what is missing
    }

    Zone zone;
    zone.apex = loaded_.apex;
    zone.file = loaded_.file;
    zone.ttl = values_.ttl;
    zone.transfer = values_.transfer;
    zone.operator_names = values_.operator_names;
    zone.serial_is_fixed = !values_.soa || values_.soa->serial;
    if (const auto soa = rrsets_.find(zone.apex, rrtype::soa)) {
      zone.serial = serial_of(soa->rdata().front());
    }
    zone.rrsets = std::move(rrsets_);
    zone.digest = sha256_hex(digests_);
    return zone;
  }

 private:
  static std::uint32_t serial_of(std::string_view soa) {
    if (soa.size() < soa_numbers_bytes) return 0;
    std::uint32_t serial = 0;
    for (std::size_t i = 0; i < 4; ++i) {
      serial = (serial << 8U) | static_cast<unsigned char>(soa[soa.size() - soa_numbers_bytes + i]);
    }
    return serial;
  }

  void add_record(const Name& owner, const RRsets::Record& record, const RRsets::Origin& origin,
                  Diagnostics& diagnostics) {
    if (!owner.is_at_or_below(loaded_.apex)) {
      diagnostics.error(sources_.place(origin), "out-of-zone", "{} is not in the zone {}",
                        owner.text(), loaded_.apex.text());
      return;
    }
    const bool is_added = rrsets_.add(owner, record.type, record.ttl, record.rdata, origin);
    if (is_added || is_full_) return;
    is_full_ = true;  // told once
    diagnostics.error(sources_.place(origin), "records-too-large",
                      "the records of {} up to here need more than {} bytes; expected fewer",
                      loaded_.apex.text(), rrsets_bytes_max);
  }

  void add(const Name& owner, const RRsets::Record& record, Position at) {
    add_record(owner, record,
               {.file = 0,
                .line = static_cast<std::uint32_t>(at.line),
                .column = static_cast<std::uint32_t>(at.column)},
               reading_.diagnostics);
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
    add(loaded_.apex, {.type = rrtype::soa, .ttl = values_.ttl, .rdata = rdata}, soa.at);
  }

  void add_nameservers() {
    for (const TextAt& nameserver : values_.nameservers) {
      const auto name = read_name(nameserver, "nameserver");
      if (!name) continue;
      add(loaded_.apex, {.type = rrtype::ns, .ttl = values_.ttl, .rdata = name->wire()},
          nameserver.at);
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
        const auto rdata = parse_data(reader, *type, data.value);
        if (rdata) {
          const std::uint32_t ttl = entry.ttl.value_or(values_.ttl);
          add(*owner, {.type = *type, .ttl = ttl, .rdata = *rdata}, data.at);
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

  struct Include {
    TextAt text;
    std::string path;
  };

  void add_includes() {
    std::vector<Include> includes;
    std::size_t bytes = 0;
    for (const TextAt& text : values_.includes) {
      const auto path = find_include(text);
      if (!path) continue;
      includes.push_back({text, *path});
      bytes += std::min(files_.size_bytes(*path), master_file_bytes_max);
    }
    // Once for all of them: memory that grew would be copied, and be there twice meanwhile.
    rrsets_.reserve_for_text(bytes);
    for (const Include& include : includes) add_include(include);
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

  void add_include(const Include& include) {
    const auto number = static_cast<std::uint16_t>(sources_.files.size());
    sources_.files.push_back(include.path);
    Diagnostics findings;
    const auto take = [&](const StaticRecord& record) {
      add_record(record.owner, {.type = record.type, .ttl = record.ttl, .rdata = record.rdata},
                 {.file = number, .line = record.line, .column = 1}, findings);
    };
    const auto parse = [&](const ByteSource& bytes) {
      parse_master_file({.bytes = bytes,
                         .file = include.path,
                         .origin = loaded_.apex,
                         .default_ttl = values_.ttl},
                        findings, take);
    };
    const std::size_t count_before = rrsets_.record_count();
    const auto digest = files_.read_pieces(include.path, master_file_bytes_max, parse);
    if (!digest) {
      is_whole_ = is_whole_ && rrsets_.record_count() == count_before;
      // What the part that was read says of itself is no news: it may end anywhere.
      reading_.error(include.text.at, "unreadable-file", "{}: {}", include.text.value,
                     digest.error());
      return;
    }
    digests_ += "\n" + *digest;
    for (const Diagnostic& finding : findings.list()) reading_.diagnostics.add(finding);
  }

  const LoadedZone& loaded_;
  const ZoneFile& values_;
  const Reading& reading_;
  RepositoryFiles& files_;
  RecordSources sources_;
  std::string digests_;
  RRsets rrsets_;
  bool is_full_ = false;
  bool is_whole_ = true;
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
                           .zone_ttl = loaded.values->ttl};
  const std::size_t first = repository.services.size();
  for (const ServiceEntry& entry : loaded.values->services) {
    auto service = build_service(scope, entry);
    if (!service) continue;
    zone.services.push_back(static_cast<ServiceId>(repository.services.size()));
    repository.services.push_back(std::move(*service));
  }
  if (builder.is_whole()) {
    const auto services = std::span(repository.services).subspan(first);
    check_transfer(zone, services, reading.diagnostics);
    check_services(zone, services, builder.sources(), reading.diagnostics);
  }
  repository.zones.push_back(std::move(zone));
}

}  // namespace demarc::zones::yaml
