add_suite(library_test
  SOURCES storage/calls_test.cc storage/lane_order_test.cc storage/manifest_test.cc storage/imports_test.cc storage/quarantine_test.cc storage/telling_test.cc storage/mutes_test.cc storage/search_test.cc
          storage/search_library_test.cc storage/people_test.cc storage/duplicates_test.cc storage/library_power_test.cc storage/progress_test.cc storage/course_test.cc storage/actions_test.cc storage/undo_test.cc storage/words_test.cc storage/set_aside_test.cc
  DEPS storage::library storage::media simulations_world nlohmann_json::nlohmann_json
  LABELS unit storage tsan)
add_suite(quota_test SOURCES storage/quota_test.cc DEPS storage::library simulations_world LABELS unit storage)
add_suite(vault_test SOURCES storage/vault_test.cc DEPS storage::vault simulations_world LABELS unit storage tsan)
add_suite(media_store_test SOURCES storage/media_store_test.cc DEPS storage::media simulations_world LABELS unit storage tsan)
add_suite(library_scale_test SOURCES storage/library_scale_test.cc DEPS storage::library simulations_world
          LABELS unit storage sweep TIMEOUT 300)
add_suite(backup_test SOURCES storage/backup_test.cc DEPS storage::backup storage::library storage::media simulations_world
          LABELS unit storage)
