// A configuration file in which a person, or a disk, got something wrong: read, or refused with where.
#include "api/serve/config.h"
#include "storage/model/ensure.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto config = callimport::api::parse_config({reinterpret_cast<const char*>(data), size}, "c.toml");
  if (!config) ENSURE(config.error().message.starts_with("c.toml"));
  return 0;
}
