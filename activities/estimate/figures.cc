#include "activities/estimate/figures.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "activities/import/texts.h"

namespace callimport::activities {
namespace {

constexpr int kFewImports = 3;
constexpr double kSureSample = 1.25;   ///< high / low of a sample that is called medium
constexpr double kBesidesMs = 15'000;  ///< proving access, ordering and closing, at most
constexpr int kRequestsOfCall = 2;     ///< details and transcript; the recording's place is one more

double share_of(std::int64_t part, std::int64_t whole) {
  return whole > 0 ? static_cast<double>(part) / static_cast<double>(whole) : 0.0;
}

/// Calls that will be asked for, of `found`.
double wanted_of(double found, const ImportInput& ask, const Seen& seen) {
  const double wanted = found * (1 - share_of(seen.known + seen.unusable, seen.looked_at));
  return ask.calls_max > 0 ? std::min(wanted, static_cast<double>(ask.calls_max)) : wanted;
}

double with_recording(const ImportInput& ask, const Seen& seen) {
  return ask.media ? 1 - share_of(seen.transcript_only, seen.looked_at) : 0.0;
}

double requests_of(double found, double wanted, const ImportInput& ask, const Seen& seen) {
  const double pages = seen.page_calls > 0 ? std::ceil(found / static_cast<double>(seen.page_calls)) : 1.0;
  return std::max(pages, 1.0) + wanted * (kRequestsOfCall + with_recording(ask, seen));
}

/// The least time that a limit leaves, and which limit it is.
struct Bound {
  double ms = 0;
  std::string cause;
  void raise(double at_least, std::string why) {
    if (at_least <= ms) return;
    ms = at_least;
    cause = std::move(why);
  }
};

Bound bound_of(const Platform& platform, const Seen& seen, double requests, double bytes) {
  Bound bound;
  const int per_minute = seen.per_minute > 0 ? seen.per_minute : requests_per_minute(platform);
  if (per_minute > 0) {
    bound.raise(requests * 60'000 / per_minute,
                fmt::format("{}'s {} requests a minute", platform.title, grouped(per_minute)));
  }
  const bool large = bytes >= 1e9;
  bound.raise(bytes / kTransferBytesPerSecond * 1'000, fmt::format("{:.1f} {} to transfer, at 200 Mbit/s as assumed",
                                                                   bytes / (large ? 1e9 : 1e6), large ? "GB" : "MB"));
  return bound;
}

struct Course {
  Span first_ms, duration_ms;
  std::string cause;
};

/// The first lane goes at any hour, the rest as windows and budget let it. `slower`: than the limits alone say.
std::optional<Course> course_of(const Bound& bound, double wanted, double first, double slower, const Terms& terms) {
  if (bound.ms <= 0 || wanted < 1) return std::nullopt;
  Course course;
  course.cause = bound.cause;
  const double ms_per_call = bound.ms / wanted * slower;
  const double of_first = std::min(wanted, first);
  const double first_ms = of_first * ms_per_call;
  course.first_ms = {first_ms, first_ms};
  const Timestamp bulk_from = terms.start + std::chrono::milliseconds{std::llround(first_ms)};
  const auto finish = finish_of(bulk_from, {wanted - of_first, ms_per_call, -1}, terms.window, terms.budget);
  if (!finish) return std::nullopt;
  const auto ms = static_cast<double>(std::chrono::ceil<std::chrono::milliseconds>(finish->end - terms.start).count());
  course.duration_ms = {ms, ms};
  const Nanos working = finish->working + std::chrono::milliseconds{std::llround(first_ms)};
  if (finish->closed > working && finish->closed >= finish->over_budget)
    course.cause = "the hours in which bulk may run";
  else if (finish->over_budget > working)
    course.cause = budget_words(terms.budget);
  return course;
}

void add_not_coming(Estimate& estimate, const Platform& platform, const ImportInput& ask, const Seen& seen) {
  const auto add = [&](const char* cause, std::int64_t part, std::string text) {
    if (part == 0) return;
    auto all = static_cast<double>(seen.calls.likely);
    if (ask.calls_max > 0) all = std::min(all, static_cast<double>(ask.calls_max));
    const double calls = share_of(part, seen.looked_at) * all;
    estimate.not_coming.push_back({cause, std::max<std::int64_t>(std::llround(calls), 1), std::move(text)});
  };
  if (ask.media) {
    add("call.no_recording", seen.transcript_only,
        fmt::format("come without a recording: {} has their transcript only", platform.title));
  }
  add("duplicate.skipped", seen.known, "are in the library already and are not imported again");
  add("call.id_unusable", seen.unusable, "cannot be asked for: their id is none");
  if (!ask.media) {
    estimate.not_coming.push_back({"media.not_asked", static_cast<std::int64_t>(estimate.to_import),
                                   "come without a recording: transcripts only were asked for"});
  }
}

void add_cost(Estimate& estimate, const Prices& prices) {
  estimate.cost_text = price_words(prices);
  if (!prices.any()) return;
  estimate.currency = prices.currency;
  const double share = estimate.calls.to > 0 ? estimate.to_import / estimate.calls.to : 0;
  const Span nothing;
  const Span hours = estimate.hours.value_or(nothing), bytes = estimate.bytes.value_or(nothing);
  estimate.cost = Span{cost_of(prices, estimate.calls.from * share, hours.from, bytes.from),
                       cost_of(prices, estimate.to_import, hours.to, bytes.to)};
  if (!estimate.hours && prices.hour > 0) estimate.cost_text += "; without the hours, which are not known";
}

void add_basis(Estimate& estimate, const Platform& platform, const Seen& seen, const Past& past) {
  const auto pages = [&](int count) { return fmt::format("{} {}", grouped(count), count == 1 ? "page" : "pages"); };
  estimate.basis = seen.calls.exact
                       ? fmt::format("an exact count on {}", pages(seen.pages))
                       : fmt::format("a sample of {} calls on {}", grouped(seen.looked_at), pages(seen.pages));
  if (seen.sized > 0) estimate.basis += fmt::format("; sizes of {} recordings", seen.sized);
  if (past.imports > 0) estimate.basis += fmt::format("; {} past imports of {}", grouped(past.imports), platform.title);
  const bool sure = static_cast<double>(seen.calls.high) <= kSureSample * static_cast<double>(seen.calls.low);
  if (seen.calls.exact && past.imports >= kFewImports)
    estimate.confidence = "high";
  else
    estimate.confidence = seen.calls.exact || (sure && seen.looked_at > 0) ? "medium" : "low";
  estimate.accuracy = accuracy_words(past, platform.title);
}

}  // namespace

