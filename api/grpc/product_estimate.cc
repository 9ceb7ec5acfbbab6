// EstimateImport: a survey whose every step is sent, and which ends in time whatever the platform does.
#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "activities/estimate/survey.h"
#include "api/grpc/product_internal.h"
#include "engine/awaitable.h"

namespace callimport::api {
namespace {

using activities::Estimate;
using activities::ImportInput;
using activities::SurveyState;

inline constexpr std::int64_t kTimeDefaultMs = 8'000, kTimeMaxMs = 3'600'000, kCountAll = -1;
inline constexpr auto kGrace = std::chrono::milliseconds{1'500};  ///< a request under way may take longer than the time

void set_range(v1::Range* to, const activities::Span& from) {
  to->set_from(from.from);
  to->set_to(from.to);
}

v1::Estimate to_message(const Estimate& estimate, bool exact) {
  v1::Estimate message;
  set_range(message.mutable_calls(), estimate.calls);
  message.set_to_import(estimate.to_import);
  if (estimate.hours) set_range(message.mutable_hours(), *estimate.hours);
  if (estimate.bytes) set_range(message.mutable_bytes(), *estimate.bytes);
  set_range(message.mutable_requests(), estimate.requests);
  message.set_day_share(estimate.day_share);
  if (estimate.duration_ms) set_range(message.mutable_duration_ms(), *estimate.duration_ms);
  if (estimate.first_ms) set_range(message.mutable_first_ms(), *estimate.first_ms);
  message.set_cause(estimate.cause);
  if (estimate.cost) set_range(message.mutable_cost(), *estimate.cost);
  message.set_currency(estimate.currency);
  message.set_cost_text(estimate.cost_text);
  for (const auto& one : estimate.not_coming) {
    auto* row = message.add_not_coming();
    row->set_cause(one.cause);
    row->set_calls(one.calls);
    row->set_text(one.text);
  }
  message.set_basis(estimate.basis);
  message.set_confidence(estimate.confidence);
  message.set_accuracy(estimate.accuracy);
  message.set_exact(exact);
  message.set_prediction(activities::write_note(activities::prediction_of(estimate)));
  return message;
}

/// Lives until the survey has ended; what it finds after the time is sent to nobody.
class EstimateCall : public std::enable_shared_from_this<EstimateCall> {
 public:
  EstimateCall(ProductParts& parts, ImportInput ask, bool checks_only, std::shared_ptr<Answer> answer)
      : parts_(parts), ask_(std::move(ask)), checks_only_(checks_only), answer_(std::move(answer)) {}

  void begin(activities::SurveyOrder order) {
    auto self = shared_from_this();
    if (order.time.count() > 0) parts_.clock.at(parts_.clock.now() + order.time + kGrace, [self] { self->finish(); });
    auto tell = [self](const SurveyState& state) { return self->told(state); };
    engine::spawn(parts_.loop, looked(parts_.looking, std::move(order), state_, std::move(tell)), [self](bool) {});
  }

 private:
  static engine::Awaitable<bool> looked(activities::SharedDeps deps, activities::SurveyOrder order,
                                        std::shared_ptr<SurveyState> state, activities::SurveyTell tell) {
    auto looking = activities::survey(deps, std::move(order), state, std::move(tell));
    co_await std::move(looking);
    co_return true;
  }

  bool told(const SurveyState& state) {
    if (state.whole) finish();
    if (finished_ || !answer_->open()) return false;
    return answer_->write(message_of(false));
  }

  void finish() {
    if (std::exchange(finished_, true)) return;
    (void)answer_->write(message_of(true));
    answer_->finish({});
  }

  v1::EstimateImportResponse message_of(bool whole) const {
    v1::EstimateImportResponse message;
    message.set_whole(whole);
    for (const auto& check : state_->checks) {
      auto* row = message.add_checks();
      row->set_name(check.name);
      row->set_title(check.title);
      row->set_result(std::string(activities::to_string(check.result)));
      row->set_text(check.text);
      row->set_at_ms(check.at_ms);
    }
    const auto* platform = activities::find_platform(ask_.platform);
    if (checks_only_ || platform == nullptr || state_->seen.pages == 0) return message;
    const auto estimate = activities::estimate_of(*platform, state_->ask, state_->seen, state_->past, terms());
    *message.mutable_estimate() = to_message(estimate, state_->seen.calls.exact);
    return message;
  }

  activities::Terms terms() const {
    const Timestamp asked = from_unix_ms(ask_.at_ms), now = parts_.clock.now();
    return {parts_.prices, parts_.budget, state_->window, std::max(asked, now)};
  }

  ProductParts& parts_;
  const ImportInput ask_;
  const bool checks_only_;
  std::shared_ptr<Answer> answer_;                                        // shared with the call's own entry
  std::shared_ptr<SurveyState> state_ = std::make_shared<SurveyState>();  // shared with the survey
  bool finished_ = false;
};

void estimate_import(ProductParts& parts, const v1::EstimateImportRequest& request, std::shared_ptr<Answer> answer) {
  const auto refuse = [&answer](const char* why) { answer->finish({kGrpcInvalidArgument, why, {}, {}}); };
  auto ask = activities::read_note<ImportInput>(request.input());
  if (!ask) return refuse("the input is not that of an import");
  if (activities::find_platform(ask->platform) == nullptr) return refuse("no connector for this platform");
  if (request.time_ms() < kCountAll || request.time_ms() > kTimeMaxMs) return refuse("time_ms: from -1 to an hour");
  const auto& known = activities::check_names();
  for (const auto& name : request.only()) {
    if (std::find(known.begin(), known.end(), name) != known.end()) continue;
    return answer->finish({kGrpcInvalidArgument,
                           fmt::format("check.unknown: there is no such check; there are: {}", fmt::join(known, ", ")),
                           {},
                           {}});
  }
  if (parts.looking == nullptr) return answer->finish({kGrpcUnimplemented, "this server cannot look", {}, {}});
  activities::SurveyOrder order;
  order.ask = *ask;
  if (!request.secret().empty()) order.secret = storage::Secret(request.secret());
  order.token_kind = request.token_kind();
  order.counting = !request.checks_only();
  order.named.assign(request.calls().begin(), request.calls().end());
  order.only.assign(request.only().begin(), request.only().end());
  order.time = std::chrono::milliseconds{request.time_ms() == 0 ? kTimeDefaultMs : request.time_ms()};
  if (request.time_ms() == kCountAll) order.time = Nanos{0};
  order.free_bytes = [&parts] { return parts.disk.free_bytes(parts.facts.data_folder); };
  std::make_shared<EstimateCall>(parts, *std::move(ask), request.checks_only(), std::move(answer))
      ->begin(std::move(order));
}

}  // namespace

void add_estimate_method(Router& router, ProductParts& parts) {
  using Request = v1::EstimateImportRequest;
  auto method =
      typed_method<Request>([&parts](std::shared_ptr<Request> request, CallContext, std::shared_ptr<Answer> answer) {
        estimate_import(parts, *request, std::move(answer));
      });
  method.trusted = true;
  router.methods[product_method("EstimateImport")] = std::move(method);
}

}  // namespace callimport::api
