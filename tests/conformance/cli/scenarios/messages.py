"""workflow signal, signal-with-start, query, stack, metadata."""
from bench import contains, expect, family, same

scenario = family("message")


def collected(t, workflow_id):
    return t.json("workflow", "query", "-w", workflow_id, "--type", "values")["queryResult"][0]


@scenario("signals arrive in order, and a query tells them")
def _(t):
    workflow_id = t.start("collects")
    for value in ("1", '{"b": [2]}', "null"):
        contains(t.ok("workflow", "signal", "-w", workflow_id, "--name", "add", "-i", value), "Signal workflow succeeded")
    same(collected(t, workflow_id), [1, {"b": [2]}, None])
    t.ok("workflow", "signal", "-w", workflow_id, "--name", "finish")
    same(t.result(workflow_id), [1, {"b": [2]}, None])
    same(collected(t, workflow_id), [1, {"b": [2]}, None])  # a closed run answers, too
    contains(t.refused("workflow", "signal", "-w", workflow_id, "--name", "add"), "workflow execution already completed")


@scenario("signal-with-start starts one run and signals it twice")
def _(t):
    workflow_id = t.id()
    words = ["workflow", "signal-with-start", "--type", "collects", "-t", t.queue, "-w", workflow_id, "--signal-name", "add"]
    first = t.json(*words, "--signal-input", "9")
    second = t.json(*words, "--signal-input", "10")
    same(second["runId"], first["runId"])
    same(collected(t, workflow_id), [9, 10])


@scenario("a query that fails, one unknown, and one rejected by the run's state (C.7)")
def _(t):
    workflow_id = t.start("collects")
    query = ["workflow", "query", "-w", workflow_id, "--type"]
    contains(t.refused(*query, "throws"), "the query failed")
    contains(t.refused(*query, "unknown"), "unknown")
    t.ok("workflow", "signal", "-w", workflow_id, "--name", "finish")
    t.until(lambda: t.status(workflow_id), lambda status: status == "COMPLETED")
    contains(t.refused(*query, "values", "--reject-condition", "not_open"), "Completed")


@scenario("stack and metadata are answered by the worker")
def _(t):
    workflow_id = t.start("collects")
    contains(t.json("workflow", "stack", "-w", workflow_id)["queryResult"][0], "at collects")
    definition = t.json("workflow", "metadata", "-w", workflow_id)["queryResult"][0]["definition"]
    same((definition["type"], [one["name"] for one in definition["signalDefinitions"]]), ("collects", ["add", "finish"]))
    expect("values" in [one["name"] for one in definition["queryDefinitions"]], "its query")
