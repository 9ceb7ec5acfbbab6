add_suite(library_test
  SOURCES storage/calls_test.cc
  DEPS storage::library simulations_world
  LABELS unit storage tsan)
