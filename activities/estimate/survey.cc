#include "activities/estimate/survey.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <set>

#include "activities/estimate/proofs.h"
#include "activities/import/choice.h"
#include "activities/import/sample.h"
#include "activities/import/window.h"

namespace callimport::activities {
namespace {

constexpr double kWalkShare = 0.4;  ///< of the time: then the rest is asked for here and there
/// What takes a count, so that it is made when asked for by name only.
constexpr std::array<std::string_view, 2> kCounted = {"storage", "duplicates"};
constexpr Nanos kTellEvery = std::chrono::milliseconds{300};

/// One survey under way.
struct Survey {
  std::shared_ptr<Session> session;
  SurveyOrder order;
  std::shared_ptr<SurveyState> state;
  SurveyTell tell;
  Choice choice;
  CallSpread spread;
  std::set<std::string> ids{};  ///< of calls looked at
  Timestamp began{}, told{};
  bool listened = true;

  Nanos spent() const { return session->now() - began; }
  bool late(double share) const {
    return order.time.count() > 0 &&
           static_cast<double>(spent().count()) >= share * static_cast<double>(order.time.count());
  }

  /// Calls of a page that were not looked at before, counted by what they are; answers their ids.
  std::vector<std::string> look_at(const ListPage& page) {
    Seen& seen = state->seen;
    ++seen.pages;
    seen.page_calls = std::max<std::int64_t>(seen.page_calls, std::ssize(page.calls));
    std::vector<std::string> fresh;
    for (const auto& call : page.calls) {
      if (!ids.insert(call.source_id).second || !choice.takes(call)) continue;
      fresh.push_back(call.source_id);
      ++seen.looked_at;
      if (call.state == storage::CallState::kFailed)
        ++seen.unusable;
      else if (call.media_type == "transcript")
        ++seen.transcript_only;
      else if (call.media_type == "audio")
        ++seen.audio;
      else if (call.media_type == "video")
        ++seen.video;
      if (!call.duration_ms) continue;
      ++seen.with_length;
      seen.length_ms += *call.duration_ms;
      if (call.media_type == "transcript") continue;
      ++seen.recorded;
      seen.recorded_ms += *call.duration_ms;
    }
    return fresh;
  }

  /// How many calls there are to be asked for, from how many the list seems to have.
  CallSpread::Guess chosen(CallSpread::Guess listed) const {
    if (choice.takes_all()) return listed;
    if (choice.named() > 0) return {choice.named(), choice.named(), choice.named(), true};
    const double share =
        static_cast<double>(state->seen.looked_at) / static_cast<double>(std::max<std::size_t>(1, ids.size()));
    const auto part = [share](std::int64_t calls) {
      return static_cast<std::int64_t>(std::llround(share * static_cast<double>(calls)));
    };
    return {part(listed.low), part(listed.likely), part(listed.high), false};
  }

