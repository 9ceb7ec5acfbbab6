# The real binary from outside, and the doors in process.
add_suite(cli_test SOURCES api/cli_test.cc DEPS test_process nlohmann_json::nlohmann_json LABELS real TIMEOUT 120)
add_dependencies(cli_test callimport)
add_suite(door_test SOURCES api/door_test.cc api/certificates.cc DEPS api::cli test_process OpenSSL::Crypto LABELS real TIMEOUT 120)
add_suite(connection_test SOURCES api/connection_test.cc DEPS api::text test_process)
add_suite(text_test SOURCES api/text_test.cc DEPS api::text)
add_suite(verbs_test SOURCES api/verbs_test.cc DEPS test_house LABELS real TIMEOUT 300)
add_dependencies(verbs_test callimport)
