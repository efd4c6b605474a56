// The plan for people, made of its JSON alone.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "tools/plan_json.h"

namespace demarc::tools {
namespace {

using nlohmann::json;

// A group of clients is named by its first few; the JSON has all.
constexpr std::size_t named_clients_max = 2;

std::string text_of(const json& value) {
  return value.is_null() ? std::string("nothing") : value.get<std::string>();
}

std::string place_of(const json& change) {
  const json& place = change.at("place");
  const std::string file = text_of(place.at("file"));
  const std::string where = place.at("line") == 0
                                ? file
                                : fmt::format("{}:{}:{}", file, place.at("line").get<std::size_t>(),
                                              place.at("column").get<std::size_t>());
  return place.at("side") == "from" ? where + " (before)" : where;
}

/// "DE, FR and 25 others".
std::string clients_of(const json& shift) {
  if (shift.at("everyone").get<bool>()) return "everyone";
  std::vector<std::string> named;
  const json& clients = shift.at("clients");
  const std::size_t others = clients.size() - std::min(clients.size(), named_clients_max);
  // "and 1 others" would be longer than its name.
  const std::size_t shown = others == 1 ? clients.size() : clients.size() - others;
  for (std::size_t i = 0; i < shown; ++i) named.push_back(text_of(clients[i]));
  const std::string text = fmt::format("{}", fmt::join(named, ", "));
  return shown == clients.size() ? text : fmt::format("{} and {} others", text, others);
}

std::string reviewers_of(const json& change) {
  if (!change.contains("review")) return {};
  const auto roles = change.at("review").get<std::vector<std::string>>();
  return roles.empty() ? "nobody is named: policy.yaml has no approval rules"
                       : fmt::format("{}", fmt::join(roles, ", "));
}

std::string summary_of(const json& plan) {
  const json& counts = plan.at("counts");
  const auto count = [&](const char* name) { return counts.at(name).get<int>(); };
  return fmt::format("{} legal ({} of them loosen), {} traffic, {} routine", count("legal"),
                     count("loosens"), count("traffic"), count("routine"));
}

std::string headline_of(const json& change) {
  const bool legal = change.contains("effect");
  return fmt::format("{}{}  {}  {}", text_of(change.at("class")),
                     legal ? " " + text_of(change.at("effect")) : "", text_of(change.at("kind")),
                     text_of(change.at("subject")));
}

/// Whom the clients' side says nothing of; empty: of nobody.
std::string not_walked_of(const json& plan) {
  const auto list = plan.at("not-walked").get<std::vector<std::string>>();
  if (list.empty()) return {};
  return fmt::format("answers not compared here: {}; what changed of them is listed above",
                     fmt::join(list, ", "));
}

/// A `|` would end the cell, a line break the table.
std::string cell(const std::string& text) {
  std::string out;
  for (const char letter : text) {
    if (letter == '|' || letter == '\\' || letter == '`') out += '\\';
    out += letter == '\n' ? ' ' : letter;
  }
  return out;
}

}  // namespace

std::string plan_text(const json& plan) {
  std::string out = fmt::format("plan: {} -> {}\n", text_of(plan.at("from").at("what")),
                                text_of(plan.at("to").at("what")));
  if (plan.at("class") == "none") return out + "nothing changes\n";
  out += summary_of(plan) + "\n";
  for (const json& change : plan.at("changes")) {
    out += fmt::format("\n{}\n  {}\n  - {}\n  + {}\n", headline_of(change), place_of(change),
                       text_of(change.at("before")), text_of(change.at("after")));
    out += fmt::format("  risk:     {}\n  rollback: {}\n", text_of(change.at("risk")),
                       text_of(change.at("rollback")));
    if (change.contains("review")) out += fmt::format("  review:   {}\n", reviewers_of(change));
  }
  out += plan.at("traffic").empty() ? "\ntraffic: no client is answered differently\n"
                                    : "\ntraffic, by base weights:\n";
  for (const json& shift : plan.at("traffic")) {
    out += fmt::format("  {}  {}: {} -> {}\n", text_of(shift.at("service")), clients_of(shift),
                       text_of(shift.at("before")), text_of(shift.at("after")));
  }
  const std::string left_out = not_walked_of(plan);
  return left_out.empty() ? out : out + left_out + "\n";
}

std::string plan_markdown(const json& plan) {
  std::string out = fmt::format("## Plan: {} → {}\n\n", cell(text_of(plan.at("from").at("what"))),
                                cell(text_of(plan.at("to").at("what"))));
  if (plan.at("class") == "none") return out + "Nothing changes.\n";
  out += "**" + summary_of(plan) + "**\n";
  if (!plan.at("changes").empty()) {
    out +=
        "\n| Class | Change | Where | Before | After | Risk | Rollback | Review |\n"
        "| --- | --- | --- | --- | --- | --- | --- | --- |\n";
  }
  for (const json& change : plan.at("changes")) {
    const std::string rank = text_of(change.at("class")) +
                             (change.contains("effect") ? ", " + text_of(change.at("effect")) : "");
    out += fmt::format("| {} | {}: {} | {} | {} | {} | {} | {} | {} |\n", rank,
                       text_of(change.at("kind")), cell(text_of(change.at("subject"))),
                       cell(place_of(change)), cell(text_of(change.at("before"))),
                       cell(text_of(change.at("after"))), cell(text_of(change.at("risk"))),
                       cell(text_of(change.at("rollback"))), cell(reviewers_of(change)));
  }
  out += plan.at("traffic").empty()
             ? "\nNo client is answered differently.\n"
             : "\n| Service | Clients | Before | After |\n| --- | --- | --- | --- |\n";
  for (const json& shift : plan.at("traffic")) {
    out += fmt::format("| {} | {} | {} | {} |\n", cell(text_of(shift.at("service"))),
                       cell(clients_of(shift)), cell(text_of(shift.at("before"))),
                       cell(text_of(shift.at("after"))));
  }
  const std::string left_out = not_walked_of(plan);
  return left_out.empty() ? out : out + "\nClients: " + cell(left_out) + ".\n";
}

}  // namespace demarc::tools