  void say() {
    told = session->now();
    if (listened) listened = tell(*state);
  }
  void say_sometimes() {
    if (session->now() - told >= kTellEvery) say();
  }
};
using SharedSurvey = std::shared_ptr<Survey>;

std::vector<std::int64_t> starts_of(const ListPage& page) {
  std::vector<std::int64_t> starts;
  for (const auto& call : page.calls) {
    if (call.start_ms != 0) starts.push_back(call.start_ms);
  }
  return starts;
}

/// Counts a page in, and how many of its calls the library has.
Awaitable<void> take_page(SharedSurvey self, ListPage page) {
  auto fresh = self->look_at(page);
  ImportDeps& deps = self->session->deps();
  auto look = [&deps, ask = self->order.ask, ids = std::move(fresh)] {
    return deps.library.known_calls(ask.platform, ask.workspace, ids);
  };
  auto looking = engine::on_pool(deps.pool, deps.loop, std::move(look));
  const Result<std::int64_t> known = co_await std::move(looking);
  if (known) self->state->seen.known += *known;
}

/// Page after page from the newest, until the end or until the time is needed for the rest.
Awaitable<bool> walk(SharedSurvey self, ListPage first) {
  const Platform& platform = self->session->platform();
  const ImportInput& ask = self->order.ask;
  ListQuery query;
  if (ask.after_ms != 0) query.after = from_unix_ms(ask.after_ms);
  if (ask.before_ms != 0) query.before = from_unix_ms(ask.before_ms);
  ListPage page = std::move(first);
  std::int64_t until = ask.before_ms != 0 ? ask.before_ms : to_unix_ms(self->session->now());
  for (const std::int64_t start : starts_of(page)) until = std::max(until, start + 1);
  while (true) {
    const auto starts = starts_of(page);
    const auto next = page.next;
    self->spread.saw(until, starts, !next);
    if (!starts.empty()) until = std::min(until, starts.back());
    auto taking = take_page(self, std::move(page));
    co_await std::move(taking);
    Seen& seen = self->state->seen;
    seen.calls = self->chosen(self->spread.guess());
    if (!next) {
      seen.calls = {seen.looked_at, seen.looked_at, seen.looked_at, true};
      co_return true;
    }
    self->say_sometimes();
    if (!self->listened || self->late(kWalkShare)) co_return false;
    query.cursor = *next;
    auto asking = self->session->ask(Operation::kList, platform.list(self->session->auth(), query), platform.read_page);
    Fetched<ListPage> answer = co_await std::move(asking);
    if (!answer) co_return false;
    if (answer->next == next) co_return false;  // the list does not go on
    page = std::move(*answer);
  }
}

/// Pages here and there: first how far back the calls go, then where most of the unknown ones are.
Awaitable<void> probe_rest(SharedSurvey self) {
  if (self->order.ask.after_ms != 0) self->spread.none_before(self->order.ask.after_ms);
  int older = 0;
  while (self->listened && !self->late(1)) {
    auto before = self->spread.next_older();
    if (!before || ++older > kOlderProbesMax) before = self->spread.next_probe();
    if (!before) break;
    auto asking = list_before(self->session, self->order.ask, *before);
    Fetched<ListPage> page = co_await std::move(asking);
    if (!page) break;
    self->spread.saw(*before, starts_of(*page), !page->next);
    auto taking = take_page(self, std::move(*page));
    co_await std::move(taking);
    self->state->seen.calls = self->chosen(self->spread.guess());
    self->state->seen.calls.exact = false;
    self->say_sometimes();
  }
}

Awaitable<void> learn_from_past(SharedSurvey self) {
  ImportDeps& deps = self->session->deps();
  auto look = [&deps, platform = self->order.ask.platform] {
    return deps.library.measures(platform, 0, kPastImportsMax);
  };
  auto looking = engine::on_pool(deps.pool, deps.loop, std::move(look));
  const auto measures = co_await std::move(looking);
  if (measures) self->state->past = past_of(*measures);
}

Awaitable<SessionMade> open_for(SharedDeps deps, SurveyOrder& order) {
  if (!order.secret) {
    auto opening = open_session(deps, nullptr, asking_for(order.ask));
    SessionMade made = co_await std::move(opening);
    co_return made;
  }
  Access access;
  access.token = *order.secret;
  access.kind = order.token_kind;
  co_return make_session(deps, nullptr, asking_for(order.ask), std::nullopt, std::move(access));
}

}  // namespace

Awaitable<void> survey(SharedDeps deps, SurveyOrder order, std::shared_ptr<SurveyState> state, SurveyTell tell) {
  const Timestamp began = deps->clock.now();
  order.ask = with_defaults(std::move(order.ask), deps->defaults);
  state->ask = order.ask;
  if (const auto window = judge_window(order.ask.window, order.ask.zone, began)) state->window = *window;
  Checklist checks(*state, deps->clock, order.only);
  if (!order.only.empty())
    order.counting = std::any_of(kCounted.begin(), kCounted.end(), [&](auto name) { return checks.wants(name); });
  auto opening = open_for(deps, order);
  const SessionMade made = co_await std::move(opening);
  if (!made) {
    for (const Check& check : state->checks)
      checks.set(check.name, CheckResult::kUnknown, "not reached: " + made.error().message);
    checks.set("access.valid", CheckResult::kFail, made.error().message);
    state->whole = true;
    tell(*state);
    co_return;
  }
  Choice choice(order.ask, order.named);
  auto self = std::make_shared<Survey>(  // shared by the parts of the survey, one after another
      Survey{*made, std::move(order), state, std::move(tell), std::move(choice), CallSpread(), {}, began});
  RepliesSeen replies;
  replies.platform = &self->session->platform();
  replies.clock = &deps->clock;
  self->session->watch_replies([&replies](const HttpReply& reply) { replies.saw(reply); });

  auto listing = list_before(self->session, self->order.ask, self->order.ask.before_ms);
  Fetched<ListPage> first = co_await std::move(listing);
  checks.access(self->session->platform(), self->session->auth().token_kind, first);
  checks.replies(self->session->platform(), replies, state->seen);
  self->say();
  if (first) {
    auto learning = learn_from_past(self);
    co_await std::move(learning);
    auto proving = prove_calls(self->session, first->calls, self->order.ask.media, checks, *state);
    co_await std::move(proving);
    self->say();
    if (self->order.counting) {
      auto walking = walk(self, std::move(*first));
      const bool all = co_await std::move(walking);
      if (!all) {
        auto probing = probe_rest(self);
        co_await std::move(probing);
      }
      checks.duplicates(state->seen);
      auto measuring = check_storage(deps, self->order, checks, *state);
      co_await std::move(measuring);
    }
  }
  checks.replies(self->session->platform(), replies, state->seen);
  self->session->watch_replies({});
  state->whole = true;
  self->say();
}

}  // namespace callimport::activities
