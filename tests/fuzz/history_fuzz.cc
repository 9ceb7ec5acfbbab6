// Exported histories from anywhere: what is read is written and read again the same, and checked against the rules.
#include <temporal/api/history/v1/message.pb.h>

#include <nlohmann/json.hpp>

#include "engine/history/history_file.h"
#include "engine/history/history_rules.h"
#include "storage/model/ensure.h"

namespace {

/// Protobuf writes a map's entries in any order; nlohmann keeps them by name.
nlohmann::json written(const temporal::api::history::v1::History& history) {
  return nlohmann::json::parse(callimport::engine::write_json(history));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace callimport::engine;
  const auto histories = read_histories({reinterpret_cast<const char*>(data), size});
  if (!histories) return 0;
  for (const auto& history : *histories) {
    const auto from_json = read_histories(write_json(history));
    ENSURE(from_json.has_value() && from_json->size() == 1);
    ENSURE(written(from_json->front()) == written(history));
    (void)broken_rules(history);
  }
  return 0;
}
