"""workflow trace: a run with its children."""
from bench import contains, family, same

scenario = family("trace")


@scenario("shows a run and its children, folded by their end")
def _(t):
    workflow_id = t.start("manyChildren", 3)
    same(t.result(workflow_id), 3)
    text = t.ok("workflow", "trace", "-w", workflow_id, "--no-fold")
    contains(text, "manyChildren", *(f"wfId: {workflow_id}/{number}" for number in range(3)))


@scenario("describe names a child's parent, and a parent's pending child (C.12)")
def _(t):
    workflow_id = t.start("runsChild", "waitsForCancel", [], {"workflowId": (child := t.id("child"))})
    pending = t.until(lambda: t.describe(workflow_id).get("pendingChildren"), bool)
    same((pending[0]["workflowId"], pending[0]["workflowTypeName"]), (child, "waitsForCancel"))
    info = t.describe(child)["workflowExecutionInfo"]
    same((info["parentExecution"]["workflowId"], info["rootExecution"]["workflowId"]), (workflow_id, workflow_id))
    t.ok("workflow", "cancel", "-w", child)
    same(t.result(workflow_id)["cause"], "CancelledFailure")
