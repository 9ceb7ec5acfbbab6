# add_floor(name HEADERS ... SOURCES ... DEPS ...): one static library with our warnings, and a link test that the archive
# and its declared dependencies are enough. Headers are listed so that a reader sees the floor's contents.
set(CALLIMPORT_WARNINGS -Wall -Wextra -Wshadow -Wconversion -Wthread-safety -Werror)
set(CALLIMPORT_SANITIZE "" CACHE STRING "address,undefined or thread; empty for none")
if(CALLIMPORT_SANITIZE)
  add_compile_options(-fsanitize=${CALLIMPORT_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${CALLIMPORT_SANITIZE})
endif()
# Counters of the blocks run, for tests/fuzz; without comparison tracing, which would double the time of every test.
option(CALLIMPORT_FUZZ "coverage counters in every object, and the fuzz targets" OFF)
if(CALLIMPORT_FUZZ)
  add_compile_options(-fsanitize-coverage=inline-8bit-counters,pc-table)
endif()
add_link_options(-fuse-ld=lld-19)

# Temporal's messages are the heaviest headers here (5 MB): engine::port parses them once a configuration, and the targets
# that read them all day take its precompiled header. Clang checks that both were compiled alike.
function(reuse_temporal_headers target)
  target_precompile_headers(${target} REUSE_FROM engine_port)
endfunction()

function(add_floor name)
  cmake_parse_arguments(FLOOR "" "" "HEADERS;SOURCES;DEPS" ${ARGN})
  string(REPLACE "::" "_" target ${name})
  add_library(${target} STATIC ${FLOOR_SOURCES} ${FLOOR_HEADERS})
  if(NOT target STREQUAL name)
    add_library(${name} ALIAS ${target})
  endif()
  target_include_directories(${target} PUBLIC ${CMAKE_SOURCE_DIR})
  target_compile_options(${target} PRIVATE ${CALLIMPORT_WARNINGS})
  target_link_libraries(${target} PUBLIC ${FLOOR_DEPS})
  # The whole archive, its dependencies and nothing else must link.
  file(WRITE ${CMAKE_BINARY_DIR}/link_tests/${target}.cc "int main() { return 0; }\n")
  add_executable(link_${target} ${CMAKE_BINARY_DIR}/link_tests/${target}.cc)
  set_target_properties(link_${target} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/link_tests)
  target_link_libraries(link_${target} PRIVATE $<LINK_LIBRARY:WHOLE_ARCHIVE,${target}>)
  add_test(NAME link.${target} COMMAND link_${target})
  set_tests_properties(link.${target} PROPERTIES LABELS guard)
endfunction()

# add_proto_floor(name PROTO file.proto [GRPC]): our own messages as one library; no warnings in generated code.
function(add_proto_floor name)
  cmake_parse_arguments(P "GRPC" "PROTO" "DEPS" ${ARGN})
  get_filename_component(base ${P_PROTO} NAME_WE)
  file(RELATIVE_PATH rel ${CMAKE_SOURCE_DIR} ${CMAKE_CURRENT_SOURCE_DIR}/${P_PROTO})
  get_filename_component(dir ${rel} DIRECTORY)
  set(out ${CMAKE_BINARY_DIR}/protos)
  file(MAKE_DIRECTORY ${out})
  set(made ${out}/${dir}/${base}.pb.cc ${out}/${dir}/${base}.pb.h)
  set(args --cpp_out=${out})
  if(P_GRPC)
    list(APPEND made ${out}/${dir}/${base}.grpc.pb.cc ${out}/${dir}/${base}.grpc.pb.h)
    list(APPEND args --grpc_out=${out} --plugin=protoc-gen-grpc=${GRPC_CPP_PLUGIN})
  endif()
  set(api_protos ${TEMPORAL_API_DIR}/npm/node_modules/@temporalio/core-bridge/sdk-core/crates/protos/protos/api_upstream)
  add_custom_command(OUTPUT ${made}
    COMMAND ${PROTOC} -I${CMAKE_SOURCE_DIR} -I${api_protos} ${args} ${rel}
    COMMAND ${CMAKE_COMMAND} -DBASE=${out}/${dir}/${base} -P ${CMAKE_SOURCE_DIR}/cmake/temporal_api/rename_keywords.cmake
    DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/${P_PROTO} VERBATIM)
  add_library(${name} STATIC ${made})
  target_include_directories(${name} SYSTEM PUBLIC ${out})
  target_compile_options(${name} PRIVATE -w)
  target_link_libraries(${name} PUBLIC ${P_DEPS} protobuf::libprotobuf)
endfunction()

# add_suite(name SOURCES ... DEPS ... [LABELS ...] [TIMEOUT s]): one GoogleTest binary, its tests known to ctest by name.
# Labels: real (spawns the binary: no sanitizers), tsan (engine and storage: run under tsan too), sweep (has a --full form),
# guard. Every suite that is not `real` runs under asan + ubsan.
add_custom_target(suites_asan)
add_custom_target(suites_tsan)
function(add_suite name)
  cmake_parse_arguments(SUITE "" "TIMEOUT" "SOURCES;DEPS;LABELS" ${ARGN})
  if(NOT SUITE_TIMEOUT)
    set(SUITE_TIMEOUT 120)
  endif()
  add_executable(${name} ${SUITE_SOURCES})
  target_include_directories(${name} PRIVATE ${CMAKE_SOURCE_DIR})
  target_compile_options(${name} PRIVATE ${CALLIMPORT_WARNINGS})
  target_compile_definitions(${name} PRIVATE CALLIMPORT_SOURCE_DIR="${CMAKE_SOURCE_DIR}" CALLIMPORT_BINARY_DIR="${CMAKE_BINARY_DIR}")
  target_link_libraries(${name} PRIVATE ${SUITE_DEPS} GTest::gmock GTest::gtest_main)
  set(labels ${SUITE_LABELS})
  if(NOT "real" IN_LIST labels)
    list(APPEND labels asan)
    add_dependencies(suites_asan ${name})
  endif()
  if("tsan" IN_LIST labels)
    add_dependencies(suites_tsan ${name})
  endif()
  # gtest_discover_tests cannot pass a list, and `ctest -L` takes a pattern: the labels are one word, joined by +.
  list(JOIN labels "+" labels)
  gtest_discover_tests(${name} NO_PRETTY_VALUES DISCOVERY_MODE PRE_TEST DISCOVERY_TIMEOUT 60 PROPERTIES TIMEOUT ${SUITE_TIMEOUT} LABELS "${labels}")
endfunction()
