#include "activities/import/step.h"

namespace callimport::activities {
namespace {

std::int64_t heartbeat_of(const StepInput& input) { return input.ask.settings.heartbeat_ms; }
std::int64_t heartbeat_of(const StageInput& input) { return input.heartbeat_ms; }
std::int64_t heartbeat_of(const CloseInput& input) { return input.heartbeat_ms; }
std::int64_t heartbeat_of(const WindowInput& input) { return input.heartbeat_ms; }
std::int64_t heartbeat_of(const ProgressInput&) { return ImportSettings{}.heartbeat_ms; }
std::int64_t heartbeat_of(const RetryInput&) { return ImportSettings{}.heartbeat_ms; }
std::int64_t heartbeat_of(const ForgetInput&) { return ImportSettings{}.heartbeat_ms; }

Awaitable<ActivityResult> run(SharedDeps deps, ActivityContext& context, StepInput input, Body<StepInput> body) {
  return run_step(std::move(deps), context, std::move(input), body);
}
/// What stores and tells is little: the reserve is its room.
template <class Input>
Awaitable<ActivityResult> run(SharedDeps deps, ActivityContext& context, Input input, Body<Input> body) {
  return body(std::move(deps), context, std::move(input));
}

/// Reads the input, beats while the body runs, and holds the result against the contract's limit.
template <class Input>
Awaitable<ActivityResult> attempt(SharedDeps deps, ActivityContext& context, std::string text, Body<Input> body) {
  if (text.size() > kContractBytesMax)
    co_return tl::unexpected(final_error("engine.bug", "an activity's input is too long"));
  auto input = read_note<Input>(text);
  if (!input) co_return tl::unexpected(final_error("engine.bug", input.error().message));
  Pulse pulse(deps->clock, context, heartbeat_of(*input));
  auto running = run(deps, context, std::move(*input), body);
  ActivityResult result = co_await std::move(running);
  if (result && result->size() > kContractBytesMax) {
    co_return tl::unexpected(final_error("engine.bug", "an activity's result is too long"));
  }
  co_return result;
}

template <class Input>
void add(engine::Worker& worker, const SharedDeps& deps, const char* type, Body<Input> body) {
  worker.register_activity(type, [deps, body](ActivityContext& context, std::string text) {
    return attempt<Input>(deps, context, std::move(text), body);
  });
}

}  // namespace

void register_import_activities(engine::Worker& worker, ImportDeps given) {
  const auto deps = std::make_shared<ImportDeps>(std::move(given));
  add<StepInput>(worker, deps, kOpenImport, open_import);
  add<StepInput>(worker, deps, kAuthenticate, authenticate);
  add<StepInput>(worker, deps, kEnumerate, enumerate_calls);
  add<StepInput>(worker, deps, kPrioritize, prioritize_calls);
  add<StepInput>(worker, deps, kFetch, fetch_calls);
  add<StepInput>(worker, deps, kRegister, register_calls);
  add<StageInput>(worker, deps, kChangeStage, change_stage);
  add<CloseInput>(worker, deps, kCloseImport, close_import);
  add<WindowInput>(worker, deps, kSetWindow, set_window);
  add<ProgressInput>(worker, deps, kProgress, tell_progress);
  add<RetryInput>(worker, deps, kRetry, retry_calls);
  add<ForgetInput>(worker, deps, kForget, forget);
}

}  // namespace callimport::activities
