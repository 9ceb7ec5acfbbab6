# The real binary, real sockets, real SIGKILL. The short forms take a minute or two; the limits are those of the whole ones
# (./dev kill --full), which ctest cannot change from outside.
add_library(test_process STATIC spine/process.cc spine/bare_http2.cc)
target_include_directories(test_process PUBLIC ${CMAKE_SOURCE_DIR})
target_compile_options(test_process PRIVATE ${CALLIMPORT_WARNINGS})
target_compile_definitions(test_process PRIVATE CALLIMPORT_BINARY_DIR="${CMAKE_BINARY_DIR}")

add_library(test_house STATIC spine/house.cc)
target_compile_options(test_house PRIVATE ${CALLIMPORT_WARNINGS})
target_link_libraries(test_house PUBLIC test_process api::cli simulations_sandboxes GTest::gtest)

foreach(name kill_import_test kill_commit_test)
  add_suite(${name} SOURCES spine/${name}.cc DEPS test_house LABELS real sweep TIMEOUT 7200)
  add_dependencies(${name} callimport)
endforeach()

add_suite(full_disk_test SOURCES spine/full_disk_test.cc DEPS test_house LABELS real TIMEOUT 120)
add_dependencies(full_disk_test callimport)

add_suite(strangers_test SOURCES spine/strangers_test.cc DEPS test_house LABELS real TIMEOUT 300)
add_dependencies(strangers_test callimport)

add_suite(runbook_test SOURCES spine/runbook_test.cc DEPS test_house LABELS real TIMEOUT 600)
add_dependencies(runbook_test callimport)

add_suite(secrets_test SOURCES spine/secrets_test.cc DEPS test_house LABELS real TIMEOUT 120)
add_dependencies(secrets_test callimport)
