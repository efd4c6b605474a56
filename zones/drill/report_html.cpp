#include "zones/drill/report_html.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "zones/drill/report_style.h"
#include "zones/drill/report_timeline.h"
#include "zones/time_text.h"

namespace demarc::zones::drill {
namespace {

std::string maybe(const std::optional<Milliseconds>& time) {
  return time ? duration_text(*time) : "-";
}

std::string joined(const std::vector<std::string>& list) {
  return escape_markup(fmt::format("{}", fmt::join(list, ", ")));
}

std::string verdict(bool met) {
  return met ? "<span class=\"met\">met</span>" : "<span class=\"missed\">missed</span>";
}

/// A page that is being written; every text passes through escape_markup() on its way.
class Page {
 public:
  explicit Page(const Report& report) : r_(report) {}

  std::string write() {
    head();
    timeline();
    recoveries();
    section("Violations");
    list(r_.violations, "None: no hard service was answered outside home without a live grant.");
    expectations();
    decisions();
    section("Activation conditions");
    list(r_.activation, "None.");
    section("Deactivation conditions");
    list(r_.deactivation, "None.");
    section("What was taken for granted");
    list(r_.assumptions, "Nothing.");
    people();
    out_ += "</body>\n</html>\n";
    return std::move(out_);
  }

 private:
  void section(std::string_view title) {
    out_ += fmt::format("<h2>{}</h2>\n", escape_markup(title));
  }

  void list(const std::vector<std::string>& items, std::string_view none) {
    if (items.empty()) {
      out_ += fmt::format("<p>{}</p>\n", escape_markup(none));
      return;
    }
    out_ += "<ul>\n";
    for (const std::string& item : items) {
      out_ += fmt::format("<li>{}</li>\n", escape_markup(item));
    }
    out_ += "</ul>\n";
  }

  void head() {
    out_ += fmt::format(
        "<!DOCTYPE html>\n<html lang=\"en\" xmlns=\"http://www.w3.org/1999/xhtml\">\n<head>\n"
        "<meta charset=\"utf-8\"/>\n"
        "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"/>\n"
        "<title>Drill {0}: {1}</title>\n<style>{2}</style>\n</head>\n<body>\n"
        "<h1>Drill {0} <span class=\"badge {1}\">{1}</span></h1>\n",
        escape_markup(r_.scenario), r_.passed ? "passed" : "failed", report_style);
    if (!r_.description.empty()) out_ += fmt::format("<p>{}</p>\n", escape_markup(r_.description));
    if (!r_.aborted.empty()) {
      out_ += fmt::format("<p class=\"missed\">Aborted: {}</p>\n", escape_markup(r_.aborted));
    }
    out_ += "<dl>\n";
    const auto row = [&](std::string_view name, const std::string& value) {
      out_ += fmt::format("<dt>{}</dt><dd>{}</dd>\n", name, escape_markup(value));
    };
    const auto digest = [&](std::string_view name, const std::string& value) {
      out_ += fmt::format("<dt>{}</dt><dd><code>{}</code></dd>\n", name, escape_markup(value));
    };
    row("Run",
        r_.how == "shadow" ? fmt::format("in shadow, seed {}", r_.seed) : "live on " + r_.node);
    row("Began", to_rfc3339(r_.started));
    row("Lasted", duration_text(r_.lasted));
    row("Objectives", fmt::format("reads within {}, writes within {}", duration_text(r_.read_rto),
                                  duration_text(r_.write_rto)));
    row("Violations", std::to_string(r_.violations.size()));
    digest("Scenario", r_.scenario_digest);
    digest("Configuration", r_.configuration_digest);
    digest("Policy", r_.policy_digest);
    digest("This report", report_digest(r_));
    out_ += "</dl>\n";
  }

  void timeline() {
    section("Timeline");
    out_ += "<p class=\"legend\">";
    for (const auto& [colour, words] :
         {std::pair{"home", "inside home"}, std::pair{"abroad", "outside home, soft residency"},
          std::pair{"held", "held at the border"},
          std::pair{"exception", "outside home under a grant"}, std::pair{"down", "all down"},
          std::pair{"none", "no address"}}) {
      out_ += fmt::format("<span style=\"--c: var(--{})\">{}</span> ", colour, words);
    }
    out_ += "</p>\n<div class=\"wide\">\n" + render_timeline(r_) + "</div>\n";
  }

