add_proto_floor(engine_transition PROTO service/transition.proto DEPS temporal_api)
add_floor(engine::port HEADERS workflow_service.h operator_service.h SOURCES service/port.cc DEPS storage::model storage::runtime temporal_api)
target_compile_options(engine_port PRIVATE "SHELL:-Xclang -fno-pch-timestamp")
target_precompile_headers(engine_port PRIVATE
  <algorithm> <chrono> <cstdint> <functional> <map> <memory> <optional> <string> <string_view> <utility> <variant> <vector>
  <temporal/api/workflowservice/v1/request_response.pb.h>)
add_floor(engine::service
  HEADERS embedded.h service/internal/core.h service/internal/namespace.h service/internal/batch_requests.h service/effects.h service/deadlines.h service/draft.h service/run_state.h
          service/history_batches.h service/workflow_tasks.h service/activities.h service/commands.h service/command_error.h
          service/completion.h service/starts.h service/children.h service/crossing_commands.h service/id_policies.h
          service/calendar.h service/cron.h service/words.h service/schedule_text.h service/schedule_times.h service/schedules.h service/uuid_text.h service/run_ids.h service/successors.h service/retry.h service/search_attributes.h
          service/list_filter.h service/filter_nodes.h service/run_view.h service/visibility.h service/port_errors.h
          service/proto_time.h service/buffered_random.h service/utf8_text.h service/rebuild.h service/resets.h service/run_options.h
          service/activity_operations.h service/task_events.h service/updates.h service/transition_check.h service/reset_news.h service/limits.h
  SOURCES service/core.cc service/namespaces.cc service/records.cc service/batches.cc service/batch_requests.cc service/rpc_batches.cc service/runs.cc service/crossings.cc service/families.cc service/dispatch.cc service/fire.cc service/draft.cc service/run_state.cc service/transition_check.cc service/reset_news.cc
          service/history_batches.cc service/workflow_tasks.cc service/activities.cc service/commands.cc
          service/command_error.cc service/completion.cc service/starts.cc service/children.cc service/crossing_commands.cc service/id_policies.cc
          service/calendar.cc service/cron.cc service/schedule_text.cc service/schedule_times.cc service/schedules.cc service/schedule_actions.cc
          service/rpc_schedules.cc service/rpc_schedule_lists.cc service/successors.cc service/retry.cc
          service/search_attributes.cc service/list_filter.cc service/filter_nodes.cc service/run_view.cc
          service/port_errors.cc service/utf8_text.cc service/rpc_starts.cc service/rpc_signals.cc service/rpc_workflow_tasks.cc
          service/rpc_activities.cc service/rpc_queries.cc service/rpc_history.cc service/rpc_lists.cc service/rpc_system.cc service/rpc_namespaces.cc service/rpc_operator.cc service/rpc_refused.cc
          service/rpc_workers.cc service/rpc_task_queues.cc service/visibility.cc
          service/rebuild.cc service/resets.cc service/run_options.cc service/rpc_resets.cc service/activity_operations.cc
          service/rpc_activity_operations.cc service/rpc_run_options.cc service/rpc_deletions.cc
          service/task_events.cc service/updates.cc service/rpc_updates.cc service/rpc_multi.cc service/limits.cc
  DEPS engine::port engine_transition storage::journal nlohmann_json::nlohmann_json date::date-tz)
# The wire still has fields that Temporal marks deprecated; what clients send in them is carried and obeyed.
target_compile_options(engine_service PRIVATE -Wno-deprecated-declarations)
reuse_temporal_headers(engine_service)
add_floor(engine::history_rules HEADERS history/history_rules.h SOURCES history/history_rules.cc DEPS storage::model temporal_api)
