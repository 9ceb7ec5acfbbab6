"""workflow start, execute, describe, show, result, terminate, cancel, delete, reset."""
import json
import os

from bench import contains, expect, family, same

scenario = family("workflow")


@scenario("start tells its ids, and attaches to one that runs (A11)")
def _(t):
    workflow_id = t.id()
    words = ["workflow", "start", "--type", "collects", "-t", t.queue, "-w", workflow_id]
    first = t.json(*words)
    same({**first, "runId": ""}, {"workflowId": workflow_id, "runId": "", "type": "collects", "namespace": "default",
                                  "taskQueue": t.queue})
    same(t.json(*words)["runId"], first["runId"], "the run of the second start")
    contains(t.refused(*words, "--fail-existing"), "Workflow execution is already running", first["runId"])


@scenario("start keeps a closed id from being used again, where asked (C.1)")
def _(t):
    workflow_id = t.start_idle()
    t.ok("workflow", "terminate", "-w", workflow_id)
    words = ["workflow", "start", "--type", "idle", "-t", "nobody", "-w", workflow_id, "--fail-existing"]
    contains(t.refused(*words, "--id-reuse-policy", "RejectDuplicate"), "Workflow execution already finished")
    t.ok(*words, "--id-reuse-policy", "AllowDuplicateFailedOnly")
    same(t.status(workflow_id), "RUNNING")


@scenario("start with timeouts, memo, attributes and a summary: describe tells them")
def _(t):
    workflow_id = t.start("collects", options=[
        "--memo", 'note="kept"', "--search-attribute", 'CustomKeywordField="cli"', "--search-attribute",
        "CustomIntField=5", "--run-timeout", "100s", "--execution-timeout", "200s", "--task-timeout", "7s",
        "--static-summary", "the summary", "--static-details", "the details"])
    told = t.describe(workflow_id)
    config, info = told["executionConfig"], told["workflowExecutionInfo"]
    same((config["workflowExecutionTimeout"], config["workflowRunTimeout"], config["defaultWorkflowTaskTimeout"]),
         ("200s", "100s", "7s"))
    same(set(info["memo"]["fields"]), {"note"})
    expect({"CustomKeywordField", "CustomIntField"} <= set(info["searchAttributes"]["indexedFields"]), "its attributes")
    expect("runExpirationTime" in told["workflowExtendedInfo"] and "executionExpirationTime" in
           told["workflowExtendedInfo"], f"its expirations in {told['workflowExtendedInfo']}")
    contains(t.ok("workflow", "describe", "-w", workflow_id), "the summary", "the details", "from now", "Pending Activities: 0")


@scenario("start with a delay waits for its first task (C.1)")
def _(t):
    info = t.describe(t.start("returns", 1, options=["--start-delay", "1h"]))["workflowExecutionInfo"]
    expect(info["executionTime"] > info["startTime"], f"an execution time after {info['startTime']}")
    same((info["status"], info["historyLength"]), ("WORKFLOW_EXECUTION_STATUS_RUNNING", "1"))


@scenario("execute tells progress and result; as JSON with all events")
def _(t):
    words = ["workflow", "execute", "--type", "oneStep", "-t", t.queue, "-i", '"done"']
    text = t.ok(*words, "-w", t.id())
    contains(text, "WorkflowExecutionStarted", "ActivityTaskCompleted", "TimerFired", "WorkflowExecutionCompleted",
             "COMPLETED", '"done"')
    told = t.json(*words, "-w", t.id())
    same((told["status"], told["result"], told["closeEvent"]["eventType"]),
         ("COMPLETED", "done", "EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED"))
    told = t.json(*words, "-w", t.id(), "--detailed")
    same([event["eventId"] for event in told["history"]["events"]], [str(n + 1) for n in range(len(told["history"]["events"]))])


@scenario("execute of one that fails ends with code 1 and tells the failure")
def _(t):
    code, out, _ = t.command("workflow", "execute", "--type", "fails", "-t", t.queue, "-w", t.id(), "-i", '"broken"', "-i", '"Kind"',
                             "-i", "true", "-o", "json")
    told = json.loads(out)
    failure = told["closeEvent"]["workflowExecutionFailedEventAttributes"]["failure"]
    same((code, told["status"], failure["message"], failure["applicationFailureInfo"]["type"]), (1, "FAILED", "broken", "Kind"))


@scenario("execute follows continue-as-new to the last run's result (A12)")
def _(t):
    told = t.json("workflow", "execute", "--type", "counts", "-t", t.queue, "-w", t.id(), "-i", "0", "-i", "2")
    same((told["status"], told["result"]["at"]), ("COMPLETED", 2))


@scenario("show prints the history; followed, to its end (C.10)")
def _(t):
    workflow_id = t.start("oneStep", "x")
    text = t.ok("workflow", "show", "-w", workflow_id, "--follow")
    contains(text, "WorkflowExecutionStarted", "TimerStarted", "WorkflowExecutionCompleted", "COMPLETED")
    same(t.kinds(workflow_id)[-1], "WORKFLOW_EXECUTION_COMPLETED")
    contains(t.ok("workflow", "show", "-w", workflow_id, "--detailed"), "workflowTaskCompletedEventId")


