// Exported histories from anywhere: what is read is written and read again the same, and checked against the rules.
#include <temporal/api/history/v1/message.pb.h>

#include "engine/history/history_file.h"
#include "engine/history/history_rules.h"
#include "storage/model/ensure.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace callimport::engine;
  const auto histories = read_histories({reinterpret_cast<const char*>(data), size});
  if (!histories) return 0;
  for (const auto& history : *histories) {
    const auto from_json = read_histories(write_json(history));
    ENSURE(from_json.has_value() && from_json->size() == 1);
    ENSURE(write_json(from_json->front()) == write_json(history));
    (void)broken_rules(history);
  }
  return 0;
}
