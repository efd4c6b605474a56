#include "zones/yaml/check_model.h"

#include <algorithm>
#include <set>

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
void check_has_address(const Reading& reading, const CheckEntry& entry, const Record& record) {
  if (!record.addresses.empty() || entry.probe_at) return;
  reading.warning(
      entry.endpoint.at, "check-without-address",
      "a check of `{}`, which has no addresses, depends on the system's resolver; better "
      "`addresses` in the record or `probe-at` in the check",
      record.endpoint);
}

HealthCheck make_check(const Reading& reading, const CheckEntry& entry, RecordId record) {
  HealthCheck check;
  check.record = record;
  check.scheme = entry.scheme;
  check.host = entry.host;
  check.port = entry.port;
  check.path = entry.path;
  if (entry.probe_at) check.probe_at = entry.probe_at->value;
  check.interval = entry.interval;
  check.timeout = entry.timeout ? entry.timeout->value : std::min(timeout_default, entry.interval);
  check.fall = entry.fall;
  check.rise = entry.rise;
  check.method = entry.method;
  check.http_version = entry.http_version;
  if (!entry.expect_status.empty()) check.expect_status = entry.expect_status;
  check.expect = entry.expect;
  check.place = reading.place(entry.endpoint.at);
  return check;
}

void check_quorum(const Reading& reading, const ServiceEntry& entry, const Service& service) {
  if (!entry.quorum || entry.quorum->value == quorum_all) return;
  std::vector<unsigned> counts(service.records.size(), 0);
  for (const HealthCheck& check : service.checks) ++counts[index_of(check.record)];
  const unsigned most = counts.empty() ? 0 : *std::ranges::max_element(counts);
  if (entry.quorum->value <= most) return;
  reading.error(entry.quorum->at, "quorum-too-large",
                "quorum {}, but no record has more than {} checks; expected at most that",
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

void add_checks(const Reading& reading, const ServiceEntry& entry, std::string_view zone,
                Service& service) {
  std::set<std::string> seen;
  for (const CheckEntry& check_entry : entry.checks) {
    if (check_entry.host.empty()) continue;
    const auto record = find_by_host(service.records, check_entry.host);
    if (!record) {
      reading.error(check_entry.endpoint.at, "check-without-record",
                    "no record has the endpoint `{}`; {}", check_entry.host,
                    suggest(check_entry.host, endpoints_of(service.records)));
      continue;
    }
    if (!seen.insert(check_entry.endpoint.value).second) {
      reading.error(check_entry.endpoint.at, "check-twice",
                    "a second check of `{}`; expected each endpoint once",
                    check_entry.endpoint.value);
      continue;
    }
    check_has_address(reading, check_entry, service.record(*record));
    HealthCheck check = make_check(reading, check_entry, *record);
    check.key = fmt::format("{}/{}/{}", zone, service.label, check_entry.endpoint.value);
    add_on_fail(reading, check_entry, service.records, check);
    service.checks.push_back(std::move(check));
  }
  check_quorum(reading, entry, service);
}

}  // namespace demarc::zones::yaml
