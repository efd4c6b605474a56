#include "zones/drill/report_timeline.h"

#include <algorithm>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace demarc::zones::drill {
namespace {

// All in the picture's own units; 1000 are its width.
constexpr double left = 12, right = 988;
constexpr double letter = 6.1;  // the widest average at font size 11
constexpr double mark_row = 16, bar = 20, label_row = 16, bracket_row = 34, gap = 10;
constexpr std::size_t label_letters_max = 64;

class Picture {
 public:
  explicit Picture(const Report& report) : report_(report) {
    const auto lead = report.lasted / 40;
    begin_ = -lead;
    end_ = std::max(report.lasted, Milliseconds(1000));
  }

  std::string draw() {
    draw_marks();
    const double lanes_from = y_;
    draw_services();
    draw_axis();
    const std::string lines = draw_lines(lanes_from);
    return fmt::format(
        "<svg class=\"timeline\" viewBox=\"0 0 1000 {:.0f}\" role=\"img\" "
        "aria-label=\"Timeline of the drill\" xmlns=\"http://www.w3.org/2000/svg\">\n{}{}</svg>\n",
        y_ + 6, lines, out_);
  }

 private:
  [[nodiscard]] double x(Milliseconds at) const {
    const auto clamped = std::clamp(at, begin_, end_);
    return left + (right - left) * static_cast<double>((clamped - begin_).count()) /
                      static_cast<double>((end_ - begin_).count());
  }

  void text(double at_x, double at_y, std::string_view what, const char* extra = "") {
    out_ += fmt::format("<text x=\"{:.1f}\" y=\"{:.1f}\" {}>{}</text>\n", at_x, at_y, extra,
                        escape_markup(what));
  }

  /// What happened, each with its words in the first row where they do not cover others.
  void draw_marks() {
    struct Placed {
      double from, to;
      std::size_t row;
    };
    std::vector<Placed> placed;
    std::size_t rows = 0;
    struct Drawn {
      const Mark* mark;
      double at, text_x;
      bool to_the_left;
      std::size_t row;
      std::string words;
    };
    std::vector<Drawn> drawn;
    for (const Mark& mark : report_.marks) {
      std::string words = fmt::format("{} {}", moment_text(mark.at), mark.text);
      if (words.size() > label_letters_max) words = words.substr(0, label_letters_max - 3) + "...";
      const double width = letter * static_cast<double>(words.size()) + 16;
      const double at = x(mark.at);
      const bool to_the_left = at + width > right;
      const double from = to_the_left ? at - width : at - 5;
      const double to = to_the_left ? at + 5 : at + width;
      std::size_t row = 0;
      const auto covers = [&](const Placed& other) {
        return other.row == row && from < other.to && other.from < to;
      };
      while (std::ranges::any_of(placed, covers)) ++row;
      placed.push_back({from, to, row});
      rows = std::max(rows, row + 1);
      drawn.push_back({&mark, at, to_the_left ? at - 9 : at + 9, to_the_left, row, words});
    }
    for (const Drawn& d : drawn) {
      const double y = 12 + mark_row * static_cast<double>(d.row);
      out_ += fmt::format(
          "<g class=\"mark {}\"><title>{} {}</title><line x1=\"{:.1f}\" y1=\"{:.1f}\" "
          "x2=\"{:.1f}\" y2=\"{:.1f}\"/><circle cx=\"{:.1f}\" cy=\"{:.1f}\" r=\"4\"/></g>\n",
          escape_markup(d.mark->kind), escape_markup(moment_text(d.mark->at)),
          escape_markup(d.mark->text), d.at, y, d.at, 12 + mark_row * static_cast<double>(rows),
          d.at, y);
    }
    for (const Drawn& d : drawn) {
      text(d.text_x, 16 + mark_row * static_cast<double>(d.row), d.words,
           d.to_the_left ? "class=\"halo\" text-anchor=\"end\"" : "class=\"halo\"");
    }
    y_ = 12 + mark_row * static_cast<double>(rows) + gap;
  }

  void draw_lane(const Lane& lane) {
    text(left, y_ + 12,
         fmt::format("{} - {}{}", lane.service, fmt::join(lane.clients, ", "),
                     lane.on_the_wire ? " (on the wire)" : ""),
         "class=\"lane halo\"");
    y_ += label_row;
    for (const Span& span : lane.spans) {
      const double from = x(span.from), to = x(span.to);
      if (span.to <= begin_ || to <= from) continue;
      const std::string words = answer_text(span.answer);
      out_ += fmt::format(
          "<g class=\"bar {}\"><title>{} to {}: {}</title><rect x=\"{:.1f}\" y=\"{:.1f}\" "
          "width=\"{:.1f}\" height=\"{:.0f}\"/></g>\n",
          colour_class(span.answer), escape_markup(moment_text(span.from)),
          escape_markup(moment_text(span.to)), escape_markup(words), from, y_,
          std::max(to - from, 1.0), bar);
      const std::string regions = fmt::format("{}", fmt::join(span.answer.regions, ", "));
      for (const std::string& fitting : {words, regions}) {
        if (fitting.empty() || letter * static_cast<double>(fitting.size()) + 8 > to - from) {
          continue;
        }
        text(from + 5, y_ + 14, fitting, "class=\"inbar\"");
        break;
      }
    }
    y_ += bar + gap;
  }

