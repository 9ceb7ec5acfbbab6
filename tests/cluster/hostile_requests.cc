#include "tests/cluster/hostile_requests.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <string_view>

namespace callimport::tests {
namespace {

using Rows = std::vector<HostileRequest>;
const std::string kLong(1001, 'x');
constexpr const char* kOtherRun = "00000000-0000-4000-8000-000000000000";

/// A start of workflow `id` with `more` fields.
std::string start(const std::string& id, const std::string& more) {
  return fmt::format(
      R"({{"namespace":"default","workflowId":"{}","workflowType":{{"name":"T"}},"taskQueue":{{"name":"Q"}}{}{}}})", id,
      more.empty() ? "" : ",", more);
}
std::string of_run(const char* field, const std::string& id, const std::string& run, const std::string& more = "") {
  return fmt::format(R"({{"namespace":"default","{}":{{"workflowId":"{}","runId":"{}"}}{}{}}})", field, id, run,
                     more.empty() ? "" : ",", more);
}

void add_starts(Rows& rows) {
  const auto add = [&rows](const std::string& name, const std::string& more) {
    rows.push_back({"start: " + name, "StartWorkflowExecution", start("s", more)});
  };
  rows.push_back({"start: id too long", "StartWorkflowExecution", start(kLong, "")});
  rows.push_back({"start: no id", "StartWorkflowExecution", start("", "")});
  rows.push_back({"start: no type", "StartWorkflowExecution",
                  R"({"namespace":"default","workflowId":"s","taskQueue":{"name":"Q"}})"});
  rows.push_back({"start: no queue", "StartWorkflowExecution",
                  R"({"namespace":"default","workflowId":"s","workflowType":{"name":"T"}})"});
  rows.push_back({"start: queue too long", "StartWorkflowExecution",
                  R"({"namespace":"default","workflowId":"s","workflowType":{"name":"T"},"taskQueue":{"name":")" +
                      kLong + R"("}})"});
  rows.push_back(
      {"start: reserved queue", "StartWorkflowExecution",
       R"({"namespace":"default","workflowId":"s","workflowType":{"name":"T"},"taskQueue":{"name":"/_sys/x"}})"});
  add("request id too long", R"("requestId":")" + kLong + '"');
  add("negative run timeout", R"("workflowRunTimeout":"-1s")");
  add("negative execution timeout", R"("workflowExecutionTimeout":"-0.5s")");
  add("negative task timeout", R"("workflowTaskTimeout":"-1s")");
  add("negative delay", R"("workflowStartDelay":"-1s")");
  add("cron and delay", R"("cronSchedule":"* * * * *","workflowStartDelay":"1s")");
  add("bad cron", R"("cronSchedule":"61 * * * *")");
  add("cron that never comes", R"("cronSchedule":"0 0 30 2 *")");
  add("coefficient below 1", R"("retryPolicy":{"initialInterval":"1s","backoffCoefficient":0.5})");
  add("coefficient not a number", R"("retryPolicy":{"initialInterval":"1s","backoffCoefficient":"NaN"})");
  add("negative attempts", R"("retryPolicy":{"initialInterval":"1s","backoffCoefficient":2,"maximumAttempts":-1})");
  add("negative interval", R"("retryPolicy":{"initialInterval":"-1s","backoffCoefficient":2})");
  add("maximum below initial",
      R"("retryPolicy":{"initialInterval":"10s","backoffCoefficient":2,"maximumInterval":"1s"})");
  add("unknown timeout type",
      R"("retryPolicy":{"initialInterval":"1s","backoffCoefficient":2,"nonRetryableErrorTypes":["TemporalTimeout:Foo"]})");
  add("unknown attribute", R"("searchAttributes":{"indexedFields":{"Nope":{"data":"MQ=="}}})");
  add("system attribute", R"("searchAttributes":{"indexedFields":{"RunId":{"data":"MQ=="}}})");
  add("attribute of another type",
      R"("searchAttributes":{"indexedFields":{"CustomIntField":{"metadata":{"encoding":"anNvbi9wbGFpbg=="},"data":"Ingi"}}})");
  add("policies that exclude each other",
      R"("workflowIdReusePolicy":"WORKFLOW_ID_REUSE_POLICY_TERMINATE_IF_RUNNING","workflowIdConflictPolicy":"WORKFLOW_ID_CONFLICT_POLICY_FAIL")");
  add("a reuse policy nobody knows", R"("workflowIdReusePolicy":77)");
  add("input of 2 MiB and more", R"("input":{"payloads":[{"data":")" + std::string(2'800'000, 'A') + R"("}]})");
  add("memo of 2 MiB and more", R"("memo":{"fields":{"m":{"data":")" + std::string(2'800'000, 'A') + R"("}}})");
  rows.push_back({"start: its time is over", "StartWorkflowExecution", start("late", ""), std::chrono::milliseconds{0},
                  Same::kCode});
  rows.push_back({"start: twice", "StartWorkflowExecution", start("open", R"("requestId":"another")")});
  rows.push_back({"signal with start: FAIL is no policy of it", "SignalWithStartWorkflowExecution",
                  start("s", R"("signalName":"x","workflowIdConflictPolicy":"WORKFLOW_ID_CONFLICT_POLICY_FAIL")")});
  rows.push_back({"signal with start: no signal", "SignalWithStartWorkflowExecution", start("s", "")});
}

