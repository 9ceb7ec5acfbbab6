// The list filter as tables: what matches, and what each mistake is called (conformance C.13).
#include "engine/service/list_filter.h"

#include <gtest/gtest.h>

#include "temporal/api/enums/v1/workflow.pb.h"

namespace callimport::engine {
namespace {

SearchTypes custom_and_predefined() {
  return settable_search_attributes({{"CustomKeywordField", "Keyword"},
                                     {"CustomStringField", "Text"},
                                     {"CustomTextField", "Text"},
                                     {"CustomIntField", "Int"},
                                     {"CustomDoubleField", "Double"},
                                     {"CustomBoolField", "Bool"},
                                     {"CustomDatetimeField", "Datetime"},
                                     {"CustomKeywordListField", "KeywordList"}});
}

VisibleRow visible(const pb::RunSummary& run) { return visible_row(run, custom_and_predefined()); }

/// A closed run: id order-7, type Import, queue q, Completed, 90 s long, with one attribute of each type but
/// CustomStringField.
pb::RunSummary row() {
  pb::RunSummary out;
  auto* facts = out.mutable_facts();
  facts->set_workflow_id("order-7");
  facts->set_run_id("11111111-1111-4111-8111-111111111111");
  facts->set_type("Import");
  facts->set_task_queue("q");
  facts->set_start_ns(1'767'225'600'000'000'000);  // 2026-01-01T00:00:00Z
  out.mutable_progress()->set_status(enums::WORKFLOW_EXECUTION_STATUS_COMPLETED);
  out.mutable_progress()->set_closed_ns(1'767'225'690'000'000'000);
  out.set_history_length(11);
  auto& fields = *out.mutable_search_attributes()->mutable_indexed_fields();
  fields["CustomKeywordField"].set_data("\"gold\"");
  fields["CustomTextField"].set_data("\"The quick brown fox\"");
  fields["CustomIntField"].set_data("7");
  fields["CustomDoubleField"].set_data("2.5");
  fields["CustomBoolField"].set_data("true");
  fields["CustomDatetimeField"].set_data("\"2026-02-01T00:00:00Z\"");
  fields["CustomKeywordListField"].set_data("[\"a\",\"b\"]");
  return out;
}

struct Row {
  const char* query;
  bool matches;
};
void PrintTo(const Row& one, std::ostream* out) { *out << one.query; }
class Matches : public testing::TestWithParam<Row> {};
TEST_P(Matches, Row) {
  const auto filter = ListFilter::parse(GetParam().query, custom_and_predefined(), ListFilter::Use::kList);
  ASSERT_TRUE(filter.has_value()) << filter.error();
  EXPECT_EQ(filter->matches(visible(row())), GetParam().matches) << GetParam().query;
}
INSTANTIATE_TEST_SUITE_P(
    Table, Matches,
    testing::Values(
        Row{"", true}, Row{"WorkflowId = 'order-7'", true}, Row{"WorkflowId = \"order-7\"", true},
        Row{"`WorkflowId`='order-7';", true}, Row{"WorkflowId != 'order-7'", false}, Row{"WorkflowId = 'it''s'", false},
        Row{"WorkflowId STARTS_WITH 'order'", true}, Row{"WorkflowId NOT STARTS_WITH 'order'", false},
        Row{"WorkflowId IN ('x', 'order-7')", true}, Row{"WorkflowId NOT IN ('x', 'y')", true},
        Row{"WorkflowId BETWEEN 'a' AND 'p'", true}, Row{"WorkflowId > 'p'", false},
        Row{"WorkflowType = 'Import' AND TaskQueue = 'q'", true}, Row{"WorkflowType = 'X' OR TaskQueue = 'q'", true},
        Row{"NOT WorkflowType = 'X'", true}, Row{"NOT (WorkflowType = 'Import' OR TaskQueue = 'z')", false},
        Row{"WorkflowType = 'X' OR WorkflowType = 'Import' AND TaskQueue = 'z'", false},  // AND binds closer
        Row{"(WorkflowType = 'X' OR WorkflowType = 'Import') AND TaskQueue = 'q'", true},
        Row{"ExecutionStatus = 'Completed'", true}, Row{"ExecutionStatus = 2", true},
        Row{"ExecutionStatus != 'Completed'", false}, Row{"ExecutionStatus IN ('Running', 'Failed')", false},
        Row{"StartTime < '2026-01-02T00:00:00Z'", true},
        Row{"StartTime BETWEEN '2025-12-31T00:00:00Z' AND '2026-01-01T00:00:00.000000001Z'", true},
        Row{"StartTime = 1767225600000000000", true}, Row{"CloseTime IS NOT NULL", true},
        Row{"CloseTime IS NULL", false}, Row{"ExecutionDuration = '1m30s'", true},
        Row{"ExecutionDuration > 90000000000", false}, Row{"ExecutionDuration >= '90s'", true},
        Row{"HistoryLength >= 11", true}, Row{"CustomIntField = 7", true}, Row{"CustomIntField = '7'", true},
        Row{"CustomIntField = 'x'", false}, Row{"CustomIntField NOT BETWEEN 8 AND 9", true},
        Row{"CustomIntField < 6.5", false}, Row{"CustomDoubleField > 2", true}, Row{"CustomDoubleField = 2.5", true},
        Row{"CustomBoolField = true", true}, Row{"CustomBoolField = 1", true}, Row{"CustomBoolField = 'true'", false},
        Row{"CustomBoolField = false", false}, Row{"CustomKeywordField = 1", false},
        Row{"CustomTextField = 'QUICK'", true}, Row{"CustomTextField = 'wolf fox'", true},
        Row{"CustomTextField != 'fox'", false}, Row{"CustomKeywordListField = 'b'", true},
        Row{"CustomKeywordListField NOT IN ('c', 'd')", true}, Row{"CustomKeywordListField != 'a'", false},
        Row{"CustomDatetimeField > '2026-01-31T23:59:59.999Z'", true}, Row{"CustomStringField = 'x'", false},
        Row{"NOT CustomStringField = 'x'", false},  // absent: neither true nor false
        Row{"CustomStringField IS NULL", true}, Row{"CustomStringField != 'x' OR WorkflowId = 'order-7'", true}));

TEST(Filter, HidesOtherDivisionsUnlessAsked) {
  pb::RunSummary scheduler = row();
  (*scheduler.mutable_search_attributes()->mutable_indexed_fields())["TemporalNamespaceDivision"].set_data(
      "\"TemporalScheduler\"");
  const auto types = custom_and_predefined();
  EXPECT_FALSE(ListFilter::parse("", types, ListFilter::Use::kList)->matches(visible(scheduler)));
  EXPECT_TRUE(ListFilter::parse("TemporalNamespaceDivision = 'TemporalScheduler'", types, ListFilter::Use::kList)
                  ->matches(visible(scheduler)));
}

struct Mistake {
  const char* query;
  ListFilter::Use use;
  const char* text;
};
void PrintTo(const Mistake& one, std::ostream* out) { *out << one.query; }
class Refused : public testing::TestWithParam<Mistake> {};
TEST_P(Refused, Query) {
  const auto filter = ListFilter::parse(GetParam().query, custom_and_predefined(), GetParam().use);
  ASSERT_FALSE(filter.has_value());
  EXPECT_EQ(filter.error(), std::string("invalid query: ") + GetParam().text);
}
constexpr auto kList = ListFilter::Use::kList;
constexpr auto kCount = ListFilter::Use::kCount;
INSTANTIATE_TEST_SUITE_P(
    Table, Refused,
    testing::Values(
        Mistake{"Nope = 1", kList, "invalid expression: column name 'Nope' is not a valid search attribute"},
        Mistake{"WorkflowId like 'x'", kList, "invalid expression: invalid operator 'like' in `WorkflowId like 'x'`"},
        Mistake{"CustomTextField starts_with 'x'", kList,
                "invalid expression: operator 'starts_with' not supported for Text type search attribute in "
                "`CustomTextField starts_with 'x'`"},
        Mistake{
            "CustomTextField > 'x'", kList,
            "invalid expression: operator '>' not supported for Text type search attribute in `CustomTextField > 'x'`"},
        Mistake{"StartTime > 'junk'", kList, "invalid expression: unable to parse datetime 'junk'"},
        Mistake{"StartTime > '2024-01-01'", kList, "invalid expression: unable to parse datetime '2024-01-01'"},
        Mistake{"ExecutionStatus = 'running'", kList, "invalid expression: invalid ExecutionStatus value 'running'"},
        Mistake{"ExecutionDuration = 'x'", kList,
                "invalid value for search attribute ExecutionDuration: x (invalid duration)"},
        Mistake{"WorkflowId = 'a' limit 3", kList, "operation is not supported: 'limit' clause"},
        Mistake{"WorkflowId = 'a' order by StartTime", kList, "operation is not supported: 'order by' clause"},
        Mistake{"group by ExecutionStatus", kList, "operation is not supported: 'group by' clause"},
        Mistake{"GROUP BY WorkflowType", kCount,
                "operation is not supported: 'group by' clause is only supported for ExecutionStatus search attribute"},
        Mistake{"GROUP BY ExecutionStatus, WorkflowType", kCount,
                "operation is not supported: 'group by' clause supports only a single field"},
        Mistake{"'a' = 'b'", kList, "invalid expression: must be a column name but was *sqlparser.SQLVal"},
        Mistake{"WorkflowId = X", kList,
                "operation is not supported: column name on the right side of comparison expression (did you forget to "
                "quote 'X'?)"},
        Mistake{"WorkflowId = ('a', 'b1')", kList,
                "invalid expression: unexpected value type (expected string, got ('a', 'b1'))"}));

TEST(Filter, SyntaxErrorsNameAPosition) {
  for (const char* query : {"WorkflowId =", "WorkflowId", "(WorkflowId = 'a'", "WorkflowId = 'a", "= 'a'",
                            "WorkflowId = 'a' AND", "WorkflowId IN 'a'", "WorkflowId BETWEEN 'a'", "WorkflowId IS 'a'",
                            "WorkflowId = 'a' 'b'", "%", "NOT", "a b", "Nope = 'a' AND"}) {
    const auto filter = ListFilter::parse(query, custom_and_predefined(), kList);
    ASSERT_FALSE(filter.has_value()) << query;
    EXPECT_TRUE(filter.error().starts_with("invalid query: malformed SQL query: syntax error at position "))
        << filter.error();
  }
}

TEST(Filter, DepthAndLengthAreLimited) {
  const auto types = custom_and_predefined();
  const auto nested = [](int depth) {
    return std::string(static_cast<std::size_t>(depth), '(') + "WorkflowId = 'a'" +
           std::string(static_cast<std::size_t>(depth), ')');
  };
  EXPECT_TRUE(ListFilter::parse(nested(kFilterDepthMax), types, kList).has_value());
  EXPECT_FALSE(ListFilter::parse(nested(kFilterDepthMax + 1), types, kList).has_value());
  EXPECT_FALSE(ListFilter::parse(std::string(kFilterBytesMax + 1, ' '), types, kList).has_value());
}

}  // namespace
}  // namespace callimport::engine