  /// Failure to recovery: what was needed to see and decide, then the caches' wait.
  void draw_bracket(const Recovery& one) {
    const Milliseconds until =
        one.measured ? one.failed + *one.measured : std::max(end_, one.failed);
    const Milliseconds decided = one.published ? one.failed + *one.published : until;
    const double from = x(one.failed), middle = x(decided), to = x(until), y = y_ + 4;
    const char* kind = one.met ? "met" : "missed";
    out_ += fmt::format(
        "<g class=\"bracket {}\"><path d=\"M{:.1f} {:.1f}v8M{:.1f} {:.1f}H{:.1f}M{:.1f} "
        "{:.1f}v8\"/><path class=\"caches\" d=\"M{:.1f} {:.1f}H{:.1f}\"/></g>\n",
        kind, from, y, from, y + 4, middle, to, y, middle, y + 4, to);
    const std::string words = fmt::format(
        "{} {} ({}, objective {})",
        one.measured ? "RTO " + duration_text(*one.measured) : std::string("no recovery"),
        one.met ? "met" : "missed", one.how, duration_text(one.objective));
    const double width = letter * static_cast<double>(words.size());
    const bool to_the_left = from + width > right;
    text(to_the_left ? right : from, y + 24, words,
         to_the_left ? "class=\"words halo\" text-anchor=\"end\"" : "class=\"words halo\"");
    y_ += bracket_row;
  }

  void draw_services() {
    std::string last;
    for (std::size_t i = 0; i < report_.lanes.size(); ++i) {
      draw_lane(report_.lanes[i]);
      const std::string& service = report_.lanes[i].service;
      if (i + 1 < report_.lanes.size() && report_.lanes[i + 1].service == service) continue;
      for (const Recovery& one : report_.recoveries) {
        if (one.service == service) draw_bracket(one);
      }
      y_ += gap;
    }
  }

  void draw_axis() {
    constexpr std::int64_t steps[] = {1,   2,   5,   10,  15,   30,   60,
                                      120, 300, 600, 900, 1800, 3600, 7200};
    std::int64_t step = steps[std::size(steps) - 1];
    for (const std::int64_t candidate : steps) {
      if (end_ / Seconds(candidate) > 10) continue;
      step = candidate;
      break;
    }
    y_ += 4;
    out_ += fmt::format("<line class=\"axis\" x1=\"{}\" y1=\"{:.1f}\" x2=\"{}\" y2=\"{:.1f}\"/>\n",
                        left, y_, right, y_);
    for (Milliseconds at{0}; at <= end_; at += Seconds(step)) {
      out_ += fmt::format(
          "<line class=\"axis\" x1=\"{0:.1f}\" y1=\"{1:.1f}\" x2=\"{0:.1f}\" y2=\"{2:.1f}\"/>\n",
          x(at), y_, y_ + 5);
      const bool at_the_end = x(at) > right - 30;
      text(x(at), y_ + 18, at == Milliseconds(0) ? "0" : duration_text(at),
           at_the_end ? "text-anchor=\"end\"" : "text-anchor=\"middle\"");
    }
    y_ += 24;
  }

  /// Down through all lanes: when something failed and came back.
  [[nodiscard]] std::string draw_lines(double from) const {
    std::string lines;
    for (const Mark& mark : report_.marks) {
      if (mark.kind != "failure" && mark.kind != "recovery") continue;
      lines += fmt::format(
          "<line class=\"through {}\" x1=\"{:.1f}\" y1=\"{:.1f}\" x2=\"{:.1f}\" y2=\"{:.1f}\"/>\n",
          escape_markup(mark.kind), x(mark.at), from - gap, x(mark.at), y_ - 24);
    }
    return lines;
  }

  const Report& report_;
  Milliseconds begin_{0}, end_{0};
  double y_ = 0;
  std::string out_;
};

}  // namespace

std::string escape_markup(std::string_view text) {
  std::string out;
  for (const char c : text) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      case '\'':
        out += "&#39;";
        break;
      default:
        out += static_cast<unsigned char>(c) < 0x20 ? ' ' : c;
    }
  }
  return out;
}

std::string_view colour_class(const Answer& answer) {
  if (answer.kind != ChoiceKind::records) return "none";
  switch (answer.note) {
    case ChoiceNote::held:
      return "held";
    case ChoiceNote::exception:
      return "exception";
    case ChoiceNote::all_down:
      return "down";
    case ChoiceNote::none:
      break;
  }
  return answer.abroad ? "abroad" : "home";
}

std::string render_timeline(const Report& report) { return Picture(report).draw(); }

}  // namespace demarc::zones::drill
