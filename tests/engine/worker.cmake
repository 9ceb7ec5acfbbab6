add_suite(history_file_test SOURCES engine/history_file_test.cc DEPS engine::history LABELS unit engine)
add_suite(worker_run_test SOURCES engine/machines_test.cc engine/run_test.cc engine/run_updates_test.cc engine/run_children_test.cc
                                engine/run_locals_test.cc engine/awaitable_test.cc
          DEPS engine::worker simulations_world LABELS unit engine tsan)
add_suite(worker_test SOURCES engine/worker_test.cc engine/worker_locals_test.cc DEPS engine::worker simulations_world LABELS unit engine tsan)
add_suite(worker_service_test SOURCES engine/worker_service_test.cc engine/worker_updates_test.cc engine/features.cc
          DEPS engine::worker engine::service engine::history engine::history_rules simulations_world storage::journal LABELS unit engine tsan)
foreach(suite worker_run_test worker_test worker_service_test)
  reuse_temporal_headers(${suite})
endforeach()
