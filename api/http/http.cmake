# HTTP in: nothing of the product below it but errors, time and chance, so that the sandboxes stand on it, too.
add_floor(api::http
  HEADERS http/message.h http/connection.h http/server.h http/problem.h http/router.h http/pages.h http/slack_signature.h
  SOURCES http/message.cc http/server.cc http/problem.cc http/router.cc http/pages.cc http/slack_signature.cc
  DEPS storage::model storage::runtime fmt::fmt nlohmann_json::nlohmann_json Boost::headers OpenSSL::SSL OpenSSL::Crypto Threads::Threads)
