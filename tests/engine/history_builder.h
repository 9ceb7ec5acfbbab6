#pragma once
// Histories made by hand, one call an event, ids dense from 1, one second apart.
#include <temporal/api/history/v1/message.pb.h>

#include <cstdint>
#include <string>

namespace callimport::engine::testing_support {

namespace enums = ::temporal::api::enums::v1;
using temporal::api::history::v1::History;
using temporal::api::history::v1::HistoryEvent;

class HistoryBuilder {
 public:
  /// The first event, with `input` as JSON text.
  explicit HistoryBuilder(const std::string& input = "") {
    auto* started =
        add(enums::EVENT_TYPE_WORKFLOW_EXECUTION_STARTED).mutable_workflow_execution_started_event_attributes();
    started->mutable_workflow_type()->set_name("T");
    started->mutable_task_queue()->set_name("Q");
    started->set_workflow_id("w");
    started->set_original_execution_run_id("run-1");
    started->set_first_execution_run_id("run-1");
    started->set_attempt(1);
    if (!input.empty()) set_json(started->mutable_input()->add_payloads(), input);
  }

  HistoryEvent& add(enums::EventType type) {
    auto* event = history_.add_events();
    event->set_event_id(history_.events_size());
    event->mutable_event_time()->set_seconds(1'000'000 + history_.events_size());
    event->set_event_type(type);
    return *event;
  }
  std::int64_t last() const { return history_.events_size(); }

  /// Scheduled and Started.
  HistoryBuilder& task() {
    add(enums::EVENT_TYPE_WORKFLOW_TASK_SCHEDULED);
    scheduled_ = last();
    add(enums::EVENT_TYPE_WORKFLOW_TASK_STARTED)
        .mutable_workflow_task_started_event_attributes()
        ->set_scheduled_event_id(scheduled_);
    return *this;
  }
  HistoryBuilder& completed() {
    auto* done = add(enums::EVENT_TYPE_WORKFLOW_TASK_COMPLETED).mutable_workflow_task_completed_event_attributes();
    done->set_scheduled_event_id(scheduled_);
    done->set_started_event_id(last() - 1);
    return *this;
  }
  /// A whole task: Scheduled, Started, Completed.
  HistoryBuilder& turn() { return task().completed(); }
  HistoryBuilder& task_failed(enums::WorkflowTaskFailedCause cause, const std::string& new_run = "") {
    auto* failed = add(enums::EVENT_TYPE_WORKFLOW_TASK_FAILED).mutable_workflow_task_failed_event_attributes();
    failed->set_cause(cause);
    failed->set_new_run_id(new_run);
    return *this;
  }
  HistoryBuilder& task_timed_out() { return add(enums::EVENT_TYPE_WORKFLOW_TASK_TIMED_OUT), *this; }

