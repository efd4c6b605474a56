#include "tools/history_report.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <utility>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "zones/time_text.h"

namespace demarc::tools {
namespace {

using nlohmann::json;
using zones::to_rfc3339;

/// One check, walked through in the order of time.
struct Course {
  void go(WallTime at, const std::string& to) {
    const Milliseconds lasted = std::max(at - since, Milliseconds(0));
    if (verdict == "down") down += lasted;
    if (verdict == "down" || verdict == "up" || verdict == "degraded") known += lasted;
    verdict = to;
    since = at;
  }

  std::string verdict;  // empty: nothing is known
  WallTime since{};
  Milliseconds down{0}, known{0};
  std::size_t changes = 0;
  const HistoryChange* last = nullptr;
  health::LatencyHistogram latencies;
};

json json_of(const HistoryChange& change) {
  return {{"at", to_rfc3339(change.at)},
          {"check", change.check},
          {"from", change.from},
          {"to", change.to},
          {"detail", change.detail}};
}

json json_of(const std::string& key, const Course& course) {
  const auto percentile = [&](double share) {
    const auto latency = course.latencies.quantile(share);
    return latency ? json(latency->count()) : json();
  };
  json row = {{"check", key},
              {"verdict", course.verdict.empty() ? "unknown" : course.verdict},
              {"changes", course.changes},
              {"down-ms", course.down.count()},
              {"known-ms", course.known.count()},
              {"probes-passed", course.latencies.count()},
              {"latency-us",
               {{"p50", percentile(0.5)}, {"p95", percentile(0.95)}, {"p99", percentile(0.99)}}}};
  row["last-change"] = course.last != nullptr ? json_of(*course.last) : json();
  return row;
}

std::map<std::string, Course> courses_of(const std::vector<HistoryChange>& changes,
                                         const std::vector<HistoryLatency>& latencies,
                                         const HistoryRequest& request) {
  const auto is_asked = [&](const std::string& key) {
    return key.find(request.part) != std::string::npos;
  };
  std::map<std::string, Course> courses;
  for (const HistoryChange& change : changes) {
    const WallTime at = std::clamp(change.at, request.since, request.now);
    if (change.check.empty()) {
      for (auto& [key, course] : courses) course.go(at, {});
      continue;
    }
    if (!is_asked(change.check)) continue;
    Course& course = courses[change.check];
    course.go(at, change.to);
    course.last = &change;
    if (change.at >= request.since) ++course.changes;
  }
  for (const HistoryLatency& row : latencies) {
    if (!is_asked(row.check) || row.bucket >= health::LatencyHistogram::bucket_count) continue;
    courses[row.check].latencies.add(row.bucket, row.count);
  }
  for (auto& [key, course] : courses) course.go(request.now, std::string(course.verdict));
  return courses;
}

std::string duration(std::int64_t ms) {
  const std::int64_t s = ms / 1000;
  if (s == 0) return ms == 0 ? "-" : "<1s";
  if (s < 60) return fmt::format("{}s", s);
  if (s < 3600) return fmt::format("{}m{:02}s", s / 60, s % 60);
  if (s < 86'400) return fmt::format("{}h{:02}m", s / 3600, s / 60 % 60);
  return fmt::format("{}d{:02}h", s / 86'400, s / 3600 % 24);
}

std::string latency(const json& us) {
  if (us.is_null()) return "-";
  return fmt::format("{:.1f}ms", us.get<double>() / 1000);
}

std::string share_up(const json& row) {
  const auto known = row["known-ms"].get<double>();
  if (known == 0) return "-";
  // Cut, not rounded: 100 is what was never down.
  const double share = 100 * (known - row["down-ms"].get<double>()) / known;
  return fmt::format("{:.3f}", std::floor(share * 1000) / 1000);
}

}  // namespace

json history_report(const std::vector<HistoryChange>& changes,
                    const std::vector<HistoryLatency>& latencies, const HistoryRequest& request) {
  const auto courses = courses_of(changes, latencies, request);
  json report = {{"since", to_rfc3339(request.since)},
                 {"until", to_rfc3339(request.now)},
                 {"checks", json::array()},
                 {"changes", json::array()}};
  for (const auto& [key, course] : courses) report["checks"].push_back(json_of(key, course));
  for (auto change = changes.rbegin(); change != changes.rend(); ++change) {
    if (report["changes"].size() == history_changes_max) break;
    const bool is_asked = change->check.empty() || courses.contains(change->check);
    if (is_asked && change->at >= request.since) report["changes"].push_back(json_of(*change));
  }
  return report;
}

Result<json, std::string> read_history(const std::string& path, const HistoryRequest& request) {
  auto store = HistoryStore::open(path, HistoryStore::Access::read);
  if (!store) return std::unexpected(store.error());
  const auto changes = store->changes(request.since);
  if (!changes) return std::unexpected(changes.error());
  const auto latencies = store->latencies(request.since);
  if (!latencies) return std::unexpected(latencies.error());
  return history_report(*changes, *latencies, request);
}

std::string history_text(const json& report) {
  std::size_t width = 5;
  for (const json& row : report["checks"]) {
    width = std::max(width, row["check"].get_ref<const std::string&>().size());
  }
  std::string out = fmt::format("from {} to {}\n", report["since"].get<std::string>(),
                                report["until"].get<std::string>());
  if (report["checks"].empty()) return out + "no check of that name is remembered\n";
  out +=
      fmt::format("{:<{}}  {:<8}  {:>7}  {:>8}  {:>7}  {:>8}  {:>8}  {:>8}  {}\n", "CHECK", width,
                  "VERDICT", "CHANGES", "DOWN", "UP %", "P50", "P95", "P99", "LAST CHANGE");
  for (const json& row : report["checks"]) {
    const json& last = row["last-change"];
    const json& us = row["latency-us"];
    out += fmt::format("{:<{}}  {:<8}  {:>7}  {:>8}  {:>7}  {:>8}  {:>8}  {:>8}  {}\n",
                       row["check"].get<std::string>(), width, row["verdict"].get<std::string>(),
                       row["changes"].dump(), duration(row["down-ms"].get<std::int64_t>()),
                       share_up(row), latency(us["p50"]), latency(us["p95"]), latency(us["p99"]),
                       last.is_null() ? "-"
                                      : fmt::format("{} {}: {}", last["at"].get<std::string>(),
                                                    last["to"].get<std::string>(),
                                                    last["detail"].get<std::string>()));
  }
  constexpr std::size_t shown_max = 20;
  const json& changes = report["changes"];
  if (!changes.empty()) out += "\nWHAT CHANGED, the last first\n";
  for (std::size_t i = 0; i < changes.size() && i < shown_max; ++i) {
    const json& change = changes[i];
    if (change["check"] == "") {
      out += fmt::format("  {}  the server stopped\n", change["at"].get<std::string>());
      continue;
    }
    out += fmt::format("  {}  {}  {} -> {}: {}\n", change["at"].get<std::string>(),
                       change["check"].get<std::string>(), change["from"].get<std::string>(),
                       change["to"].get<std::string>(), change["detail"].get<std::string>());
  }
  if (changes.size() > shown_max) {
    out += fmt::format("  and {} before; --json shows up to {}\n", changes.size() - shown_max,
                       history_changes_max);
  }
  return out;
}

}  // namespace demarc::tools