Estimate estimate_of(const Platform& platform, const ImportInput& ask, const Seen& seen, const Past& past,
                     const Terms& terms) {
  Estimate estimate;
  const auto low = static_cast<double>(seen.calls.low), high = static_cast<double>(seen.calls.high);
  estimate.calls = {low, high};
  const Span wanted{wanted_of(low, ask, seen), wanted_of(high, ask, seen)};
  estimate.to_import = wanted_of(static_cast<double>(seen.calls.likely), ask, seen);
  const double length = share_of(seen.length_ms, seen.with_length);
  if (seen.with_length > 0) estimate.hours = Span{wanted.from * length / 3'600'000, wanted.to * length / 3'600'000};
  const double recorded = with_recording(ask, seen);
  double size = past.bytes_per_call;
  if (seen.sized > 0) size = share_of(seen.sized_bytes, seen.sized);
  if (seen.sized_ms > 0 && seen.recorded_ms > 0)
    size = share_of(seen.sized_bytes, seen.sized_ms) * share_of(seen.recorded_ms, seen.recorded);
  if (recorded <= 0 && seen.looked_at > 0)
    estimate.bytes = Span{};
  else if (size > 0)
    estimate.bytes = Span{wanted.from * recorded * size, wanted.to * recorded * size};
  // A sample is not found by walking all pages.
  const double found_from = ask.calls_max > 0 ? wanted.from : low, found_to = ask.calls_max > 0 ? wanted.to : high;
  estimate.requests = {requests_of(found_from, wanted.from, ask, seen), requests_of(found_to, wanted.to, ask, seen)};
  estimate.day_share = fmt::format("{} states no daily quota", platform.title);

  const Span bytes = estimate.bytes.value_or(Span{});
  const auto first = static_cast<double>(ask.settings.first_lane);
  const double doubt = past.latest_over > 0 ? kDoubtWithoutPast * std::max(past.latest_over, 0.8) : kDoubtWithoutPast;
  const Bound least = bound_of(platform, seen, estimate.requests.from, bytes.from);
  const Bound most = bound_of(platform, seen, estimate.requests.to, bytes.to);
  const auto soon = course_of(least, wanted.from, first, 1, terms);
  const auto late = course_of(most, wanted.to, first, doubt, terms);
  if (late) {
    estimate.duration_ms = Span{soon ? soon->duration_ms.from : 0, late->duration_ms.to + kBesidesMs};
    estimate.first_ms = Span{soon ? soon->first_ms.from : 0, late->first_ms.to + kBesidesMs};
    estimate.cause = late->cause;
  }
  if (wanted.to < 1) {
    estimate.duration_ms = Span{};
    estimate.cause = "nothing being there to import";
  }
  add_not_coming(estimate, platform, ask, seen);
  add_cost(estimate, terms.prices);
  add_basis(estimate, platform, seen, past);
  return estimate;
}

Prediction prediction_of(const Estimate& estimate) {
  Prediction said;
  said.calls = std::llround(estimate.to_import);
  if (estimate.duration_ms) {
    said.duration_from_ms = std::llround(estimate.duration_ms->from);
    said.duration_to_ms = std::llround(estimate.duration_ms->to);
  }
  said.cause = estimate.cause;
  return said;
}

}  // namespace callimport::activities
