"""batch ..., and the commands that take --query. One batch runs in a namespace at a time (C.16), so these run in turn."""
from bench import contains, expect, family, same

scenario = family("batch", lane="batch")
KINDS = "BATCH_OPERATION_TYPE_"
COMPLETED = "BATCH_OPERATION_STATE_COMPLETED"


def start_marked(t, count=3):
    """Starts idle runs and waits until a query finds them; the query, and their ids."""
    mark = t.id("mark")
    ids = [t.start_idle(["--search-attribute", f'CustomKeywordField="{mark}"']) for _ in range(count)]
    query = f'CustomKeywordField="{mark}"'
    t.wait_listed(query, ids)
    return query, ids


def finish(t, *words):
    """Starts a batch; what describe tells of it once it is completed."""
    job = t.json(*words, "--reason", "the reason", "-y")["batchJobId"]
    return t.until(lambda: t.json("batch", "describe", "--job-id", job), lambda told: told["state"] == COMPLETED)


def free(t):
    """Waits until no batch runs."""
    t.until(lambda: t.json("batch", "list"), lambda jobs: all(job["state"].endswith(("_COMPLETED", "_FAILED")) for job in jobs))


@scenario("signals every run of a query, and is described and listed (C.16)")
def _(t):
    query, ids = start_marked(t)
    told = finish(t, "workflow", "signal", "-q", query, "--name", "add", "-i", "5")
    same((told["operationType"], told["totalOperationCount"], told["completeOperationCount"], told["reason"]),
         (KINDS + "SIGNAL", "3", "3", "the reason"))
    for workflow_id in ids:
        expect("WORKFLOW_EXECUTION_SIGNALED" in t.kinds(workflow_id), f"a signal in {workflow_id}")
    t.until(lambda: {job["jobId"]: job["state"] for job in t.json("batch", "list")}, lambda jobs: jobs.get(told["jobId"]) == COMPLETED)
    contains(t.ok("batch", "describe", "--job-id", told["jobId"]), "Completed", "Signal", "3/3", "0/3")


@scenario("cancels")
def _(t):
    free(t)
    query, ids = start_marked(t, 2)
    same(finish(t, "workflow", "cancel", "-q", query)["operationType"], KINDS + "CANCEL")
    for workflow_id in ids:
        expect("WORKFLOW_EXECUTION_CANCEL_REQUESTED" in t.kinds(workflow_id), f"a request in {workflow_id}")


@scenario("terminates with its reason")
def _(t):
    free(t)
    query, ids = start_marked(t, 2)
    same(finish(t, "workflow", "terminate", "-q", query)["operationType"], KINDS + "TERMINATE")
    same({t.status(workflow_id) for workflow_id in ids}, {"TERMINATED"})
    same(t.describe(ids[0])["closeEvent"]["workflowExecutionTerminatedEventAttributes"]["reason"], "the reason")


@scenario("deletes")
def _(t):
    free(t)
    query, _ = start_marked(t, 2)
    same(finish(t, "workflow", "delete", "-q", query)["operationType"], KINDS + "DELETE")
    t.wait_listed(query, [])


@scenario("resets")
def _(t):
    free(t)
    mark = t.id("mark")
    query = f'CustomKeywordField="{mark}"'
    workflow_id = t.start("oneStep", "again", options=["--search-attribute", query])
    same(t.result(workflow_id), "again")
    first = t.describe(workflow_id)["workflowExecutionInfo"]["execution"]["runId"]
    t.until(lambda: t.listed(f"{query} AND ExecutionStatus='Completed'"), bool)
    same(finish(t, "workflow", "reset", "-q", query, "-t", "FirstWorkflowTask")["operationType"], KINDS + "RESET")
    expect(t.describe(workflow_id)["workflowExecutionInfo"]["execution"]["runId"] != first, "a new run")


@scenario("updates options of every run")
def _(t):
    free(t)
    query, _ = start_marked(t, 1)
    told = finish(t, "workflow", "update-options", "-q", query, "--versioning-override-behavior", "unspecified")
    same((told["operationType"], told["completeOperationCount"]), (KINDS + "UPDATE_EXECUTION_OPTIONS", "1"))


@scenario("an ended one and an unknown one are refused (C.16)")
def _(t):
    free(t)
    query, _ = start_marked(t, 1)
    told = finish(t, "workflow", "signal", "-q", query, "--name", "add", "--rps", "1000")
    contains(t.refused("batch", "terminate", "--job-id", told["jobId"], "--reason", "late"),
             f"could not find Batch Job '{told['jobId']}'")
    contains(t.refused("batch", "describe", "--job-id", "no-such-job"), "could not find Batch Job 'no-such-job'")


@scenario("one under way refuses a second, and is stopped (C.16)")
def _(t):
    free(t)
    query, _ = start_marked(t, 4)
    words = ["workflow", "signal", "-q", query, "--name", "add", "--rps", "0.1", "--reason", "slow", "-y"]
    job = t.json(*words)["batchJobId"]
    contains(t.refused(*words), "Max concurrent batch operations is reached")
    t.ok("batch", "terminate", "--job-id", job, "--reason", "enough")
    t.until(lambda: t.json("batch", "describe", "--job-id", job), lambda told: told["state"] == "BATCH_OPERATION_STATE_FAILED")
