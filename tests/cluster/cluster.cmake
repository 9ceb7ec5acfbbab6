# Our worker on the real dev server (./dev tools builds it). The short forms take a minute or two; the limits are those of
# the whole ones (./dev kill --full).
add_library(test_cluster STATIC cluster/dev_server.cc cluster/scrubbed.cc cluster/gated_port.cc cluster/gated_import.cc
            cluster/kitchen_workflow.cc cluster/kitchen_driver.cc)
reuse_temporal_headers(test_cluster)
target_compile_options(test_cluster PRIVATE ${CALLIMPORT_WARNINGS})
target_link_libraries(test_cluster PUBLIC test_house engine::cluster engine::history engine::history_rules)

add_suite(cluster_histories_test SOURCES cluster/histories_test.cc DEPS test_cluster LABELS real cluster TIMEOUT 600)
add_suite(cluster_kitchen_test SOURCES cluster/kitchen_test.cc DEPS test_cluster LABELS real cluster TIMEOUT 600)
add_suite(cluster_kills_test SOURCES cluster/kills_test.cc DEPS test_cluster LABELS real cluster sweep TIMEOUT 7200)
add_dependencies(cluster_histories_test callimport)
add_dependencies(cluster_kitchen_test callimport)
add_dependencies(cluster_kills_test callimport)

# The port alone, against a server in the test's own process.
add_suite(cluster_port_test SOURCES cluster/port_test.cc api/certificates.cc DEPS engine::cluster api::grpc storage::runtime OpenSSL::Crypto)
add_suite(cluster_hostile_test SOURCES cluster/hostile_test.cc cluster/hostile_requests.cc cluster/hostile_target.cc cluster/limits_test.cc
          cluster/limit_play.cc cluster/limit_rows.cc DEPS test_cluster LABELS real cluster TIMEOUT 600)
add_dependencies(cluster_hostile_test callimport)