struct OfRun {
  const char *method, *field, *more;
};
constexpr OfRun kOfRun[] = {
    {"SignalWorkflowExecution", "workflowExecution", R"("signalName":"s")"},
    {"RequestCancelWorkflowExecution", "workflowExecution", ""},
    {"TerminateWorkflowExecution", "workflowExecution", ""},
    {"DescribeWorkflowExecution", "execution", ""},
    {"GetWorkflowExecutionHistory", "execution", ""},
    {"GetWorkflowExecutionHistoryReverse", "execution", ""},
    {"QueryWorkflow", "execution", R"("query":{"queryType":"q"})"},
    {"ResetWorkflowExecution", "workflowExecution", R"("workflowTaskFinishEventId":3,"requestId":"r","reason":"x")"},
    {"UpdateWorkflowExecution", "workflowExecution",
     R"("request":{"meta":{"updateId":"u"},"input":{"name":"n"}},"waitPolicy":{"lifecycleStage":"UPDATE_WORKFLOW_EXECUTION_LIFECYCLE_STAGE_COMPLETED"})"},
    {"DeleteWorkflowExecution", "workflowExecution", ""},
    {"PauseActivity", "execution", R"("id":"1")"},
    {"UnpauseActivity", "execution", R"("id":"1")"},
    {"ResetActivity", "execution", R"("id":"1")"},
    {"UpdateActivityOptions", "execution", R"("id":"1","activityOptions":{},"updateMask":"taskQueue.name")"},
    {"ResetStickyTaskQueue", "execution", ""},
};

