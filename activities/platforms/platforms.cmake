add_floor(activities::http
  HEADERS http/http.h http/curl_http.h http/transfer.h
  SOURCES http/http.cc http/curl_http.cc http/transfer.cc
  DEPS storage::model Boost::headers CURL::libcurl fmt::fmt Threads::Threads)

add_floor(activities::media
  HEADERS media/probe.h media/examine.h
  SOURCES media/examine.cc
  DEPS storage::model Boost::headers PkgConfig::AVFORMAT PkgConfig::SECCOMP fmt::fmt nlohmann_json::nlohmann_json)
