#include "tools/load/report.h"

#include <algorithm>
#include <functional>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace demarc::tools::load {
namespace {

using nlohmann::json;

double microseconds(Nanoseconds time) { return static_cast<double>(time.count()) / 1000.0; }

double share(std::uint64_t part, std::uint64_t whole) {
  return whole == 0 ? 0 : static_cast<double>(part) / static_cast<double>(whole);
}

/// A server's CPU time for each question it got, load and flood alike; a lost one counts as got.
double cpu_us(const Measured& m) {
  std::uint64_t sent = 0;
  for (const Tally& tally : m.tallies) sent += tally.sent;
  return sent == 0 || !m.cpu ? 0 : microseconds(*m.cpu) / static_cast<double>(sent);
}

template <typename Value>
json spread(const Rounds& of, Value&& value) {
  std::vector<double> values;
  for (const Measured& round : of.rounds) values.push_back(value(round));
  if (values.empty()) return nullptr;
  const auto [least, most] = std::ranges::minmax(values);
  return {{"median", median(values)}, {"min", least}, {"max", most}};
}

json stream_report(const Rounds& of, std::size_t stream) {
  const auto tally = [stream](const Measured& m) -> const Tally& { return m.tallies[stream]; };
  json out = {
      {"sent-per-second",
       spread(of, [&](const auto& m) { return static_cast<double>(tally(m).sent) / m.seconds; })},
      {"answered-per-second",
       spread(of,
              [&](const auto& m) { return static_cast<double>(tally(m).answered) / m.seconds; })},
      {"lost-share",
       spread(of, [&](const auto& m) { return share(tally(m).lost, tally(m).sent); })},
      {"truncated-share",
       spread(of, [&](const auto& m) { return share(tally(m).truncated, tally(m).answered); })}};
  for (const auto& [name, quantile] :
       {std::pair{"p50-us", 0.5}, {"p90-us", 0.9}, {"p99-us", 0.99}, {"p999-us", 0.999}}) {
    out[name] = spread(
        of, [&](const auto& m) { return microseconds(tally(m).latencies.quantile(quantile)); });
  }
  out["max-us"] =
      spread(of, [&](const auto& m) { return microseconds(tally(m).latencies.longest()); });
  for (const Measured& round : of.rounds) {
    for (std::size_t rcode = 0; rcode < tally(round).rcodes.size(); ++rcode) {
      const std::uint64_t count = tally(round).rcodes[rcode];
      if (count == 0) continue;
      auto& all = out["rcodes"][std::to_string(rcode)];
      all = all.is_null() ? count : all.get<std::uint64_t>() + count;
    }
  }
  return out;
}

std::string cell(const json& value, int digits) {
  if (value.is_null()) return "-";
  return fmt::format("{:.{}f} ({:.{}f}-{:.{}f})", value["median"].get<double>(), digits,
                     value["min"].get<double>(), digits, value["max"].get<double>(), digits);
}

}  // namespace

double median(std::vector<double> values) {
  if (values.empty()) return 0;
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>((values.size() - 1) / 2);
  std::ranges::nth_element(values, middle);
  return *middle;
}

json report_of(const std::vector<Rounds>& results) {
  json report = json::array();
  for (const Rounds& of : results) {
    json entry = {{"server", of.server}, {"rounds", of.rounds.size()}};
    const bool has_cpu =
        !of.rounds.empty() && std::ranges::all_of(of.rounds, [](const auto& m) { return !!m.cpu; });
    if (has_cpu) {
      entry["cpu-us"] = spread(of, cpu_us);
      entry["cores"] =
          spread(of, [](const Measured& m) { return microseconds(*m.cpu) / 1e6 / m.seconds; });
      const bool can_compare = !report.empty() && report[0].contains("cpu-us");
      const double base = can_compare ? report[0]["cpu-us"]["median"].get<double>() : 0;
      if (base > 0) entry["ratio"] = entry["cpu-us"]["median"].get<double>() / base;
    }
    entry["load"] = stream_report(of, 0);
    if (!of.rounds.empty() && of.rounds[0].tallies.size() > 1)
      entry["flood"] = stream_report(of, 1);
    report.push_back(std::move(entry));
  }
  return report;
}

std::string table_of(const json& report) {
  std::string out =
      "| server | stream | sent/s | answered/s | lost % | p50 us | p99 us | p99.9 us | CPU us/q | "
      "ratio | rcodes |\n|---|---|---|---|---|---|---|---|---|---|---|\n";
  for (const json& entry : report) {
    for (const char* stream : {"load", "flood"}) {
      if (!entry.contains(stream)) continue;
      const json& of = entry[stream];
      json lost = of["lost-share"];
      for (json& value : lost) value = value.get<double>() * 100;
      const bool is_load = std::string(stream) == "load";
      out += fmt::format("| {} | {} | {} | {} | {} | {} | {} | {} | {} | {} | {} |\n",
                         entry["server"].get<std::string>(), stream, cell(of["sent-per-second"], 0),
                         cell(of["answered-per-second"], 0), cell(lost, 2), cell(of["p50-us"], 0),
                         cell(of["p99-us"], 0), cell(of["p999-us"], 0),
                         is_load && entry.contains("cpu-us") ? cell(entry["cpu-us"], 2) : "-",
                         is_load && entry.contains("ratio")
                             ? fmt::format("{:.2f}", entry["ratio"].get<double>())
                             : "-",
                         of.contains("rcodes") ? of["rcodes"].dump() : "-");
    }
  }
  return out;
}

}  // namespace demarc::tools::load
