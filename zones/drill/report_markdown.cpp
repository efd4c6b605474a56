#include "zones/drill/report_markdown.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "zones/time_text.h"

namespace demarc::zones::drill {
namespace {

/// Nothing in a name or a reason becomes markup, a table's border or a second line.
std::string escaped(std::string_view text) {
  std::string out;
  for (const char letter : text) {
    if (static_cast<unsigned char>(letter) < 0x20) {
      out += ' ';
    } else if (letter == '<') {
      out += "&lt;";
    } else if (letter == '>') {
      out += "&gt;";
    } else if (letter == '&') {
      out += "&amp;";
    } else {
      if (std::string_view("\\`*_[]|#!~").contains(letter)) out += '\\';
      out += letter;
    }
  }
  return out;
}

/// A digest as code; anything else that a file puts in its place as plain text.
std::string digest(const std::string& text) {
  const bool is_hex = text.find_first_not_of("0123456789abcdef") == std::string::npos;
  return is_hex ? "`" + text + "`" : escaped(text);
}

std::string joined(const std::vector<std::string>& list) {
  std::vector<std::string> parts;
  for (const std::string& text : list) parts.push_back(escaped(text));
  return fmt::format("{}", fmt::join(parts, ", "));
}

std::string maybe(const std::optional<Milliseconds>& time) {
  return time ? duration_text(*time) : "-";
}

void add_list(std::string& out, const std::vector<std::string>& items, const char* none) {
  for (const std::string& item : items) out += fmt::format("- {}\n", escaped(item));
  if (items.empty()) out += fmt::format("{}\n", none);
  out += '\n';
}

void add_head(std::string& out, const Report& r) {
  out += fmt::format("# Drill {}: {}\n\n", escaped(r.scenario), r.passed ? "passed" : "FAILED");
  if (!r.description.empty()) out += escaped(r.description) + "\n\n";
  if (!r.aborted.empty()) out += fmt::format("**Aborted:** {}\n\n", escaped(r.aborted));
  out += "| | |\n| --- | --- |\n";
  const auto row = [&](const char* name, const std::string& value) {
    out += fmt::format("| {} | {} |\n", name, value);
  };
  row("run",
      r.how == "shadow" ? fmt::format("in shadow, seed {}", r.seed) : "live on " + escaped(r.node));
  row("began", to_rfc3339(r.started));
  row("lasted", duration_text(r.lasted));
  row("objectives",
      fmt::format("reads {}, writes {}", duration_text(r.read_rto), duration_text(r.write_rto)));
  row("violations", std::to_string(r.violations.size()));
  row("scenario", digest(r.scenario_digest));
  row("configuration", digest(r.configuration_digest));
  row("policy", digest(r.policy_digest));
  row("report", "`" + report_digest(r) + "`");
  out += '\n';
}

void add_recoveries(std::string& out, const Report& r) {
  out += "## Recovery times\n\n";
  if (r.recoveries.empty()) {
    out += "No service in scope lost an answer.\n\n";
    return;
  }
  out +=
      "| service | access | failed at | detected | decided | published | TTL | RTO measured | "
      "RTO worst case | objective | | how | back home after |\n"
      "| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |\n";
  for (const Recovery& one : r.recoveries) {
    out += fmt::format("| {} | {} | {} | {} | {} | {} | {} | {} | {} | {} | {} | {} | {} |\n",
                       escaped(one.service), escaped(one.access), moment_text(one.failed),
                       maybe(one.detected), maybe(one.decided), maybe(one.published),
                       duration_text(one.ttl), maybe(one.measured), maybe(one.worst),
                       duration_text(one.objective), one.met ? "met" : "**missed**",
                       escaped(one.how), maybe(one.back));
  }
  out += '\n';
}

void add_answers(std::string& out, const Report& r) {
  out +=
      "## Answers\n\n| service | clients | from | to | answer |\n| --- | --- | --- | --- | --- |\n";
  for (const Lane& lane : r.lanes) {
    const std::string clients = joined(lane.clients) + (lane.on_the_wire ? " (on the wire)" : "");
    for (const Span& span : lane.spans) {
      out += fmt::format("| {} | {} | {} | {} | {} |\n", escaped(lane.service), clients,
                         moment_text(span.from), moment_text(span.to),
                         escaped(answer_text(span.answer)));
    }
  }
  out += "\n## Expectations\n\n";
  if (r.expected.empty()) out += "None were stated.\n";
  for (const Expected& one : r.expected) {
    out += fmt::format("- {} {} at {}: {}; found: {}\n", one.met ? "met:" : "**missed:**",
                       escaped(one.service), moment_text(one.at), escaped(one.wanted),
                       escaped(one.found));
  }
  out += '\n';
}

void add_decisions(std::string& out, const Report& r) {
  out +=
      "## Decisions, as the audit trail has them\n\n| at | kind | jurisdiction | facts |\n"
      "| --- | --- | --- | --- |\n";
  for (const Decision& one : r.decisions) {
    std::vector<std::string> facts;
    for (const auto& [name, value] : one.facts) {
      if (!value.empty()) facts.push_back(fmt::format("{}: {}", escaped(name), escaped(value)));
    }
    out += fmt::format("| {} | {} | {} | {} |\n", moment_text(one.at), escaped(one.kind),
                       escaped(one.jurisdiction), fmt::join(facts, "; "));
  }
  out += '\n';
}

void add_people(std::string& out, const Report& r) {
  out += "## Participants\n\n";
  add_list(out, r.participants, "None named.");
  out += "## Sign-off\n\n";
  std::vector<std::string> needs;
  for (const auto& [role, persons] : r.sign_off) {
    needs.push_back(fmt::format("{} {}", persons, escaped(role)));
  }
  out += fmt::format("Required: {}.\n\n",
                     needs.empty() ? "nobody" : fmt::format("{}", fmt::join(needs, ", ")));
  for (const SignOff& one : r.sign_offs) {
    out += fmt::format("- {} ({}), key {}, token {}\n", escaped(one.person), escaped(one.role),
                       escaped(one.key), escaped(one.token_id));
  }
  if (r.sign_offs.empty()) {
    out += fmt::format("Not signed yet; a token's claim `drill` must say {}.\n",
                       escaped(sign_off_subject(r.scenario, report_digest(r))));
  }
  out += "\n## Remediation owners\n\n";
  add_list(out, r.remediation_owners, "None named.");
  out += fmt::format("## Next\n\nDue by {}, once this one is recorded as passed.\n",
                     to_rfc3339(r.started + r.lasted + r.due_every));
}

}  // namespace

std::string render_markdown(const Report& report) {
  std::string out;
  add_head(out, report);
  add_recoveries(out, report);
  out += "## Violations\n\n";
  add_list(out, report.violations,
           "None: no hard service was answered outside home without a live grant.");
  add_answers(out, report);
  add_decisions(out, report);
  out += "## Activation conditions\n\n";
  add_list(out, report.activation, "None.");
  out += "## Deactivation conditions\n\n";
  add_list(out, report.deactivation, "None.");
  out += "## What was taken for granted\n\n";
  add_list(out, report.assumptions, "Nothing.");
  add_people(out, report);
  return out;
}

}  // namespace demarc::zones::drill
