#include "api/cli/report_chart.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <vector>

#include "api/cli/report_html.h"
#include "api/cli/report_text.h"
#include "api/cli/text.h"

namespace callimport::api {
namespace {

using nlohmann::json;

// In units of the picture; about pixels on the narrowest screen.
constexpr double kWidth = 360, kHeight = 200, kLeft = 34, kRight = 354, kTop = 20, kBottom = 172;
constexpr std::int64_t kMinuteMs = 60'000;

struct Bar {
  std::int64_t from_ms = 0, to_ms = 0;
  double per_minute = 0;
};
struct Shade {
  std::int64_t from_ms = 0, to_ms = 0;
  std::string reason;
};
struct Chart {
  std::vector<Bar> bars;
  std::vector<Shade> shades;
  std::map<std::string, std::string> letters;  ///< by reason
  std::int64_t from_ms = 0, to_ms = 1;
  double most = 1;

  double x(std::int64_t at_ms) const {
    const double part = static_cast<double>(at_ms - from_ms) / static_cast<double>(to_ms - from_ms);
    return kLeft + std::clamp(part, 0.0, 1.0) * (kRight - kLeft);
  }
  double y(double per_minute) const { return kBottom - per_minute / most * (kBottom - kTop); }
};

/// A, B, ... Z, AA, AB.
std::string letter(std::size_t number) {
  std::string name(1, static_cast<char>('A' + number % 26));
  return number < 26 ? name : std::string(1, static_cast<char>('A' + number / 26 - 1)) + name;
}

Chart chart_of(const json& report) {
  Chart chart;
  const json data = report.value("chart", json::object());
  for (const json& span : data.value("calls", json::array())) {
    const std::int64_t from = span.value("at_ms", std::int64_t{0});
    const std::int64_t minutes = std::max<std::int64_t>(1, span.value("minutes", std::int64_t{1}));
    const auto calls = static_cast<double>(span.value("calls", std::int64_t{0}));
    chart.bars.push_back({from, from + minutes * kMinuteMs, calls / static_cast<double>(minutes)});
  }
  for (const json& wait : data.value("waits", json::array())) {
    chart.shades.push_back(
        {wait.value("from_ms", std::int64_t{0}), wait.value("to_ms", std::int64_t{0}), wait.value("reason", "")});
    chart.letters.emplace(chart.shades.back().reason, letter(chart.letters.size()));
  }
  chart.from_ms = report.value("started_ms", std::int64_t{0});
  chart.to_ms = std::max(report.value("closed_ms", std::int64_t{0}), report.value("as_of_ms", std::int64_t{0}));
  for (const Bar& bar : chart.bars) {
    chart.from_ms = std::min(chart.from_ms, bar.from_ms);
    chart.to_ms = std::max(chart.to_ms, bar.to_ms);
    chart.most = std::max(chart.most, bar.per_minute);
  }
  chart.to_ms = std::max(chart.to_ms, chart.from_ms + kMinuteMs);
  return chart;
}

std::string shade_of(const Chart& chart, const Shade& shade) {
  const double from = chart.x(shade.from_ms), width = std::max(0.5, chart.x(shade.to_ms) - from);
  std::string svg = fmt::format(
      "<rect class=\"wait\" x=\"{:.2f}\" y=\"{}\" width=\"{:.2f}\" height=\"{}\"><title>{}, {} to {}</title></rect>\n",
      from, kTop, width, kBottom - kTop, html_text(shade.reason), report_time(shade.from_ms), report_time(shade.to_ms));
  if (width < 8) return svg;
  return svg + fmt::format("<text x=\"{:.2f}\" y=\"{}\" text-anchor=\"middle\">{}</text>\n", from + width / 2, kTop - 6,
                           chart.letters.at(shade.reason));
}

std::string bar_of(const Chart& chart, const Bar& bar) {
  const double from = chart.x(bar.from_ms), width = std::max(0.4, chart.x(bar.to_ms) - from);
  const double top = chart.y(bar.per_minute);
  return fmt::format("<rect class=\"bar\" x=\"{:.2f}\" y=\"{:.2f}\" width=\"{:.2f}\" height=\"{:.2f}\"/>\n", from, top,
                     width, kBottom - top);
}

std::string axes_of(const Chart& chart) {
  std::string svg =
      fmt::format("<path class=\"axis\" fill=\"none\" d=\"M{} {} V{} H{}\"/>\n", kLeft, kTop, kBottom, kRight);
  svg += fmt::format("<text x=\"{}\" y=\"{}\" text-anchor=\"end\">{:.0f}</text>\n", kLeft - 4, kTop + 8, chart.most);
  svg += fmt::format("<text x=\"{}\" y=\"{}\" text-anchor=\"end\">0</text>\n", kLeft - 4, kBottom);
  svg += fmt::format("<text x=\"{}\" y=\"{}\">{}</text>\n", kLeft, kBottom + 14, report_time(chart.from_ms));
  svg += fmt::format("<text x=\"{}\" y=\"{}\" text-anchor=\"end\">{}</text>\n", kRight, kBottom + 14,
                     report_time(chart.to_ms));
  return svg;
}

std::string in_words(const Chart& chart) {
  return fmt::format(
      "Calls that came into the library per minute from {} to {} UTC, at most {:.0f} a minute; {} waits are shaded.",
      report_time(chart.from_ms), report_time(chart.to_ms), chart.most, chart.shades.size());
}

}  // namespace

std::string report_chart(const json& report) {
  const Chart chart = chart_of(report);
  std::string svg = fmt::format(
      "<figure style=\"margin:0\"><svg viewBox=\"0 0 {} {}\" role=\"img\" aria-label=\"{}\" "
      "xmlns=\"http://www.w3.org/2000/svg\">\n",
      kWidth, kHeight, html_text(in_words(chart)));
  for (const Shade& shade : chart.shades) svg += shade_of(chart, shade);
  for (const Bar& bar : chart.bars) svg += bar_of(chart, bar);
  svg += axes_of(chart) + "</svg>\n<figcaption class=\"soft\">" + html_text(in_words(chart));
  std::map<std::string, std::string> by_letter;
  for (const auto& [reason, letter] : chart.letters) by_letter[letter] = reason;
  for (const auto& [letter, reason] : by_letter) svg += fmt::format(" <b>{}</b> {}.", letter, html_text(reason));
  return svg + "</figcaption></figure>\n";
}

}  // namespace callimport::api