  HistoryBuilder& activity_scheduled(const std::string& id, const std::string& type) {
    auto* scheduled = add(enums::EVENT_TYPE_ACTIVITY_TASK_SCHEDULED).mutable_activity_task_scheduled_event_attributes();
    scheduled->set_activity_id(id);
    scheduled->mutable_activity_type()->set_name(type);
    return *this;
  }
  HistoryBuilder& activity_started(std::int64_t scheduled) {
    add(enums::EVENT_TYPE_ACTIVITY_TASK_STARTED)
        .mutable_activity_task_started_event_attributes()
        ->set_scheduled_event_id(scheduled);
    return *this;
  }
  HistoryBuilder& activity_completed(std::int64_t scheduled, const std::string& result) {
    auto* done = add(enums::EVENT_TYPE_ACTIVITY_TASK_COMPLETED).mutable_activity_task_completed_event_attributes();
    done->set_scheduled_event_id(scheduled);
    set_json(done->mutable_result()->add_payloads(), result);
    return *this;
  }
  HistoryBuilder& activity_failed(std::int64_t scheduled, const std::string& type, const std::string& message) {
    auto* failed = add(enums::EVENT_TYPE_ACTIVITY_TASK_FAILED).mutable_activity_task_failed_event_attributes();
    failed->set_scheduled_event_id(scheduled);
    failed->mutable_failure()->set_message(message);
    failed->mutable_failure()->mutable_application_failure_info()->set_type(type);
    return *this;
  }
  HistoryBuilder& activity_timed_out(std::int64_t scheduled, enums::TimeoutType type) {
    auto* timed_out = add(enums::EVENT_TYPE_ACTIVITY_TASK_TIMED_OUT).mutable_activity_task_timed_out_event_attributes();
    timed_out->set_scheduled_event_id(scheduled);
    timed_out->mutable_failure()->mutable_timeout_failure_info()->set_timeout_type(type);
    return *this;
  }
  HistoryBuilder& activity_cancel_requested(std::int64_t scheduled) {
    add(enums::EVENT_TYPE_ACTIVITY_TASK_CANCEL_REQUESTED)
        .mutable_activity_task_cancel_requested_event_attributes()
        ->set_scheduled_event_id(scheduled);
    return *this;
  }
  HistoryBuilder& activity_canceled(std::int64_t scheduled, const std::string& details) {
    auto* canceled = add(enums::EVENT_TYPE_ACTIVITY_TASK_CANCELED).mutable_activity_task_canceled_event_attributes();
    canceled->set_scheduled_event_id(scheduled);
    set_json(canceled->mutable_details()->add_payloads(), details);
    return *this;
  }
  HistoryBuilder& timer_started(const std::string& id) {
    add(enums::EVENT_TYPE_TIMER_STARTED).mutable_timer_started_event_attributes()->set_timer_id(id);
    return *this;
  }
  HistoryBuilder& timer_fired(const std::string& id, std::int64_t started) {
    auto* fired = add(enums::EVENT_TYPE_TIMER_FIRED).mutable_timer_fired_event_attributes();
    fired->set_timer_id(id);
    fired->set_started_event_id(started);
    return *this;
  }
  HistoryBuilder& timer_canceled(const std::string& id, std::int64_t started) {
    auto* canceled = add(enums::EVENT_TYPE_TIMER_CANCELED).mutable_timer_canceled_event_attributes();
    canceled->set_timer_id(id);
    canceled->set_started_event_id(started);
    return *this;
  }
  HistoryBuilder& signaled(const std::string& name, const std::string& input) {
    auto* signal =
        add(enums::EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED).mutable_workflow_execution_signaled_event_attributes();
    signal->set_signal_name(name);
    set_json(signal->mutable_input()->add_payloads(), input);
    return *this;
  }
  HistoryBuilder& update_accepted(const std::string& id, std::int64_t after, const std::string& input = "1",
                                  const std::string& name = "upd") {
    auto* accepted = add(enums::EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_ACCEPTED)
                         .mutable_workflow_execution_update_accepted_event_attributes();
    accepted->set_protocol_instance_id(id);
    accepted->set_accepted_request_message_id(id + "/request");
    accepted->set_accepted_request_sequencing_event_id(after);
    if (!name.empty()) set_update(accepted->mutable_accepted_request(), id, input, name);
    return *this;
  }
  HistoryBuilder& update_completed(const std::string& id, const std::string& result) {
    auto* done = add(enums::EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_COMPLETED)
                     .mutable_workflow_execution_update_completed_event_attributes();
    done->mutable_meta()->set_update_id(id);
    set_json(done->mutable_outcome()->mutable_success()->add_payloads(), result);
    return *this;
  }
  /// After a reset (B19).
  HistoryBuilder& update_admitted(const std::string& id, const std::string& input = "1") {
    auto* admitted = add(enums::EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_ADMITTED)
                         .mutable_workflow_execution_update_admitted_event_attributes();
    set_update(admitted->mutable_request(), id, input, "upd");
    return *this;
  }
  static void set_update(temporal::api::update::v1::Request* request, const std::string& id, const std::string& input,
                         const std::string& name) {
    request->mutable_meta()->set_update_id(id);
    request->mutable_input()->set_name(name);
    set_json(request->mutable_input()->mutable_args()->add_payloads(), input);
  }
  HistoryBuilder& cancel_requested() { return add(enums::EVENT_TYPE_WORKFLOW_EXECUTION_CANCEL_REQUESTED), *this; }
  HistoryBuilder& patch(const std::string& id, bool deprecated = false) {
    auto* marker = add(enums::EVENT_TYPE_MARKER_RECORDED).mutable_marker_recorded_event_attributes();
    marker->set_marker_name("core_patch");
    set_json((*marker->mutable_details())["patch-data"].add_payloads(),
             "{\"id\":\"" + id + "\",\"deprecated\":" + (deprecated ? "true" : "false") + "}");
    return *this;
  }
  HistoryBuilder& upserted(const std::string& key) {
    auto* upsert = add(enums::EVENT_TYPE_UPSERT_WORKFLOW_SEARCH_ATTRIBUTES)
                       .mutable_upsert_workflow_search_attributes_event_attributes();
    set_json(&(*upsert->mutable_search_attributes()->mutable_indexed_fields())[key], "[]");
    return *this;
  }
  HistoryBuilder& side_effect(int number, const std::string& data) {
    auto* marker = add(enums::EVENT_TYPE_MARKER_RECORDED).mutable_marker_recorded_event_attributes();
    marker->set_marker_name("SideEffect");
    set_json((*marker->mutable_details())["side-effect-id"].add_payloads(), std::to_string(number));
    set_json((*marker->mutable_details())["data"].add_payloads(), data);
    return *this;
  }
  HistoryBuilder& child_initiated(const std::string& id, const std::string& type) {
    auto* child = add(enums::EVENT_TYPE_START_CHILD_WORKFLOW_EXECUTION_INITIATED)
                      .mutable_start_child_workflow_execution_initiated_event_attributes();
    child->set_workflow_id(id);
    child->mutable_workflow_type()->set_name(type);
    return *this;
  }
  HistoryBuilder& child_started(std::int64_t initiated, const std::string& run = "child-run") {
    auto* started = add(enums::EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_STARTED)
                        .mutable_child_workflow_execution_started_event_attributes();
    started->set_initiated_event_id(initiated);
    started->mutable_workflow_execution()->set_run_id(run);
    return *this;
  }
  HistoryBuilder& child_start_failed(std::int64_t initiated) {
    auto* failed = add(enums::EVENT_TYPE_START_CHILD_WORKFLOW_EXECUTION_FAILED)
                       .mutable_start_child_workflow_execution_failed_event_attributes();
    failed->set_initiated_event_id(initiated);
    failed->set_workflow_id("c");
    failed->set_cause(enums::START_CHILD_WORKFLOW_EXECUTION_FAILED_CAUSE_WORKFLOW_ALREADY_EXISTS);
    return *this;
  }
  HistoryBuilder& child_completed(std::int64_t initiated, const std::string& result) {
    auto* done = add(enums::EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_COMPLETED)
                     .mutable_child_workflow_execution_completed_event_attributes();
    done->set_initiated_event_id(initiated);
    set_json(done->mutable_result()->add_payloads(), result);
    return *this;
  }
  HistoryBuilder& child_failed(std::int64_t initiated, const std::string& type, const std::string& message) {
    auto* failed = add(enums::EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_FAILED)
                       .mutable_child_workflow_execution_failed_event_attributes();
    failed->set_initiated_event_id(initiated);
    failed->mutable_failure()->set_message(message);
    failed->mutable_failure()->mutable_application_failure_info()->set_type(type);
    return *this;
  }
  HistoryBuilder& child_canceled(std::int64_t initiated) {
    add(enums::EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_CANCELED)
        .mutable_child_workflow_execution_canceled_event_attributes()
        ->set_initiated_event_id(initiated);
    return *this;
  }
  HistoryBuilder& child_timed_out(std::int64_t initiated) {
    add(enums::EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_TIMED_OUT)
        .mutable_child_workflow_execution_timed_out_event_attributes()
        ->set_initiated_event_id(initiated);
    return *this;
  }
  HistoryBuilder& child_terminated(std::int64_t initiated) {
    add(enums::EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_TERMINATED)
        .mutable_child_workflow_execution_terminated_event_attributes()
        ->set_initiated_event_id(initiated);
    return *this;
  }
  HistoryBuilder& signal_initiated(const std::string& target, const std::string& name) {
    auto* signal = add(enums::EVENT_TYPE_SIGNAL_EXTERNAL_WORKFLOW_EXECUTION_INITIATED)
                       .mutable_signal_external_workflow_execution_initiated_event_attributes();
    signal->mutable_workflow_execution()->set_workflow_id(target);
    signal->set_signal_name(name);
    return *this;
  }
  HistoryBuilder& external_signaled(std::int64_t initiated) {
    add(enums::EVENT_TYPE_EXTERNAL_WORKFLOW_EXECUTION_SIGNALED)
        .mutable_external_workflow_execution_signaled_event_attributes()
        ->set_initiated_event_id(initiated);
    return *this;
  }
  HistoryBuilder& signal_failed(std::int64_t initiated, enums::SignalExternalWorkflowExecutionFailedCause cause) {
    auto* failed = add(enums::EVENT_TYPE_SIGNAL_EXTERNAL_WORKFLOW_EXECUTION_FAILED)
                       .mutable_signal_external_workflow_execution_failed_event_attributes();
    failed->set_initiated_event_id(initiated);
    failed->mutable_workflow_execution()->set_workflow_id("other");
    failed->set_cause(cause);
    return *this;
  }
  HistoryBuilder& cancel_initiated(const std::string& target) {
    add(enums::EVENT_TYPE_REQUEST_CANCEL_EXTERNAL_WORKFLOW_EXECUTION_INITIATED)
        .mutable_request_cancel_external_workflow_execution_initiated_event_attributes()
        ->mutable_workflow_execution()
        ->set_workflow_id(target);
    return *this;
  }
  HistoryBuilder& external_cancel_requested(std::int64_t initiated) {
    add(enums::EVENT_TYPE_EXTERNAL_WORKFLOW_EXECUTION_CANCEL_REQUESTED)
        .mutable_external_workflow_execution_cancel_requested_event_attributes()
        ->set_initiated_event_id(initiated);
    return *this;
  }
  HistoryBuilder& cancel_failed(std::int64_t initiated) {
    auto* failed = add(enums::EVENT_TYPE_REQUEST_CANCEL_EXTERNAL_WORKFLOW_EXECUTION_FAILED)
                       .mutable_request_cancel_external_workflow_execution_failed_event_attributes();
    failed->set_initiated_event_id(initiated);
    failed->mutable_workflow_execution()->set_workflow_id("other");
    failed->set_cause(enums::CANCEL_EXTERNAL_WORKFLOW_EXECUTION_FAILED_CAUSE_EXTERNAL_WORKFLOW_EXECUTION_NOT_FOUND);
    return *this;
  }
  /// As core writes it; `backoff` in seconds, -1: none.
  HistoryBuilder& local_activity(int number, const std::string& type, int attempt, const std::string& result,
                                 int backoff = -1) {
    auto* marker = add(enums::EVENT_TYPE_MARKER_RECORDED).mutable_marker_recorded_event_attributes();
    marker->set_marker_name("core_local_activity");
    const std::string wait = backoff < 0 ? "null" : "{\"seconds\":" + std::to_string(backoff) + ",\"nanos\":0}";
    set_json((*marker->mutable_details())["data"].add_payloads(),
             "{\"seq\":" + std::to_string(number) + ",\"attempt\":" + std::to_string(attempt) + ",\"activity_id\":\"" +
                 std::to_string(number) + "\",\"activity_type\":\"" + type + "\",\"backoff\":" + wait + "}");
    if (backoff < 0) {
      set_json((*marker->mutable_details())["result"].add_payloads(), result);
    } else {
      marker->mutable_failure()->mutable_application_failure_info()->set_type(result);
    }
    return *this;
  }
  HistoryBuilder& closed() { return add(enums::EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED), *this; }

  const History& history() const { return history_; }

  static void set_json(temporal::api::common::v1::Payload* payload, const std::string& json) {
    (*payload->mutable_metadata())["encoding"] = "json/plain";
    payload->set_data(json);
  }

 private:
  History history_;
  std::int64_t scheduled_ = 0;
};

}  // namespace callimport::engine::testing_support
