add_floor(simulations_import_world
  HEADERS ../simulations/world/import_world.h
  SOURCES ../simulations/world/import_world.cc
  DEPS workflows activities::import activities::notify activities::media engine::service engine::worker engine::history_rules
       simulations_world simulations_sandboxes storage::library storage::vault storage::media storage::journal)

add_suite(import_table_test SOURCES workflows/table_test.cc workflows/decisions_test.cc DEPS workflows)
add_suite(import_test SOURCES workflows/import_test.cc workflows/trouble_test.cc workflows/access_test.cc workflows/quarantine_test.cc workflows/transcriber_test.cc workflows/full_disk_test.cc workflows/report_test.cc workflows/choice_test.cc workflows/repeats_test.cc DEPS simulations_import_world TIMEOUT 300)
add_suite(import_news_test SOURCES workflows/news_test.cc DEPS simulations_import_world TIMEOUT 300)
add_suite(import_window_test SOURCES workflows/window_test.cc DEPS simulations_import_world TIMEOUT 300)
add_suite(import_people_test SOURCES workflows/people_test.cc DEPS simulations_import_world TIMEOUT 300)
add_suite(import_bad_input_test SOURCES workflows/bad_input_test.cc DEPS simulations_import_world TIMEOUT 300)
add_suite(power_lost_test SOURCES workflows/power_lost_test.cc DEPS simulations_import_world LABELS sweep TIMEOUT 3600)
add_suite(failing_loop_test SOURCES workflows/failing_loop_test.cc DEPS simulations_import_world LABELS sweep TIMEOUT 3600)
add_suite(real_content_test SOURCES workflows/real_content_test.cc DEPS simulations_import_world TIMEOUT 300)
add_suite(notify_test SOURCES activities/notify_test.cc activities/deliverer_test.cc activities/rules_test.cc activities/muting_test.cc activities/telling_day_test.cc activities/forecast_test.cc activities/mail_test.cc activities/mail_server_test.cc
          DEPS activities::notify simulations_world storage::library TIMEOUT 300)
add_suite(messages_test SOURCES activities/messages_test.cc DEPS activities::words)
add_suite(import_steps_test SOURCES activities/import_steps_test.cc activities/problem_news_test.cc activities/grade_test.cc activities/advice_test.cc DEPS activities::import)
add_suite(import_golden_test SOURCES workflows/golden_test.cc DEPS simulations_import_world engine::history)
add_suite(estimate_test SOURCES activities/estimate_test.cc DEPS activities::estimate simulations_import_world engine::history TIMEOUT 300)
add_suite(restore_test SOURCES workflows/restore_test.cc DEPS api::grpc simulations_import_world storage::backup TIMEOUT 300)
add_suite(import_quota_test SOURCES workflows/quota_test.cc simulations/customers.cc DEPS simulations_import_world storage::quota TIMEOUT 300)
add_suite(webhooks_test SOURCES activities/webhooks_test.cc
          DEPS activities::webhooks simulations_world simulations_sandboxes storage::library LABELS unit activities)
