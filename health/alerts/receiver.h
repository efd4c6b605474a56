// Who is told of alerts, and of which. tools/alerts_config.h reads them from demarcd.yaml.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "geo/base/moment.h"
#include "zones/events.h"

namespace demarc::health {

/// Every empty list lets all alerts pass; an alert that names no zone, service or home passes that
/// list too, for it is about the node, which serves them all.
struct AlertFilter {
  std::set<zones::AlertLevel> levels;
  std::vector<std::string> zones;     // absolute, without the last dot
  std::vector<std::string> services;  // owner names; `*` stands for any letters, dots too
  std::vector<std::string> homes;     // jurisdictions
};

enum class ReceiverKind : std::uint8_t { webhook, alertmanager };

struct Receiver {
  std::string name;
  ReceiverKind kind = ReceiverKind::webhook;
  std::string url;      // of Alertmanager: its base, without /api/v2/alerts
  std::string secret;   // signs what a webhook gets; empty: no signature
  std::string ca_file;  // PEM; empty: the system's CAs
  AlertFilter filter;
  Milliseconds timeout{5'000};
};

/// Whether a receiver wants to be told of an alert. One that is for everyone passes every filter.
[[nodiscard]] bool passes(const AlertFilter& filter, const zones::Alert& alert);

/// Whether `text` is `pattern`, in which `*` stands for any letters; letter case does not count.
[[nodiscard]] bool matches_glob(std::string_view pattern, std::string_view text) noexcept;

}  // namespace demarc::health