@scenario("describe of a closed run has its close event and result (A.5)")
def _(t):
    workflow_id = t.start("returns", {"a": 1})
    same(t.result(workflow_id), {"a": 1})
    told = t.describe(workflow_id)
    same((told["result"], told["closeEvent"]["eventType"]), ({"a": 1}, "EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED"))
    info = told["workflowExecutionInfo"]
    same((info["status"], info["historyLength"], info["rootExecution"]["workflowId"]),
         ("WORKFLOW_EXECUTION_STATUS_COMPLETED", "5", workflow_id))
    expect(int(info["historySizeBytes"]) > 0 and int(info["stateTransitionCount"]) > 0, "its size and transitions")
    points = t.json("workflow", "describe", "-w", workflow_id, "--reset-points")
    same([point["EventId"] for point in points], [4])


@scenario("result of each end has its status and code")
def _(t):
    cancelled = t.start("waitsForCancel")
    t.ok("workflow", "cancel", "-w", cancelled)
    terminated = t.start_idle()
    t.ok("workflow", "terminate", "-w", terminated)
    timed_out = t.start_idle(["--run-timeout", "1s"])
    for workflow_id, end in ((cancelled, "CANCELED"), (terminated, "TERMINATED"), (timed_out, "TIMED_OUT")):
        code, out, _ = t.command("workflow", "result", "-w", workflow_id, "-o", "json")
        same((code, json.loads(out)["closeEvent"]["eventType"]), (1, f"EVENT_TYPE_WORKFLOW_EXECUTION_{end}"))
        same(t.status(workflow_id), end)


@scenario("cancel reaches the code, which may answer with a result")
def _(t):
    workflow_id = t.start("cleansUp")
    t.until(lambda: t.kinds(workflow_id), lambda kinds: "TIMER_STARTED" in kinds)
    contains(t.ok("workflow", "cancel", "-w", workflow_id), "Canceled workflow")
    same(t.result(workflow_id), "cleaned up")


@scenario("terminate keeps its reason")
def _(t):
    workflow_id = t.start_idle()
    contains(t.ok("workflow", "terminate", "-w", workflow_id, "--reason", "enough"), "Workflow terminated")
    close = t.describe(workflow_id)["closeEvent"]["workflowExecutionTerminatedEventAttributes"]
    same(close["reason"], "enough")
    contains(t.refused("workflow", "terminate", "-w", workflow_id), "workflow execution already completed")


@scenario("delete removes the run from describe and list")
def _(t):
    workflow_id = t.start("returns", 1)
    same(t.result(workflow_id), 1)
    t.wait_listed(f'WorkflowId="{workflow_id}"', [workflow_id])
    contains(t.ok("workflow", "delete", "-w", workflow_id), "Delete workflow succeeded")
    t.until(lambda: t.command("workflow", "describe", "-w", workflow_id)[0], lambda code: code == 1)
    contains(t.refused("workflow", "describe", "-w", workflow_id), f"workflow not found for ID: {workflow_id}")
    t.wait_listed(f'WorkflowId="{workflow_id}"', [])


@scenario("reset by type and by event makes a new run (C.11)")
def _(t):
    workflow_id = t.start("oneStep", "again")
    same(t.result(workflow_id), "again")
    first = t.describe(workflow_id)["workflowExecutionInfo"]["execution"]["runId"]
    words = ["workflow", "reset", "-w", workflow_id, "--reason", "once more"]
    runs = {first}
    for how in (["-t", "FirstWorkflowTask"], ["-t", "LastWorkflowTask"], ["-e", "4", "-r", first]):
        runs.add(t.json(*words, *how)["runId"])
        same(t.result(workflow_id), "again")
    same(len(runs), 4, "runs")
    expect("WORKFLOW_TASK_FAILED" in t.kinds(workflow_id), "the mark of the reset")
    contains(t.refused(*words, "-e", "5", "-r", first), "this event must be at the boundary")
    contains(t.refused(*words, "-e", "999", "-r", first), "Workflow task finish ID must be > 1 && <= workflow last event ID.")


@scenario("fix-history-json reads what show exports (A.5)")
def _(t):
    workflow_id = t.start("returns", 1)
    same(t.result(workflow_id), 1)
    source, target = os.path.join(t.scratch, t.id()), os.path.join(t.scratch, t.id())
    with open(source, "w", encoding="utf-8") as file:
        file.write(t.ok("workflow", "show", "-w", workflow_id, "-o", "json"))
    t.ok("workflow", "fix-history-json", "--source", source, "--target", target, server=False)
    with open(target, encoding="utf-8") as file:
        same(len(json.load(file)["events"]), 5)


@scenario("update-options takes an empty override (A8 tier 2)")
def _(t):
    workflow_id = t.start_idle()
    t.ok("workflow", "update-options", "-w", workflow_id, "--versioning-override-behavior", "unspecified")


@scenario("an unknown id and an unknown namespace are refused by every verb (C.17)")
def _(t):
    for words in (["describe"], ["show"], ["signal", "--name", "x"], ["query", "--type", "x"], ["cancel"], ["terminate"], ["delete"],
                  ["stack"], ["reset", "-t", "FirstWorkflowTask", "--reason", "x"], ["update", "execute", "--name", "x"]):
        contains(t.refused("workflow", *words, "-w", "nobody-has-this"), "workflow not found for ID: nobody-has-this")
    contains(t.refused("workflow", "describe", "-w", "x", "-n", "nowhere"), "Namespace nowhere is not found.")
    contains(t.refused("workflow", "list", "-n", "nowhere"), "Namespace nowhere is not found.")
