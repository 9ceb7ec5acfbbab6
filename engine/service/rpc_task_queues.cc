// Task queues as people see them: who polls, what waits, how fast it may go out (conformance A.5, A.8).
#include <algorithm>
#include <utility>

#include "engine/service/internal/core.h"
#include "engine/service/port_errors.h"
#include "engine/service/proto_time.h"
#include "temporal/api/taskqueue/v1/message.pb.h"

namespace callimport::engine {
namespace {

constexpr std::size_t kIdBytesMax = 1000;  // C.16

namespace tq = ::temporal::api::taskqueue::v1;

constexpr std::int64_t kPollerForgotten = 300 * kNanosPerSecond;
constexpr std::size_t kPollersMax = 1'000;  ///< remembered of one queue
constexpr double kPollerRate = 100'000;     ///< what a poller may take a second when it says nothing
constexpr float kSystemRate = 100'000;
constexpr int kDefaultPriority = 3;
constexpr std::int64_t kTaskIdBlock = 100'000;

bool of_activities(enums::TaskQueueType type) { return type == enums::TASK_QUEUE_TYPE_ACTIVITY; }

void fill_pollers(const TaskQueue* queue, std::int64_t now, google::protobuf::RepeatedPtrField<tq::PollerInfo>* out) {
  if (queue == nullptr) return;
  for (const auto& [identity, poller] : queue->pollers) {
    if (now - poller.last_ns > kPollerForgotten) continue;
    auto* info = out->Add();
    set_nanos(info->mutable_last_access_time(), poller.last_ns);
    info->set_identity(identity);
    info->set_rate_per_second(poller.rate > 0 ? poller.rate : kPollerRate);
  }
}

void set_config(const api::UpdateTaskQueueConfigRequest::RateLimitUpdate& update, const std::string& identity,
                std::int64_t now, tq::RateLimitConfig* out) {
  out->clear_rate_limit();
  if (update.has_rate_limit()) *out->mutable_rate_limit() = update.rate_limit();
  out->mutable_metadata()->set_reason(update.reason());
  out->mutable_metadata()->set_update_identity(identity);
  set_nanos(out->mutable_metadata()->mutable_update_time(), now / 1'000'000 * 1'000'000);
}

}  // namespace

void Service::note_poller(TaskQueue& queue, const std::string& identity, double rate) {
  queue.last_poll_ns = callers_now_ns();
  const auto known = queue.pollers.find(identity);
  if (known == queue.pollers.end() && queue.pollers.size() >= kPollersMax) {
    std::erase_if(queue.pollers, [now = callers_now_ns()](const auto& entry) {
      return now - entry.second.last_ns > kPollerForgotten;
    });
    if (queue.pollers.size() >= kPollersMax) return;
  }
  queue.pollers[identity] = {callers_now_ns(), rate};
}

tq::TaskQueueConfig Service::queue_config(const Namespace& space, const std::string& name) {
  tq::TaskQueueConfig out;
  const auto it = space.state.activity_queue_configs().find(name);
  if (it != space.state.activity_queue_configs().end()) out = it->second;
  return out;
}

void Service::set_rate(const Namespace& space, const std::string& name, TaskQueue& queue) {
  queue.rate.reset();
  if (queue.worker_rate > 0) queue.rate = queue.worker_rate;
  const tq::TaskQueueConfig config = queue_config(space, name);
  if (config.queue_rate_limit().has_rate_limit())
    queue.rate = config.queue_rate_limit().rate_limit().requests_per_second();
}

bool Service::within_rate(TaskQueue& queue, const WaitingPoll& poll) {
  const std::int64_t now = now_ns();
  if (*queue.rate > 0 && now >= queue.next_task_ns) {
    queue.next_task_ns = now + static_cast<std::int64_t>(static_cast<double>(kNanosPerSecond) / *queue.rate);
    return true;
  }
  if (*queue.rate <= 0 || std::exchange(queue.waits_for_rate, true)) return false;
  clock_.at(from_unix_ns(queue.next_task_ns),
            [this, alive = alive_, number = poll.space->state.number(), name = poll.queue] {
              if (!*alive) return;
              const auto it = namespaces_by_number_.find(number);
              if (it == namespaces_by_number_.end()) return;
              TaskQueue& limited = it->second->activity_queues[name];
              limited.waits_for_rate = false;
              match(limited);
            });
  return false;
}

/// What waits for a worker, and for how long the first of it.
tq::TaskQueueStats Service::queue_stats(const TaskQueue* queue) {
  tq::TaskQueueStats out;
  (void)out.mutable_approximate_backlog_age();
  if (queue == nullptr) return out;
  std::int64_t oldest = 0;
  for (const TaskRef& task : queue->tasks) {
    if (task.kind == TaskRef::Kind::kQuery || !is_valid(task)) continue;
    out.set_approximate_backlog_count(out.approximate_backlog_count() + 1);
    if (oldest != 0) continue;
    const OpenRun& run = *open_.at(task.run);
    oldest = task.kind == TaskRef::Kind::kWorkflow ? run.task.scheduled_ns()
                                                   : run.activities.at(task.id).state.attempt_scheduled_ns();
  }
  if (oldest != 0) set_nanos(out.mutable_approximate_backlog_age(), now_ns() - oldest);
  return out;
}

void Service::DescribeTaskQueue(const api::DescribeTaskQueueRequest& request, CallContext context,
                                Reply<api::DescribeTaskQueueResponse> reply) {
  auto call = enter(context, std::move(reply));
  if (auto wrong = gate(request.namespace_())) return refuse(std::move(call), std::move(*wrong));
  const std::string& name = request.task_queue().name();
  if (name.empty()) return refuse(std::move(call), errors::invalid("taskQueue is not set"));
  if (name.size() > kIdBytesMax) return refuse(std::move(call), errors::invalid("taskQueue length exceeds limit"));
  const Namespace& space = this->space(request.namespace_());
  const auto queue_of_type = [&](enums::TaskQueueType type) -> const TaskQueue* {
    const auto& queues = of_activities(type) ? space.activity_queues : space.workflow_queues;
    const auto it = queues.find(name);
    return it == queues.end() ? nullptr : &it->second;
  };
  api::DescribeTaskQueueResponse out;
  if (request.api_mode() == enums::DESCRIBE_TASK_QUEUE_MODE_ENHANCED) {
    auto& version = (*out.mutable_versions_info())[""];
    std::vector<enums::TaskQueueType> types;
    for (const int type : request.task_queue_types()) types.push_back(static_cast<enums::TaskQueueType>(type));
    if (types.empty()) types = {enums::TASK_QUEUE_TYPE_WORKFLOW, enums::TASK_QUEUE_TYPE_ACTIVITY};
    for (const auto type : types) {
      auto& info = (*version.mutable_types_info())[type];
      *info.mutable_stats() = queue_stats(queue_of_type(type));
      if (request.report_pollers()) fill_pollers(queue_of_type(type), callers_now_ns(), info.mutable_pollers());
    }
    if (request.report_task_reachability()) version.set_task_reachability(enums::BUILD_ID_TASK_REACHABILITY_REACHABLE);
    return answer(std::move(call), std::move(out));
  }
  const TaskQueue* queue = queue_of_type(request.task_queue_type());
  fill_pollers(queue, callers_now_ns(), out.mutable_pollers());
  const tq::TaskQueueStats stats = queue_stats(queue);
  if (request.report_stats()) {
    *out.mutable_stats() = stats;
    (*out.mutable_stats_by_priority_key())[kDefaultPriority] = stats;
  }
  if (request.task_queue().kind() != enums::TASK_QUEUE_KIND_STICKY)
    out.mutable_versioning_info()->set_current_version("__unversioned__");
  auto* rate = out.mutable_effective_rate_limit();
  rate->set_requests_per_second(kSystemRate);
  rate->set_rate_limit_source(enums::RATE_LIMIT_SOURCE_SYSTEM);
  if (of_activities(request.task_queue_type())) {
    const tq::TaskQueueConfig config = queue_config(space, name);
    if (config.queue_rate_limit().has_rate_limit()) {
      rate->set_requests_per_second(config.queue_rate_limit().rate_limit().requests_per_second());
      rate->set_rate_limit_source(enums::RATE_LIMIT_SOURCE_API);
    } else if (queue != nullptr && queue->worker_rate > 0) {
      rate->set_requests_per_second(static_cast<float>(queue->worker_rate));
      rate->set_rate_limit_source(enums::RATE_LIMIT_SOURCE_WORKER);
    }
    if (request.report_config() && config.ByteSizeLong() > 0) *out.mutable_config() = config;
  }
  if (request.include_task_queue_status()) {
    auto* status = out.mutable_task_queue_status();
    status->set_backlog_count_hint(stats.approximate_backlog_count());
    status->set_rate_per_second(rate->requests_per_second());
    status->mutable_task_id_block()->set_start_id(1);
    status->mutable_task_id_block()->set_end_id(kTaskIdBlock);
  }
  answer(std::move(call), std::move(out));
}

/// A queue has one part here.
void Service::ListTaskQueuePartitions(const api::ListTaskQueuePartitionsRequest& request, CallContext context,
                                      Reply<api::ListTaskQueuePartitionsResponse> reply) {
  auto call = enter(context, std::move(reply));
  if (auto wrong = gate(request.namespace_())) return refuse(std::move(call), std::move(*wrong));
  const std::string& name = request.task_queue().name();
  if (name.empty()) return refuse(std::move(call), errors::invalid("taskQueue is not set"));
  api::ListTaskQueuePartitionsResponse out;
  for (auto* part : {out.add_activity_task_queue_partitions(), out.add_workflow_task_queue_partitions()}) {
    part->set_key(name);
    part->set_owner_host_name(options_.address);
  }
  answer(std::move(call), std::move(out));
}

void Service::UpdateTaskQueueConfig(const api::UpdateTaskQueueConfigRequest& request, CallContext context,
                                    Reply<api::UpdateTaskQueueConfigResponse> reply) {
  constexpr int kQueuesMax = 1'000, kWeightsMax = 1'000;
  auto call = enter(context, std::move(reply));
  if (auto wrong = gate(request.namespace_())) return refuse(std::move(call), std::move(*wrong));
  if (request.task_queue_type() == enums::TASK_QUEUE_TYPE_WORKFLOW) {
    return refuse(std::move(call), errors::invalid("Setting rate limit on workflow task queues is not allowed."));
  }
  const Namespace& space = this->space(request.namespace_());
  tq::TaskQueueConfig config = queue_config(space, request.task_queue());
  if (request.has_update_queue_rate_limit()) {
    set_config(request.update_queue_rate_limit(), request.identity(), now_ns(), config.mutable_queue_rate_limit());
  }
  if (request.has_update_fairness_key_rate_limit_default()) {
    set_config(request.update_fairness_key_rate_limit_default(), request.identity(), now_ns(),
               config.mutable_fairness_keys_rate_limit_default());
  }
  for (const auto& [key, weight] : request.set_fairness_weight_overrides())
    (*config.mutable_fairness_weight_overrides())[key] = weight;
  for (const auto& key : request.unset_fairness_weight_overrides())
    config.mutable_fairness_weight_overrides()->erase(key);
  api::UpdateTaskQueueConfigResponse out;
  *out.mutable_config() = config;
  if (space.record == 0 || request.task_queue().empty() || config.ByteSizeLong() == 0) {
    return answer(std::move(call), std::move(out));
  }
  pb::NamespaceState state = space.state;
  (*state.mutable_activity_queue_configs())[request.task_queue()] = std::move(config);
  if (state.activity_queue_configs_size() > kQueuesMax || out.config().fairness_weight_overrides_size() > kWeightsMax) {
    return refuse(std::move(call), errors::plain(errors::kResourceExhausted, "too many task queues are configured"));
  }
  write_namespace(space, std::move(state));
  TaskQueue& queue = this->space(request.namespace_()).activity_queues[request.task_queue()];
  set_rate(space, request.task_queue(), queue);
  match(queue);
  answer(std::move(call), std::move(out));
}

}  // namespace callimport::engine
