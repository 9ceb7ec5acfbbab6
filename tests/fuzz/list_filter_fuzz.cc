// Whatever is asked of the list: parsed or refused with words, and asked of rows of each kind.
#include <array>

#include "engine/service/list_filter.h"
#include "engine/service/visibility.h"
#include "storage/model/ensure.h"

namespace {

using namespace callimport::engine;

std::array<VisibleRow, 2> rows(const SearchTypes& types) {
  std::array<pb::RunSummary, 2> rows;
  rows[1].mutable_facts()->set_workflow_id("w");
  rows[1].mutable_facts()->set_run_id("11111111-2222-3333-4444-555555555555");
  rows[1].mutable_facts()->set_type("T");
  rows[1].mutable_facts()->set_task_queue("Q");
  rows[1].mutable_facts()->set_start_ns(1'700'000'000'000'000'000);
  rows[1].mutable_progress()->set_status(enums::WORKFLOW_EXECUTION_STATUS_RUNNING);
  return {visible_row(rows[0], types), visible_row(rows[1], types)};
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const SearchTypes types = settable_search_attributes({{"Kind", "Keyword"},
                                                               {"Words", "Text"},
                                                               {"Count", "Int"},
                                                               {"Share", "Double"},
                                                               {"On", "Bool"},
                                                               {"When", "Datetime"},
                                                               {"Tags", "KeywordList"}});
  static const auto asked = rows(types);
  const std::string_view query(reinterpret_cast<const char*>(data), size);
  for (const auto use : {ListFilter::Use::kList, ListFilter::Use::kCount}) {
    const auto filter = ListFilter::parse(query, types, use);
    if (!filter) {
      ENSURE(filter.error().starts_with("invalid query: "));
      continue;
    }
    for (const auto& row : asked) (void)filter->matches(row);
  }
  return 0;
}
