add_suite(history_file_test SOURCES engine/history_file_test.cc DEPS engine::history)
