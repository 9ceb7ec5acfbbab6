#include "activities/estimate/proofs.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "activities/import/download.h"
#include "activities/import/sample.h"
#include "activities/import/texts.h"
#include "activities/platforms/answers.h"

namespace callimport::activities {
namespace {

struct Named {
  const char *name, *title;
};
constexpr Named kChecks[] = {
    {"access.valid", "credential valid"},
    {"access.list", "can list calls"},
    {"access.scope", "sees the whole workspace"},
    {"call.download", "can download a recording"},
    {"call.transcript", "transcripts available"},
    {"quota", "quota left"},
    {"storage", "room on the disk"},
    {"clock", "clocks agree"},
    {"people", "people can be matched"},
    {"duplicates", "duplicates in the library"},
};

constexpr std::int64_t kClockSlackMs = 60'000;
constexpr double kQuotaLow = 0.2, kPeopleEnough = 0.5;

struct People {
  int calls = 0, named = 0, with_email = 0;
};

Awaitable<void> size_recording(std::shared_ptr<Session> session, storage::ManifestRow call, Checklist& checks,
                               Seen& seen) {
  const Platform& platform = session->platform();
  auto asking = session->ask(Operation::kMediaLink, platform.media(session->auth(), call.source_id), platform.read_media);
  const Fetched<MediaLink> link = co_await std::move(asking);
  if (!link) {
    if (seen.sized == 0) checks.set("call.download", CheckResult::kFail, trouble_words(link.error()));
    co_return;
  }
  auto measuring = measure_media(session, link->url);
  const std::optional<std::int64_t> bytes = co_await std::move(measuring);
  if (!bytes) {
    if (seen.sized == 0)
      checks.set("call.download", CheckResult::kFail,
                 "the recording's place was told, but its first byte does not come");
    co_return;
  }
  ++seen.sized;
  if (*bytes > 0) seen.sized_bytes += *bytes;
  if (call.duration_ms) seen.sized_ms += *call.duration_ms;
  checks.set("call.download", CheckResult::kPass,
             fmt::format("the first byte of {} of the recordings tried came", seen.sized));
}

void judge_people(Checklist& checks, const People& people) {
  if (people.calls == 0) return checks.set("people", CheckResult::kUnknown, "no call's details could be read");
  const auto text = fmt::format("{} of {} participants of {} calls have an e-mail address to be matched by",
                                people.with_email, people.named, people.calls);
  const bool enough = people.with_email >= kPeopleEnough * people.named;
  checks.set("people", enough ? CheckResult::kPass : CheckResult::kWarning,
             enough ? text : text + "; the others are listed as unmatched and hold nothing up");
}

}  // namespace

std::string_view to_string(CheckResult result) {
  switch (result) {
    case CheckResult::kPass: return "pass";
    case CheckResult::kWarning: return "warning";
    case CheckResult::kFail: return "fail";
    case CheckResult::kUnknown: break;
  }
  return "could not check";
}

const std::vector<std::string>& check_names() {
  static const std::vector<std::string> names = [] {
    std::vector<std::string> all;
    for (const auto& one : kChecks) all.emplace_back(one.name);
    return all;
  }();
  return names;
}

std::string trouble_words(const Trouble& trouble) {
  return std::visit(
      [](const auto& one) {
        if constexpr (requires { one.message; }) {
          return one.message.empty() ? one.cause : fmt::format("{} ({})", one.message, one.cause);
        } else {
          return one.cause;
        }
      },
      trouble);
}

void RepliesSeen::saw(const HttpReply& reply) {
  if (const auto rate = platform->read_rate(reply)) {
    per_minute = rate->per_minute;
    remaining = rate->remaining;
  }
  if (const auto date = read_http_date(reply.header("date"))) ahead_ms = to_unix_ms(clock->now()) - to_unix_ms(*date);
}

Checklist::Checklist(SurveyState& state, Clock& clock, const std::vector<std::string>& only)
    : state_(state), clock_(clock) {
  for (const auto& one : kChecks) {
    if (!only.empty() && std::find(only.begin(), only.end(), one.name) == only.end()) continue;
    state_.checks.push_back({one.name, one.title, CheckResult::kUnknown, "not reached", to_unix_ms(clock_.now())});
  }
}

bool Checklist::wants(std::string_view name) const {
  return std::any_of(state_.checks.begin(), state_.checks.end(), [&](const Check& one) { return one.name == name; });
}

void Checklist::set(std::string_view name, CheckResult result, std::string text) {
  for (Check& check : state_.checks) {
    if (check.name != name) continue;
    check.result = result;
    check.text = std::move(text);
    check.at_ms = to_unix_ms(clock_.now());
  }
}

void Checklist::access(const Platform& platform, const std::string& token_kind, const Fetched<ListPage>& first) {
  if (first) {
    set("access.valid", CheckResult::kPass, fmt::format("{} takes it", platform.title));
    set("access.list", CheckResult::kPass,
        first->calls.empty() ? "the list answers, and holds no call" : "the newest calls were listed");
    if (token_kind == "pat")
      set("access.scope", CheckResult::kWarning,
          "a personal token sees what its owner sees: for all calls a workspace token is needed");
    else
      set("access.scope", CheckResult::kUnknown, fmt::format("{} does not tell what a token may see", platform.title));
    return;
  }
  const auto* person = std::get_if<NeedsAttention>(&first.error());
  const std::string words = trouble_words(first.error());
  for (const Check& check : state_.checks) set(check.name, CheckResult::kUnknown, "not reached: " + words);
  if (person == nullptr) {
    set("access.valid", CheckResult::kUnknown, words);
    set("access.list", CheckResult::kUnknown, words);
  } else if (person->cause == "access.scope_missing") {
    set("access.valid", CheckResult::kPass, fmt::format("{} takes it", platform.title));
    set("access.list", CheckResult::kFail, words + "; ask the " + person->who);
  } else {
    set("access.valid", CheckResult::kFail, words + "; ask the " + person->who);
  }
}

void Checklist::replies(const Platform& platform, const RepliesSeen& replies, Seen& seen) {
  if (replies.per_minute) seen.per_minute = *replies.per_minute;
  if (!replies.per_minute || !replies.remaining) {
    set("quota", CheckResult::kUnknown, fmt::format("{} does not tell how much is left", platform.title));
  } else {
    const bool low = *replies.remaining < kQuotaLow * *replies.per_minute;
    set("quota", low ? CheckResult::kWarning : CheckResult::kPass,
        fmt::format("{} of {} requests of this minute are left{}", grouped(*replies.remaining),
                    grouped(*replies.per_minute), low ? ": other tools of the customer use them, too" : ""));
  }
  if (!replies.ahead_ms) {
    set("clock", CheckResult::kUnknown, fmt::format("{} does not tell its time", platform.title));
  } else if (std::abs(*replies.ahead_ms) <= kClockSlackMs) {
    set("clock", CheckResult::kPass, fmt::format("within {} of {}'s", spoken_duration(kClockSlackMs), platform.title));
  } else {
    set("clock", CheckResult::kWarning,
        fmt::format("ours is {} {} {}'s: signed links may be refused; set the machine's time",
                    spoken_duration(std::abs(*replies.ahead_ms)), *replies.ahead_ms > 0 ? "ahead of" : "behind",
                    platform.title));
  }
}

void Checklist::duplicates(const Seen& seen) {
  set("duplicates", CheckResult::kPass,
      seen.known == 0 ? fmt::format("none of {} calls looked at", grouped(seen.looked_at))
                      : fmt::format("{} of {} calls looked at are there and are not imported again",
                                    grouped(seen.known), grouped(seen.looked_at)));
}

namespace {

Awaitable<void> read_one(std::shared_ptr<Session> session, std::string source_id, People& people) {
  const Platform& platform = session->platform();
  auto describing =
      session->ask(Operation::kDetails, platform.details(session->auth(), source_id), platform.read_details);
  const Fetched<storage::Call> details = co_await std::move(describing);
  if (!details) co_return;
  ++people.calls;
  for (const auto& person : details->participants) {
    ++people.named;
    if (!person.email.empty()) ++people.with_email;
  }
}

Awaitable<bool> read_words(std::shared_ptr<Session> session, std::string source_id, Checklist& checks) {
  const Platform& platform = session->platform();
  auto reading =
      session->ask(Operation::kTranscript, platform.transcript(session->auth(), source_id), platform.read_transcript);
  const auto transcript = co_await std::move(reading);
  if (transcript) {
    checks.set("call.transcript", CheckResult::kPass, "a transcript was read");
  } else {
    checks.set("call.transcript", CheckResult::kWarning, trouble_words(transcript.error()));
  }
  co_return transcript.has_value();
}

}  // namespace

Awaitable<void> prove_calls(std::shared_ptr<Session> session, std::vector<storage::ManifestRow> calls, bool media,
                            Checklist& checks, SurveyState& state) {
  std::erase_if(calls, [](const auto& call) { return call.state == storage::CallState::kFailed; });
  People people;
  if (!media) checks.set("call.download", CheckResult::kPass, "not needed: transcripts only");
  const bool sizes = media && (checks.wants("call.download") || checks.wants("storage"));
  bool recorded = false, transcribed = false;
  for (const auto& call : pick_evenly(std::move(calls), kCallsProven)) {
    if (checks.wants("people")) {
      auto describing = read_one(session, call.source_id, people);
      co_await std::move(describing);
    }
    if (checks.wants("call.transcript") && !transcribed) {
      auto reading = read_words(session, call.source_id, checks);
      transcribed = co_await std::move(reading);
    }
    if (!sizes || call.media_type == "transcript") continue;
    recorded = true;
    auto sizing = size_recording(session, call, checks, state.seen);
    co_await std::move(sizing);
  }
  if (sizes && !recorded)
    checks.set("call.download", CheckResult::kUnknown, "none of the newest calls has a recording to try");
  judge_people(checks, people);
}

Awaitable<void> check_storage(SharedDeps deps, const SurveyOrder& order, Checklist& checks, const SurveyState& state) {
  if (!order.free_bytes) co_return checks.set("storage", CheckResult::kUnknown, "the disk cannot be asked");
  auto look = order.free_bytes;
  auto looking = engine::on_pool(deps->pool, deps->loop, std::move(look));
  const Result<std::uint64_t> free = co_await std::move(looking);
  if (!free) co_return checks.set("storage", CheckResult::kUnknown, free.error().message);
  const auto room = static_cast<double>(*free);
  const Platform* platform = find_platform(order.ask.platform);
  const auto estimate = estimate_of(*platform, order.ask, state.seen, state.past, {});
  if (!estimate.bytes)
    co_return checks.set("storage", CheckResult::kUnknown,
                         fmt::format("{:.1f} GB are free; no recording could be measured", room / 1e9));
  const bool fits = estimate.bytes->to < room;
  checks.set("storage", fits ? CheckResult::kPass : CheckResult::kFail,
             fmt::format("{:.1f} GB are free, up to {:.1f} GB will come{}", room / 1e9, estimate.bytes->to / 1e9,
                         fits ? "" : ": free some, or the import will wait half way"));
}

}  // namespace callimport::activities
