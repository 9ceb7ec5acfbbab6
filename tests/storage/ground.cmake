add_suite(ground_test SOURCES storage/model_test.cc storage/loop_test.cc storage/disk_test.cc storage/sqlite_test.cc
          DEPS storage::sqlite simulations_world LABELS unit storage)
