add_suite(import_table_test SOURCES workflows/table_test.cc workflows/decisions_test.cc DEPS workflows)
