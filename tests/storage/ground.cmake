add_suite(ground_test SOURCES storage/model_test.cc storage/loop_test.cc storage/disk_test.cc storage/space_reserve_test.cc storage/sqlite_test.cc
          DEPS storage::sqlite simulations_world LABELS unit storage tsan)
add_suite(journal_test SOURCES storage/journal_test.cc storage/journal_commit_test.cc storage/journal_power_test.cc
          DEPS storage::journal simulations_world LABELS unit storage tsan)
add_suite(windows_test SOURCES storage/windows_test.cc DEPS storage::windows LABELS unit storage)
