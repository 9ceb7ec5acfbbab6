#pragma once
// HTTP in of a running house: the router with the pages about itself, and the server on its address.
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "api/http/router.h"
#include "api/http/server.h"
#include "api/serve/config.h"
#include "api/serve/measures.h"

namespace callimport::api {

struct Front;
struct House;
struct DoorOptions;

/// HTTP in, of one process. Members in the order they must be taken down: last first.
struct Web {
  std::unique_ptr<Measures> measures;
  std::vector<std::function<void(std::string text)>> scrapes;  ///< that wait for the look under way
  std::unique_ptr<WebRouter> router;
  std::unique_ptr<WebServer> server;  ///< null: switched off, or somebody else has the default port
  std::string address;                ///< host:port as bound; empty: there is none
};

/// Opens it unless it is switched off. A default port that is taken is a warning, one that was asked for an error.
/// `door` says what guards an address that others reach: certificate, key, or that it is meant without.
/// @error kConflict  the address is taken.
/// @error kInvalid   others can reach it, without TLS and key.
Result<> open_web(Front& front, House& house, const HttpConfig& config, const DoorOptions& door);

/// What links to this server begin with: [http] url, or host and port; empty: there is no HTTP.
std::string web_base(const HttpConfig& config, const Web& web);

}  // namespace callimport::api
