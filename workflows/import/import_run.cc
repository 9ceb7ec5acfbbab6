#include "workflows/import/import_run.h"

#include <algorithm>

#include "workflows/import/import_workflow.h"

namespace callimport::workflows {

using activities::CloseInput;
using activities::ForgetInput;
using activities::LaneChange;
using activities::StageInput;
using activities::WindowInput;
using engine::Flow;
using engine::WorkflowEnd;

ImportRun::ImportRun(engine::WorkflowContext& context, activities::ImportInput ask, ImportState state)
    : context_(context), ask_(std::move(ask)), state_(std::move(state)) {}

Flow<WorkflowEnd> ImportRun::run(SharedRun self) {
  self->listen();
  self->show();
  self->context_.spawn(tell(self));
  self->context_.spawn(keep(self));
  self->context_.spawn(keep_window(self));
  self->context_.spawn(watch(self));
  if (self->state_.opened) self->take_over_retries();
  self->context_.spawn(try_again(self));
  if (!self->state_.previous_run.empty()) {
    ForgetInput forget;
    forget.runs.push_back(self->state_.previous_run);
    (void)self->context_.activity(activities::kForget, activities::write_note(forget), self->options_for(10min));
  }
  auto opening = open_and_prove(self);
  co_await opening;
  if (!self->stopping()) {
    self->start(self, count_calls(self));
    self->start(self, first_lane(self));
    self->start(self, bulk_lane(self));
  }
  ImportRun* here = self.get();
  auto idle = [here] { return here->working_ == 0 && (!here->window_asked_ || here->must_stop()); };
  co_await self->context_.until(idle);
  const bool ended = self->closed(LaneName::kFirst) && self->closed(LaneName::kBulk);
  if (ended || self->must_stop()) {
    auto closing = close(self);
    co_return co_await closing;
  }
  auto told = [here] { return here->must_stop() || (here->changes_.empty() && !here->telling_); };
  co_await self->context_.until(told);
  if (self->must_stop()) {
    auto closing = close(self);
    co_return co_await closing;
  }
  co_return self->next_run();
}

void ImportRun::listen() {
  context_.on_signal(kSignalPause, [this](const std::string& input) { take_pause(input); });
  context_.on_signal(kSignalResume, [this](const std::string&) {
    state_.pause = PersonsPause{};
    ++retries_;
  });
  context_.on_signal(kSignalRetryNow, [this](const std::string&) {
    ++retries_;
    begin_now_ = true;
  });
  context_.on_signal(kSignalSetWindow, [this](const std::string& input) { take_window(input); });
  context_.on_signal(kSignalCredentialsRenewed, [this](const std::string& input) {
    const auto note = nlohmann::json::parse(input, nullptr, false);
    if (note.is_object() && note.contains("credential") && note["credential"].is_string())
      ask_.credential = note["credential"];
    ++renewals_;
  });
  context_.on_signal(kSignalRetry, [this](const std::string& input) { take_retry(input); });
  context_.on_signal(kSignalApprove, [this](const std::string& input) { take_approval(input); });
  context_.on_query(kQueryStatus, [this](const std::string&) -> engine::Outcome<std::string> {
    return describe(ask_, state_).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  });
}

void ImportRun::take_pause(const std::string& input) {
  const auto note = nlohmann::json::parse(input, nullptr, false);
  PersonsPause pause{.on = true, .who = "a person", .why = "", .until_ms = 0};
  if (note.is_object()) {
    if (note.contains("who") && note["who"].is_string())
      pause.who = activities::cut_text(note["who"], activities::kNameBytesMax);
    if (note.contains("why") && note["why"].is_string())
      pause.why = activities::cut_text(note["why"], activities::kSentenceBytesMax);
    if (note.contains("until_ms") && note["until_ms"].is_number_integer()) pause.until_ms = note["until_ms"];
  }
  state_.pause = pause;
  ++pauses_;
}

/// Wishes that the run before this one did not come to.
void ImportRun::take_over_retries() {
  retry_asks_.assign(ask_.retries.begin(), ask_.retries.end());
  ask_.retries.clear();
}

void ImportRun::take_window(const std::string& input) {
  auto asked = activities::read_note<WindowInput>(input);
  if (!asked) {  // judged, and answered, where windows are known
    asked = WindowInput{};
    asked->window = input;
  }
  asked->import = ask_.import;
  asked->heartbeat_ms = ask_.settings.heartbeat_ms;
  for (std::string* text : {&asked->window, &asked->zone, &asked->who, &asked->why})
    *text = activities::cut_text(std::move(*text), activities::kSentenceBytesMax);
  window_asked_ = std::move(*asked);
}

void ImportRun::start(SharedRun self, Flow<void> flow) {
  ++working_;
  context_.spawn(counted(std::move(self), std::move(flow)));
}

Flow<void> ImportRun::counted(SharedRun self, Flow<void> flow) {
  co_await flow;
  --self->working_;
}

void ImportRun::change(LaneName lane, Event event, const Circumstance& circumstance) {
  auto made = apply(state_, lane, event, circumstance, now_ms());
  if (made) changes_.push_back(std::move(*made));
}

void ImportRun::change_open(Event event, const Circumstance& circumstance) {
  for (const LaneName lane : {LaneName::kFirst, LaneName::kBulk}) {
    if (!closed(lane)) change(lane, event, circumstance);
  }
}

void ImportRun::show() {
  const LaneState& lane = state_.lane(shown(state_));
  const std::string stage(to_string(lane.place.stage)), condition(to_string(lane.place.condition));
  if (shown_ == stage + "/" + condition) return;
  shown_ = stage + "/" + condition;
  context_.upsert_search_attributes({{"CallImportStage", stage},
                                     {"CallImportCondition", condition},
                                     {"CallImportPlatform", ask_.platform},
                                     {"CallImportWorkspace", ask_.workspace},
                                     {"CallImportTitle", ask_.title}});
  std::map<std::string, std::string> memo;
  const auto json_text = [](const std::string& text) {
    return nlohmann::json(text).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  };
  memo["title"] = json_text(ask_.title);
  memo["stage"] = json_text(stage);
  memo["condition"] = json_text(condition);
  memo["reason"] = json_text(lane.now.reason);
  context_.upsert_memo(std::move(memo));
}

/// Changes are stored in the order they happened, several in one activity when they come close together.
Flow<void> ImportRun::tell(SharedRun self) {
  ImportRun* here = self.get();
  while (true) {
    auto something = [here] { return !here->changes_.empty() && !here->closing_; };
    co_await self->context_.until(something);
    if (self->changes_.empty() || self->closing_) continue;
    self->telling_ = true;
    StageInput input;
    input.import = self->ask_.import;
    input.heartbeat_ms = self->ask_.settings.heartbeat_ms;
    while (!self->changes_.empty() && input.changes.size() < activities::kChangesMax) {
      input.changes.push_back(std::move(self->changes_.front()));
      self->changes_.pop_front();
    }
    self->show();
    auto told =
        self->context_.activity(activities::kChangeStage, activities::write_note(input), self->options_for(10min));
    const auto outcome = co_await told;
    self->telling_ = false;
    if (!outcome) self->break_down(outcome.error());
  }
}

/// A person's pause holds both lanes, at once and whatever they do; steps under way finish.
Flow<void> ImportRun::keep(SharedRun self) {
  ImportRun* here = self.get();
  while (true) {
    auto asked = [here] { return here->state_.pause.on && here->state_.opened; };
    co_await self->context_.until(asked);
    const PersonsPause pause = self->state_.pause;
    const int pauses = self->pauses_;
    const bool may_change = self->context_.patched("pause.changed");  // by pausing again: another end, another reason
    for (const LaneName lane : {LaneName::kFirst, LaneName::kBulk}) {
      const LaneState& stands = self->state_.lane(lane);
      const Circumstance circumstance{"", pause.who, pause.why, pause.until_ms};
      const bool same = stands.by_person && (!may_change || stands.now == circumstance);
      if (self->closed(lane) || same) continue;
      self->change(lane, Event::kPausedByPerson, circumstance);
    }
    auto over = [here, may_change, pauses] {
      return !here->state_.pause.on || (may_change && here->pauses_ != pauses);
    };
    if (pause.until_ms > 0) {
      const Nanos left = from_unix_ms(pause.until_ms) - self->context_.now();
      if (left > Nanos{0}) (void)co_await self->context_.until(over, left);
    } else {
      co_await self->context_.until(over);
    }
    if (self->state_.pause.on && may_change && self->pauses_ != pauses) continue;
    self->state_.pause = PersonsPause{};
    self->change_open(Event::kResumed, Circumstance{});
  }
}

/// A new window is judged and stored by an activity; a lane that waits for the old one asks again at once.
Flow<void> ImportRun::keep_window(SharedRun self) {
  ImportRun* here = self.get();
  while (true) {
    auto asked = [here] { return here->window_asked_ && here->state_.opened && !here->closing_; };
    co_await self->context_.until(asked);
    const WindowInput input = *self->window_asked_;
    auto setting =
        self->context_.activity(activities::kSetWindow, activities::write_note(input), self->options_for(10min));
    const auto outcome = co_await setting;
    if (!outcome) self->break_down(outcome.error());
    const auto result = activities::read_note<activities::WindowResult>(outcome.value_or("{}"));
    if (outcome && result && result->refused.empty()) {
      self->ask_.window = result->window;
      self->ask_.zone = result->zone;
      if (self->state_.bulk.now.reason.starts_with("window.")) ++self->retries_;
    }
    // Another one may have come meanwhile.
    if (activities::write_note(*self->window_asked_) == activities::write_note(input)) self->window_asked_.reset();
  }
}

Flow<WorkflowEnd> ImportRun::close(SharedRun self) {
  ImportRun* here = self.get();
  auto quiet = [here] { return !here->telling_ && !here->retrying_; };
  co_await self->context_.until(quiet);
  self->closing_ = true;
  if (self->broken_) {
    Circumstance circumstance{self->broken_->cause, "", self->broken_->message, 0};
    self->change_open(Event::kGaveUp, circumstance);
  } else if (self->context_.cancel_requested()) {
    self->change_open(Event::kCancelAsked, Circumstance{});
  }
  CloseInput input;
  input.import = self->ask_.import;
  input.heartbeat_ms = self->ask_.settings.heartbeat_ms;
  input.result = to_string(result_of(self->state_));
  input.changes.assign(self->changes_.begin(), self->changes_.end());
  self->changes_.clear();
  if (self->broken_) {
    input.cause = self->broken_->cause;
    input.message = self->broken_->message;
  }
  input.approved_by = self->state_.approval.who;
  input.approved_why = self->state_.approval.why;
  self->show();
  auto closed =
      self->context_.activity(activities::kCloseImport, activities::write_note(input), self->options_for(10min));
  const auto outcome = co_await closed;
  if (!outcome) self->break_down(outcome.error());
  if (self->wanted_again()) co_return self->run_again();
  ForgetInput forget;
  forget.runs.push_back(self->context_.info().run_id);
  forget.credential = self->ask_.credential;
  auto forgotten =
      self->context_.activity(activities::kForget, activities::write_note(forget), self->options_for(10min));
  (void)co_await forgotten;
  if (self->wanted_again()) co_return self->run_again();
  auto setting_aside = set_aside_at_the_end(self);
  co_await setting_aside;
  if (self->wanted_again()) co_return self->run_again();
  if (self->broken_) {
    engine::Failure failure;
    failure.type = self->broken_->cause;
    failure.message = self->broken_->message;
    failure.non_retryable = true;
    co_return WorkflowEnd(failure);
  }
  const std::string report = outcome.value_or("{}");
  if (input.result == "cancelled") co_return WorkflowEnd(engine::Cancelled{report});
  co_return WorkflowEnd(report);
}

WorkflowEnd ImportRun::next_run() {
  state_.previous_run = context_.info().run_id;
  ++state_.runs;
  activities::ImportInput next = ask_;
  next.state = write_state(state_);
  next.retries.assign(retry_asks_.begin(), retry_asks_.end());
  return engine::ContinueAsNew{activities::write_note(next)};
}

/// A wish that came while the import was closing: it is closed, and opened again for those calls.
WorkflowEnd ImportRun::run_again() {
  activities::ImportInput next = ask_;
  next.retries.assign(retry_asks_.begin(), retry_asks_.end());
  return engine::ContinueAsNew{activities::write_note(next)};
}

const std::map<std::string, std::string>& import_search_attributes() {
  static const std::map<std::string, std::string> attributes = {{"CallImportStage", "Keyword"},
                                                                {"CallImportCondition", "Keyword"},
                                                                {"CallImportPlatform", "Keyword"},
                                                                {"CallImportWorkspace", "Keyword"},
                                                                {"CallImportTitle", "Keyword"}};
  return attributes;
}

namespace {

WorkflowEnd refuse(std::string message) {
  engine::Failure failure;
  failure.type = "input.invalid";
  failure.message = std::move(message);
  failure.non_retryable = true;
  return failure;
}

/// What of the input is too long to cross in every step's input; empty: nothing.
std::string too_long(const activities::ImportInput& ask) {
  if (ask.import.size() > activities::kNameBytesMax) return "the import's id";
  if (ask.platform.size() > activities::kNameBytesMax) return "the platform's name";
  if (ask.workspace.size() > activities::kNameBytesMax) return "the workspace's name";
  if (ask.credential.size() > activities::kNameBytesMax) return "the credential's handle";
  if (ask.base_url.size() > activities::kUrlBytesMax) return "the base URL";
  return "";
}

}  // namespace

Flow<WorkflowEnd> import_workflow(engine::WorkflowContext& context, std::string input) {
  auto ask = activities::read_note<activities::ImportInput>(input);
  if (!ask) co_return refuse(ask.error().message);
  auto state = read_state(ask->state);
  ask->state = nullptr;
  if (!state) co_return refuse(state.error().message);
  if (ask->import.empty()) ask->import = context.info().workflow_id;
  const std::string wrong = too_long(*ask);
  if (!wrong.empty()) co_return refuse(wrong + " is too long");
  ask->title = activities::cut_text(std::move(ask->title), activities::kNameBytesMax);
  ask->started_by = activities::cut_text(std::move(ask->started_by), activities::kNameBytesMax);
  auto self = std::make_shared<ImportRun>(context, std::move(*ask), std::move(*state));
  auto running = ImportRun::run(self);
  co_return co_await running;
}

}  // namespace callimport::workflows
