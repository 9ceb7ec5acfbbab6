include(embed)

add_floor(activities::http
  HEADERS http/http.h http/addresses.h http/curl_http.h http/transfer.h
  SOURCES http/http.cc http/addresses.cc http/curl_http.cc http/transfer.cc
  DEPS storage::model Boost::headers CURL::libcurl fmt::fmt Threads::Threads)

add_floor(activities::platforms
  HEADERS platforms/platform.h platforms/trouble.h platforms/answers.h platforms/json.h platforms/grain.h platforms/matrix.h
  SOURCES platforms/answers.cc platforms/json.cc platforms/grain.cc platforms/registry.cc platforms/matrix.cc
  DEPS activities::http storage::model fmt::fmt nlohmann_json::nlohmann_json)

embed_text(activities_platforms FILE activities/platforms/matrix.json NAME kMatrixJson
           NAMESPACE callimport::activities)

add_floor(activities::media
  HEADERS media/probe.h media/examine.h media/child.h media/lockdown.h media/inline_probe.h media/libav.h
  SOURCES media/examine.cc media/verdict.cc media/lockdown.cc media/child_main.cc media/child_probe.cc media/inline_probe.cc
          media/libav.cc
  DEPS storage::model Boost::headers PkgConfig::SECCOMP fmt::fmt nlohmann_json::nlohmann_json ${CMAKE_DL_LIBS})

add_floor(activities::oauth
  HEADERS oauth/token_request.h oauth/access_tokens.h oauth/sign_in.h
  SOURCES oauth/token_request.cc oauth/access_tokens.cc oauth/sign_in.cc
  DEPS activities::platforms activities::http engine::worker storage::vault storage::model fmt::fmt nlohmann_json::nlohmann_json PkgConfig::SODIUM)

add_floor(activities::transcribe
  HEADERS transcribe/transcription.h transcribe/transcriber.h
  SOURCES transcribe/transcription.cc transcribe/transcriber.cc
  DEPS activities::platforms activities::http engine::worker storage::vault storage::model fmt::fmt nlohmann_json::nlohmann_json)
