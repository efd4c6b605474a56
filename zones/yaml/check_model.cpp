#include "zones/yaml/check_model.h"

#include <algorithm>
#include <set>

#include "zones/rdata.h"
#include "zones/yaml/check_calculated.h"

namespace demarc::zones::yaml {
namespace {

/// Lower case, without the last dot.
std::string plain(std::string_view name) {
  if (name.ends_with('.')) name.remove_suffix(1);
  std::string text(name);
  std::ranges::transform(text, text.begin(), [](char letter) {
    return letter >= 'A' && letter <= 'Z' ? static_cast<char>(letter - 'A' + 'a') : letter;
  });
  return text;
}

std::vector<std::string> endpoints_of(const std::vector<Record>& records) {
  std::vector<std::string> names;
  for (const Record& record : records) names.push_back(record.endpoint);
  return names;
}

std::optional<RecordId> find_by_host(const std::vector<Record>& records, const std::string& host) {
  const auto name = Name::parse_absolute(host);
  const auto found = std::ranges::find_if(
      records, [&name](const Record& record) { return name && record.endpoint_name == *name; });
  if (found == records.end()) return std::nullopt;
  return static_cast<RecordId>(found - records.begin());
}

void add_on_fail(const Reading& reading, const CheckEntry& entry,
                 const std::vector<Record>& records, HealthCheck& check) {
  check.is_canary = entry.is_canary;
  check.has_on_fail = entry.has_on_fail;
  std::set<RecordId> named;
  for (const CommandEntry& command : entry.on_fail) {
    const auto record = resolve_record(reading, entry.on_fail_at, records, command.name);
    if (!record) continue;
    if (!named.insert(*record).second) {
      reading.error(entry.on_fail_at, "weight-twice",
                    "on-fail sets the weight of `{}` twice; expected once", command.name);
    }
    check.on_fail.push_back({*record, command.weight});
  }
}

/// The prober then asks the system's resolver, which may fail by itself and whose word is not
/// checked.
void check_has_address(const Reading& reading, const CheckEntry& entry, const HealthCheck& check,
                       const Record& record) {
  if (facts_of(check.scheme).is_local) return;
  const bool has_address =
      check.is_of_endpoint ? !record.addresses.empty() : geo::parse_address(check.host).has_value();
  if (has_address || check.probe_at) return;
  if (!facts_of(check.scheme).is_by_libcurl) {  // these would wait for the resolver
    reading.error(entry.endpoint.at, "check-without-address",
                  "the address of `{1}` is said nowhere, and a check by {0} resolves nothing; "
                  "expected `addresses` in the "
                  "record or `probe-at` in the check",
                  facts_of(check.scheme).name, check.host);
    return;
  }
  if (check.silence == Silence::stale) return;
  if (check.is_of_endpoint) {
    reading.warning(
        entry.endpoint.at, "check-without-address",
        "a check of `{}`, which has no addresses, depends on the system's resolver; better "
        "`addresses` in the record or `probe-at` in the check",
        record.endpoint);
  } else {
    reading.warning(entry.endpoint.at, "check-without-address",
                    "a check of `{}`, whose address nobody says, depends on the system's resolver; "
                    "better `probe-at` in the check",
                    check.host);
  }
}

/// RFC 3986 §2.1: all but the unreserved characters.
std::string percent_encoded(std::string_view text) {
  std::string out;
  for (const char letter : text) {
    const bool is_plain = (letter >= 'a' && letter <= 'z') || (letter >= 'A' && letter <= 'Z') ||
                          (letter >= '0' && letter <= '9') ||
                          std::string_view("-._~").contains(letter);
    if (is_plain) {
      out += letter;
    } else {
      out += fmt::format("%{:02X}", static_cast<unsigned char>(letter));
    }
  }
  return out;
}

/// Prometheus's HTTP API below the endpoint's path: an instant query.
std::string query_path(std::string_view path, std::string_view query) {
  if (path.ends_with('/')) path.remove_suffix(1);
  return fmt::format("{}/api/v1/query?query={}", path, percent_encoded(query));
}

HealthCheck make_check(const Reading& reading, const CheckEntry& entry, RecordId record) {
  HealthCheck check;
  check.record = record;
  check.scheme = entry.scheme;
  check.host = entry.host;
  check.port = entry.port;
  check.path = entry.query ? query_path(entry.path, entry.query->value) : entry.path;
  if (entry.probe_at) check.probe_at = entry.probe_at->value;
  check.interval = entry.interval;
  check.timeout = entry.timeout ? entry.timeout->value : std::min(timeout_default, entry.interval);
  check.fall = entry.fall;
  check.rise = entry.rise;
  check.ok = entry.ok;
  check.degraded_above = entry.degraded_above;
  check.certificate_every = entry.certificate_every;
  check.votes = entry.votes;
  check.method = entry.method;
  check.http_version = entry.http_version;
  if (!entry.expect_status.empty()) check.expect_status = entry.expect_status;
  check.expect = entry.expect;
  check.silence = entry.query ? Silence::stale : Silence::failure;
  if (entry.silence) check.silence = entry.silence->value;
  check.place = reading.place(entry.endpoint.at);
  return check;
}

/// The record that a check speaks for: the one it names, or the one whose endpoint it asks.
std::optional<RecordId> record_of(const Reading& reading, const CheckEntry& entry,
                                  const std::vector<Record>& records) {
  if (entry.of) return resolve_record(reading, entry.of->at, records, entry.of->value);
  const auto record = find_by_host(records, entry.host);
  if (!record) {
    reading.error(
        entry.endpoint.at, "check-without-record",
        "no record has the endpoint `{}`; {} (or say with `of` which record it speaks for)",
        entry.host, suggest(entry.host, endpoints_of(records)));
  }
  return record;
}

void check_quorum(const Reading& reading, const ServiceEntry& entry, const Service& service) {
  const auto watched = std::ranges::find_if(
      entry.checks, [](const CheckEntry& check) { return !check.vantages.empty(); });
  if (!entry.quorum && watched != entry.checks.end()) {
    reading.warning(watched->vantages.front().at, "vantage-alone",
                    "vantages without `quorum`: each of them takes the record out alone; better a "
                    "quorum of 2");
  }
  if (!entry.quorum || entry.quorum->value == quorum_all) return;
  std::vector<unsigned> counts(service.records.size(), 0);
  for (const HealthCheck& check : service.checks) {
    counts[index_of(check.record)] += check.votes;
  }
  const unsigned most = counts.empty() ? 0 : *std::ranges::max_element(counts);
  if (entry.quorum->value <= most) return;
  reading.error(entry.quorum->at, "quorum-too-large",
                "quorum {}, but no record has more than {} votes of checks; expected at most that",
                entry.quorum->value, most);
}

}  // namespace

Result<RecordId, RecordNameError> find_record(const std::vector<Record>& records,
                                              std::string_view name) {
  const std::string wanted = plain(name);
  std::optional<RecordId> found;
  bool is_ambiguous = false;
  for (std::size_t i = 0; i < records.size(); ++i) {
    const std::string endpoint = plain(records[i].endpoint);
    if (endpoint == wanted) return static_cast<RecordId>(i);
    if (!endpoint.starts_with(wanted + '.')) continue;
    is_ambiguous |= found.has_value();
    found = static_cast<RecordId>(i);
  }
  if (is_ambiguous) return std::unexpected(RecordNameError::ambiguous);
  if (!found) return std::unexpected(RecordNameError::unknown);
  return *found;
}

std::optional<RecordId> resolve_record(const Reading& reading, Position at,
                                       const std::vector<Record>& records, std::string_view name) {
  const auto found = find_record(records, name);
  if (found) return *found;
  if (found.error() == RecordNameError::ambiguous) {
    reading.error(at, "ambiguous-record",
                  "`{}` begins the endpoints of several records; expected a longer name", name);
  } else {
    reading.error(at, "unknown-record", "`{}` begins no record's endpoint; {}", name,
                  suggest(name, endpoints_of(records)));
  }
  return std::nullopt;
}

namespace {

/// Whether its host is the record's endpoint, so that the record's addresses are asked.
bool asks_endpoint(const HealthCheck& check, const Record& record) {
  return facts_of(check.scheme).is_local ||
         record.endpoint_name == Name::parse_absolute(check.host);
}

/// The last check as each of its vantages sees it.
void add_vantages(const Reading& reading, const CheckEntry& entry, const Policy& policy,
                  std::vector<HealthCheck>& checks) {
  if (entry.vantages.empty()) return;
  if (entry.has_on_fail) {
    reading.error(
        entry.on_fail_at, "on-fail-by-one",
        "`on-fail` beside `vantages`, where one of them would move traffic alone; expected "
        "`quorum` to decide without it");
  }
  const HealthCheck own = checks.back();
  std::set<std::string> seen;
  for (const TextAt& id : entry.vantages) {
    if (std::ranges::find(policy.vantages, id.value, &Vantage::id) == policy.vantages.end()) {
      std::vector<std::string> known;
      for (const Vantage& vantage : policy.vantages) known.push_back(vantage.id);
      reading.error(
          id.at, "unknown-vantage", "policy.yaml has no vantage `{}`; {}", id.value,
          known.empty() ? "expected it under `vantages` there" : suggest(id.value, known));
      continue;
    }
    if (!seen.insert(id.value).second) {
      reading.error(id.at, "vantage-twice", "`{}` again; expected each vantage once", id.value);
      continue;
    }
    checks.push_back(own);
    checks.back().key += "@" + id.value;
    checks.back().vantage = id.value;
    checks.back().is_canary = false;
  }
}

/// Those of dns checks are parsed when they are compared; here once, for the finding.
void check_answers(const Reading& reading, const CheckEntry& entry, const HealthCheck& check) {
  if (check.scheme != ProbeScheme::dns) return;
  const auto type = parse_type(std::string_view(check.path).substr(check.path.rfind('/') + 1));
  const RdataReader reader{Name{}};
  for (const std::string& answer : check.expect.answers) {
    const auto rdata = reader.parse(*type, answer);
    if (rdata) continue;
    reading.error(entry.endpoint.at, "bad-rdata", "expect-answer is `{}`: {}; expected {} RDATA",
                  answer, rdata.error(), type_to_text(*type));
  }
}

}  // namespace

void add_checks(const Reading& reading, const ServiceEntry& entry, std::string_view zone,
                const Policy& policy, Service& service) {
  CheckNames names;
  std::vector<std::pair<const CalculatedEntry*, std::size_t>> calculated;
  for (const CheckEntry& check_entry : entry.checks) {
    if (!check_entry.is_readable) continue;
    const auto record = record_of(reading, check_entry, service.records);
    if (!record) continue;
    const TextAt& name = check_entry.name ? *check_entry.name : check_entry.endpoint;
    if (!names.emplace(name.value, service.checks.size()).second) {
      reading.error(name.at, "check-twice", "a second check of `{}`; expected each {} once{}",
                    name.value, check_entry.name ? "name" : "endpoint",
                    check_entry.name ? "" : ", or a `name` for this one");
      continue;
    }
    HealthCheck check = make_check(reading, check_entry, *record);
    check.key = fmt::format("{}/{}/{}", zone, service.label, name.value);
    if (check_entry.calculated) {
      calculated.emplace_back(&*check_entry.calculated, service.checks.size());
      check.calculated.emplace();
    } else {
      if (facts_of(check.scheme).is_local) {
        check.host = service.record(*record).endpoint_name.text_without_dot();
      }
      check.is_of_endpoint = asks_endpoint(check, service.record(*record));
      check_has_address(reading, check_entry, check, service.record(*record));
      check_answers(reading, check_entry, check);
    }
    add_on_fail(reading, check_entry, service.records, check);
    service.checks.push_back(std::move(check));
    add_vantages(reading, check_entry, policy, service.checks);
  }
  for (const auto& [of, at] : calculated) {
    resolve_calculated(reading, *of, names, at, service.checks);
  }
  find_circles(reading, service.checks);
  check_quorum(reading, entry, service);
}

}  // namespace demarc::zones::yaml
