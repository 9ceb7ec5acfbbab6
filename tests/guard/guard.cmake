add_suite(guard_test SOURCES guard/include_rules_test.cc LABELS guard)
