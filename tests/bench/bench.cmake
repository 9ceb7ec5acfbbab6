add_executable(journal_bench bench/journal_bench.cc)
target_compile_options(journal_bench PRIVATE ${CALLIMPORT_WARNINGS})
target_link_libraries(journal_bench PRIVATE storage::journal benchmark::benchmark)
