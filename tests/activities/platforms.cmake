add_executable(media_probe_child activities/media_probe_child.cc)
target_link_libraries(media_probe_child PRIVATE activities::media)

add_suite(media_test SOURCES activities/media_test.cc
          DEPS activities::media engine::worker storage::runtime simulations_world simulations_sandboxes LABELS unit activities)
add_dependencies(media_test media_probe_child)
target_compile_definitions(media_test PRIVATE CALLIMPORT_PROBE_CHILD="$<TARGET_FILE:media_probe_child>")

add_suite(platforms_test SOURCES activities/grain_test.cc simulations/grain_sandbox_test.cc simulations/sandbox_carriers_test.cc
          DEPS activities::platforms storage::vault engine::worker storage::runtime simulations_world simulations_sandboxes
          LABELS unit activities)

add_suite(http_test SOURCES activities/curl_http_test.cc
          DEPS activities::transcribe activities::http engine::worker storage::runtime simulations_world simulations_sandboxes LABELS unit activities)

# In Linux namespaces of its own; skipped where the machine gives none.
add_suite(rebinding_test SOURCES activities/rebinding_test.cc activities/own_network.cc
          DEPS activities::webhooks activities::http simulations_world simulations_sandboxes LABELS real activities)

add_suite(oauth_test SOURCES activities/oauth_test.cc
          DEPS activities::oauth storage::vault engine::worker storage::runtime simulations_world simulations_sandboxes
          LABELS unit activities)

add_suite(slack_test SOURCES activities/slack_test.cc activities/slack_channel_test.cc
          DEPS activities::notify api::http storage::vault engine::worker storage::runtime simulations_world simulations_sandboxes LABELS unit activities)