/// Each call on a run, with runs that are not there or none at all.
void add_targets(Rows& rows) {
  for (const auto& row : kOfRun) {
    const auto add = [&](const std::string& what, const std::string& id, const std::string& run) {
      rows.push_back({fmt::format("{}: {}", row.method, what), row.method, of_run(row.field, id, run, row.more)});
    };
    add("unknown id", "nope", "");
    add("unknown run", "open", kOtherRun);
    add("malformed run id", "open", "junk");
    add("no id", "", "");
    add("id too long", kLong, "");
    if (std::string_view(row.method) != "DeleteWorkflowExecution") add("closed run", "closed", "$CLOSED_RUN");
  }
  rows.push_back({"signal: name too long", "SignalWorkflowExecution",
                  of_run("workflowExecution", "open", "", R"("signalName":")" + kLong + '"')});
  rows.push_back({"signal: no name", "SignalWorkflowExecution", of_run("workflowExecution", "open", "")});
  rows.push_back({"query: no query", "QueryWorkflow", of_run("execution", "open", "")});
  rows.push_back({"query: no type", "QueryWorkflow", of_run("execution", "open", "", R"("query":{"queryType":""})")});
  rows.push_back({"reset: no event", "ResetWorkflowExecution",
                  of_run("workflowExecution", "closed", "$CLOSED_RUN", R"("requestId":"r","reason":"x")")});
  rows.push_back({"reset: event beyond the history", "ResetWorkflowExecution",
                  of_run("workflowExecution", "closed", "$CLOSED_RUN",
                         R"("workflowTaskFinishEventId":9999,"requestId":"r","reason":"x")")});
  rows.push_back({"reset: negative event", "ResetWorkflowExecution",
                  of_run("workflowExecution", "closed", "$CLOSED_RUN",
                         R"("workflowTaskFinishEventId":-4,"requestId":"r","reason":"x")")});
  rows.push_back({"update: no name", "UpdateWorkflowExecution",
                  of_run("workflowExecution", "open", "", R"("request":{"meta":{"updateId":"u"},"input":{}})")});
  rows.push_back({"update: id too long", "UpdateWorkflowExecution",
                  of_run("workflowExecution", "open", "",
                         R"("request":{"meta":{"updateId":")" + kLong + R"("},"input":{"name":"n"}})")});
  rows.push_back({"update: unknown", "PollWorkflowExecutionUpdate",
                  R"({"namespace":"default","updateRef":{"workflowExecution":{"workflowId":"open"},"updateId":"nope"},)"
                  R"("waitPolicy":{"lifecycleStage":"UPDATE_WORKFLOW_EXECUTION_LIFECYCLE_STAGE_COMPLETED"}})"});
}

/// Each call with a token, with tokens that are garbage, used, another namespace's, or a closed run's.
void add_tokens(Rows& rows) {
  struct Token {
    const char *name, *name_space, *token;
  };
  constexpr Token kWorkflowTokens[] = {{"garbage token", "default", "AAECAwQ="},
                                       {"a token of text", "default", "eyJhIjoxfQ=="},
                                       {"used token", "default", "$USED_TASK"},
                                       {"token of a closed run", "default", "$CLOSED_TASK"},
                                       {"token of another namespace", "elsewhere", "$USED_TASK"},
                                       {"an activity's token", "default", "$LIVE_ACTIVITY"}};
  for (const char* method :
       {"RespondWorkflowTaskCompleted", "RespondWorkflowTaskFailed", "RespondQueryTaskCompleted"}) {
    for (const auto& row : kWorkflowTokens) {
      rows.push_back({fmt::format("{}: {}", method, row.name), method,
                      fmt::format(R"({{"namespace":"{}","taskToken":"{}"}})", row.name_space, row.token)});
    }
  }
  constexpr Token kActivityTokens[] = {{"garbage token", "default", "AAECAwQ="},
                                       {"used token", "default", "$USED_ACTIVITY"},
                                       {"token of another namespace", "elsewhere", "$LIVE_ACTIVITY"},
                                       {"a workflow task's token", "default", "$USED_TASK"}};
  for (const char* method : {"RespondActivityTaskCompleted", "RespondActivityTaskFailed", "RespondActivityTaskCanceled",
                             "RecordActivityTaskHeartbeat"}) {
    for (const auto& row : kActivityTokens) {
      rows.push_back({fmt::format("{}: {}", method, row.name), method,
                      fmt::format(R"({{"namespace":"{}","taskToken":"{}"}})", row.name_space, row.token)});
    }
  }
  for (const char* method : {"RespondActivityTaskCompletedById", "RespondActivityTaskFailedById",
                             "RespondActivityTaskCanceledById", "RecordActivityTaskHeartbeatById"}) {
    struct Of {
      const char *name, *workflow, *run, *activity;
    };
    for (const auto& row :
         {Of{"unknown workflow", "nope", "", "1"}, Of{"unknown activity", "busy", "", "nope"},
          Of{"no activity", "busy", "", ""}, Of{"no workflow", "", "", "1"}, Of{"ended activity", "busy", "", "1"},
          Of{"closed run", "closed", "$CLOSED_RUN", "1"}, Of{"malformed run id", "busy", "junk", "2"}}) {
      rows.push_back({fmt::format("{}: {}", method, row.name), method,
                      fmt::format(R"({{"namespace":"default","workflowId":"{}","runId":"{}","activityId":"{}"}})",
                                  row.workflow, row.run, row.activity)});
    }
  }
}

void add_pages(Rows& rows) {
  const auto history = [&rows](const std::string& name, const std::string& run, const std::string& more) {
    for (const char* method : {"GetWorkflowExecutionHistory", "GetWorkflowExecutionHistoryReverse"})
      rows.push_back({fmt::format("{}: {}", method, name), method, of_run("execution", "open", run, more)});
  };
  history("garbage page token", "", R"("nextPageToken":"AAECAwQ=")");
  history("a page token of text", "", R"("nextPageToken":"eyJhIjoxfQ==")");
  history("negative page size", "", R"("maximumPageSize":-1)");
  history("huge page size", "", R"("maximumPageSize":2147483647)");
  const auto list = [&rows](const std::string& name, const std::string& more, Same same = Same::kAll) {
    rows.push_back({"list: " + name, "ListWorkflowExecutions", R"({"namespace":"default")" + more + "}",
                    std::chrono::seconds{15}, same});
  };
  list("garbage page token", R"(,"nextPageToken":"AAECAwQ=")");
  list("not a query", R"(,"query":"hello world")", Same::kCode);
  list("unknown attribute", R"(,"query":"Nope = 1")");
  list("half a text", R"(,"query":"WorkflowId = 'x")", Same::kCode);
  list("order by", R"(,"query":"order by StartTime")");
  list("junk time", R"(,"query":"StartTime > 'junk'")");
  list("junk status", R"(,"query":"ExecutionStatus = 'running'")");
  list("nested deep", R"(,"query":")" + std::string(200, '(') + "WorkflowId='x'" + std::string(200, ')') + '"',
       Same::kCode);
  list("negative page size", R"(,"pageSize":-1,"query":"WorkflowId='nope'")");
  list("huge page size", R"(,"pageSize":2147483647,"query":"WorkflowId='nope'")");
  rows.push_back(
      {"count: two groups", "CountWorkflowExecutions", R"({"namespace":"default","query":"group by WorkflowType"})"});
  rows.push_back(
      {"open: a time filter from the end to the beginning", "ListOpenWorkflowExecutions",
       R"({"namespace":"default","startTimeFilter":{"earliestTime":"2030-01-01T00:00:00Z","latestTime":"2020-01-01T00:00:00Z"}})"});
  rows.push_back(
      {"open: times beyond time", "ListOpenWorkflowExecutions",
       R"({"namespace":"default","startTimeFilter":{"earliestTime":"0001-01-01T00:00:00Z","latestTime":"9999-12-31T23:59:59Z"},"executionFilter":{"workflowId":"nope"}})"});
}

void add_polls(Rows& rows) {
  using std::chrono::milliseconds;
  for (const char* method : {"PollWorkflowTaskQueue", "PollActivityTaskQueue"}) {
    const auto add = [&](const std::string& name, const std::string& json, milliseconds deadline) {
      rows.push_back({fmt::format("{}: {}", method, name), method, json, deadline});
    };
    add("no queue", R"({"namespace":"default"})", milliseconds{15'000});
    add("queue too long", R"({"namespace":"default","taskQueue":{"name":")" + kLong + R"("}})", milliseconds{15'000});
    add("identity too long", R"({"namespace":"default","taskQueue":{"name":"Q2"},"identity":")" + kLong + R"("})",
        milliseconds{15'000});
    add("hardly any time", R"({"namespace":"default","taskQueue":{"name":"Q2"}})", milliseconds{1'500});
    add("a queue of the server's", R"({"namespace":"default","taskQueue":{"name":"/_sys/junk"}})",
        milliseconds{15'000});
  }
  rows.push_back({"describe queue: no name", "DescribeTaskQueue", R"({"namespace":"default"})"});
  rows.push_back({"describe queue: name too long", "DescribeTaskQueue",
                  R"({"namespace":"default","taskQueue":{"name":")" + kLong + R"("}})"});
}

void add_namespaces(Rows& rows) {
  rows.push_back({"register: no retention", "RegisterNamespace", R"({"namespace":"n1"})"});
  rows.push_back({"register: an hour less a second", "RegisterNamespace",
                  R"({"namespace":"n1","workflowExecutionRetentionPeriod":"3599s"})"});
  rows.push_back({"register: negative", "RegisterNamespace",
                  R"({"namespace":"n1","workflowExecutionRetentionPeriod":"-86400s"})"});
  rows.push_back({"register: twice", "RegisterNamespace",
                  R"({"namespace":"default","workflowExecutionRetentionPeriod":"86400s"})"});
  rows.push_back({"register: name too long", "RegisterNamespace",
                  R"({"namespace":")" + kLong + R"(","workflowExecutionRetentionPeriod":"86400s"})"});
  rows.push_back({"update namespace: unknown", "UpdateNamespace", R"({"namespace":"nope"})"});
  rows.push_back({"update namespace: retention of a second", "UpdateNamespace",
                  R"({"namespace":"default","config":{"workflowExecutionRetentionTtl":"1s"}})"});
  rows.push_back({"namespaces: garbage page token", "ListNamespaces", R"({"nextPageToken":"AAECAwQ="})"});
  rows.push_back({"delete namespace: unknown", "operator/DeleteNamespace", R"({"namespace":"nope"})"});
  rows.push_back({"delete namespace: none", "operator/DeleteNamespace", "{}"});
  rows.push_back(
      {"delete namespace: the server's own", "operator/DeleteNamespace", R"({"namespace":"temporal-system"})"});
  rows.push_back({"attributes: none", "operator/AddSearchAttributes", R"({"namespace":"default"})"});
  rows.push_back({"attributes: of no type", "operator/AddSearchAttributes",
                  R"({"namespace":"default","searchAttributes":{"New":"INDEXED_VALUE_TYPE_UNSPECIFIED"}})"});
  rows.push_back({"attributes: a type nobody knows", "operator/AddSearchAttributes",
                  R"({"namespace":"default","searchAttributes":{"New":77}})"});
  rows.push_back({"attributes: reserved", "operator/AddSearchAttributes",
                  R"({"namespace":"default","searchAttributes":{"WorkflowId":"INDEXED_VALUE_TYPE_KEYWORD"}})"});
  rows.push_back({"attributes: unknown namespace", "operator/ListSearchAttributes", R"({"namespace":"nope"})"});
  rows.push_back({"remove attributes: a system one", "operator/RemoveSearchAttributes",
                  R"({"namespace":"default","searchAttributes":["WorkflowId"]})"});
}

}  // namespace

std::vector<HostileRequest> hostile_requests() {
  Rows rows;
  // Not in 1.29.1, but in the API by which clients speak. Schedules are asked by the suites of stock clients.
  constexpr std::string_view kNewer[] = {"CountWorkers", "PauseWorkflowExecution", "UnpauseWorkflowExecution"};
#define X(Name)                                                                         \
  if (std::string_view(#Name).find("Schedule") == std::string_view::npos &&             \
      std::find(std::begin(kNewer), std::end(kNewer), #Name) == std::end(kNewer)) {     \
    rows.push_back({#Name ": nothing set", #Name, "{}"});                               \
    rows.push_back({#Name ": unknown namespace", #Name, R"({"namespace":"nowhere"})"}); \
  }
#include "engine/rpcs.inc"
#undef X
  add_starts(rows);
  add_targets(rows);
  add_tokens(rows);
  add_pages(rows);
  add_polls(rows);
  add_namespaces(rows);
  return rows;
}

}  // namespace callimport::tests
