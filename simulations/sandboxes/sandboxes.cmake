add_floor(simulations_sandboxes
  HEADERS sandboxes/sandbox.h sandboxes/calls.h sandboxes/words.h sandboxes/generated_calls.h sandboxes/content_calls.h
          sandboxes/grain.h sandboxes/grain_oauth.h sandboxes/grain_wire.h sandboxes/multipart.h sandboxes/transcriber.h sandboxes/slack.h sandboxes/server.h sandboxes/in_process.h
  SOURCES sandboxes/sandbox.cc sandboxes/calls.cc sandboxes/words.cc sandboxes/generated_calls.cc sandboxes/content_calls.cc
          sandboxes/grain.cc sandboxes/grain_oauth.cc sandboxes/multipart.cc sandboxes/transcriber.cc sandboxes/grain_wire.cc sandboxes/grain_options.cc sandboxes/slack.cc sandboxes/slack_options.cc sandboxes/server.cc sandboxes/in_process.cc
  DEPS api::http activities::http activities::media storage::media storage::model fmt::fmt nlohmann_json::nlohmann_json OpenSSL::Crypto Boost::headers Threads::Threads)
