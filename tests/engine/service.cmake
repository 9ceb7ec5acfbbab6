add_suite(service_test
  SOURCES engine/service_world.cc engine/transcript.cc engine/service_transcripts_test.cc engine/service_recovery_test.cc engine/service_corrupt_journal_test.cc engine/service_starts_test.cc engine/service_port_test.cc engine/service_reads_test.cc engine/service_tasks_test.cc engine/service_namespaces_test.cc engine/service_operator_test.cc engine/service_lists_test.cc engine/service_resets_test.cc engine/service_operations_test.cc engine/time_skipping_test.cc engine/clock_jumps_test.cc engine/service_children_test.cc engine/service_chains_test.cc engine/cron_test.cc engine/schedule_times_test.cc engine/schedule_world.cc engine/service_schedules_test.cc engine/service_batches_test.cc engine/list_filter_test.cc
          engine/update_world.cc engine/service_updates_test.cc engine/service_update_calls_test.cc engine/service_multi_test.cc
  DEPS engine::service engine::history_rules simulations_world date::date
  LABELS unit engine tsan)
target_compile_options(service_test PRIVATE -Wno-deprecated-declarations)  # older fields that clients still send
add_suite(history_rules_test SOURCES engine/history_rules_test.cc DEPS engine::history_rules engine::history LABELS unit engine tsan)
reuse_temporal_headers(service_test)