  void recoveries() {
    section("Recovery times");
    if (r_.recoveries.empty()) {
      out_ += "<p>No service in scope lost an answer.</p>\n";
      return;
    }
    out_ +=
        "<div class=\"wide\"><table>\n<thead><tr><th>Service</th><th>Access</th><th>Failed "
        "at</th><th>Detected</th><th>Decided</th><th>Published</th><th>TTL</th><th>RTO "
        "measured</th><th>RTO worst case</th><th>Objective</th><th></th><th>How</th><th>Back home "
        "after</th></tr></thead>\n<tbody>\n";
    for (const Recovery& one : r_.recoveries) {
      out_ += fmt::format(
          "<tr><td>{}</td><td>{}</td><td class=\"time\">{}</td><td class=\"time\">{}</td>"
          "<td class=\"time\">{}</td><td class=\"time\">{}</td><td class=\"time\">{}</td>"
          "<td class=\"time\"><b>{}</b></td><td class=\"time\">{}</td><td class=\"time\">{}</td>"
          "<td>{}</td><td>{}</td><td class=\"time\">{}</td></tr>\n",
          escape_markup(one.service), escape_markup(one.access), moment_text(one.failed),
          maybe(one.detected), maybe(one.decided), maybe(one.published), duration_text(one.ttl),
          maybe(one.measured), maybe(one.worst), duration_text(one.objective), verdict(one.met),
          escape_markup(one.how), maybe(one.back));
    }
    out_ += "</tbody></table></div>\n";
  }

  void expectations() {
    section("Expectations");
    if (r_.expected.empty()) {
      out_ += "<p>None were stated.</p>\n";
      return;
    }
    out_ +=
        "<div class=\"wide\"><table>\n<thead><tr><th>At</th><th>Service</th><th>Expected</th>"
        "<th>Found</th><th></th></tr></thead>\n<tbody>\n";
    for (const Expected& one : r_.expected) {
      out_ += fmt::format(
          "<tr><td class=\"time\">{}</td><td>{}</td><td>{}</td><td>{}</td><td>{}</td></tr>\n",
          moment_text(one.at), escape_markup(one.service), escape_markup(one.wanted),
          escape_markup(one.found), verdict(one.met));
    }
    out_ += "</tbody></table></div>\n";
  }

  void decisions() {
    section("Decisions, as the audit trail has them");
    out_ +=
        "<div class=\"wide\"><table>\n<thead><tr><th>At</th><th>Kind</th><th>Jurisdiction</th>"
        "<th>Facts</th></tr></thead>\n<tbody>\n";
    for (const Decision& one : r_.decisions) {
      out_ += fmt::format("<tr><td class=\"time\">{}</td><td class=\"time\">{}</td><td>{}</td><td>",
                          moment_text(one.at), escape_markup(one.kind),
                          escape_markup(one.jurisdiction));
      for (const auto& [name, value] : one.facts) {
        if (value.empty()) continue;
        out_ += fmt::format("<span class=\"fact\"><span class=\"name\">{}:</span> {}</span>",
                            escape_markup(name), escape_markup(value));
      }
      out_ += "</td></tr>\n";
    }
    out_ += "</tbody></table></div>\n";
  }

  void people() {
    section("Participants");
    list(r_.participants, "None named.");
    section("Sign-off");
    std::vector<std::string> needs;
    for (const auto& [role, persons] : r_.sign_off) {
      needs.push_back(fmt::format("{} {}", persons, role));
    }
    out_ += fmt::format("<p>Required: {}.</p>\n",
                        needs.empty() ? std::string("nobody") : joined(needs));
    std::vector<std::string> signers;
    for (const SignOff& one : r_.sign_offs) {
      signers.push_back(
          fmt::format("{} ({}), key {}, token {}", one.person, one.role, one.key, one.token_id));
    }
    list(signers, fmt::format("Not signed yet; a token's claim drill must say {}.",
                              sign_off_subject(r_.scenario, report_digest(r_))));
    section("Remediation owners");
    list(r_.remediation_owners, "None named.");
    section("Next drill");
    out_ += fmt::format("<p>Due by {}, once this one is recorded as passed.</p>\n",
                        to_rfc3339(r_.started + r_.lasted + r_.due_every));
  }

  const Report& r_;
  std::string out_;
};

}  // namespace

std::string render_html(const Report& report) { return Page(report).write(); }

}  // namespace demarc::zones::drill
