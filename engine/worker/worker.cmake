add_floor(engine::history
  HEADERS history/history_file.h history/gzip.h history/json_shape.h
  SOURCES history/history_file.cc history/gzip.cc history/json_shape.cc
  DEPS storage::model temporal_api nlohmann_json::nlohmann_json ZLIB::ZLIB)
add_floor(engine::worker
  HEADERS worker.h workflow.h flow.h activity.h awaitable.h workflow_service.h
          worker/payloads.h worker/machines.h worker/commands.h worker/task_split.h worker/scheduler.h worker/run.h
          worker/updates.h worker/others.h worker/locals.h worker/attempt.h worker/local_runner.h worker/rpc.h
          worker/workflow_tasks.h worker/activity_tasks.h worker/task_waits.h
  SOURCES worker/awaitable.cc worker/payloads.cc worker/machines.cc worker/commands.cc worker/task_split.cc
          worker/scheduler.cc worker/run.cc worker/run_context.cc worker/run_events.cc worker/replay.cc
          worker/updates.cc worker/run_updates.cc worker/others.cc worker/run_children.cc worker/run_locals.cc
          worker/attempt.cc worker/local_runner.cc worker/workflow_tasks.cc worker/workflow_replies.cc
          worker/workflow_locals.cc worker/activity_tasks.cc worker/task_waits.cc worker/worker.cc
  DEPS storage::model storage::runtime temporal_api nlohmann_json::nlohmann_json Boost::headers)
reuse_temporal_headers(engine_worker)
