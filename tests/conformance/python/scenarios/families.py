"""Children and how they are cancelled, other workflows, continue-as-new, failures with their causes."""
import asyncio

from temporalio.client import WorkflowFailureError
from temporalio.exceptions import ActivityError, ApplicationError

from harness import Bench, family, kinds, refused, same, until
from workflows.doing import Fails
from workflows.families import CancelsChild, Continues, GrowsLong, ReachesOthers, RunsChild, Stubborn
from workflows.messages import Collects

child = family("child")

ASKED = "ExternalWorkflowExecutionCancelRequested"


async def cancelled_child(t: Bench, kind: str):
    """A parent that has just asked to cancel its child, which holds on; and the child."""
    child_id = t.id("child")
    parent = await t.start(CancelsChild.run, child_id, kind)
    await until(lambda: t.events(parent), lambda events: "ChildWorkflowExecutionStarted" in kinds(events))
    held = t.client.get_workflow_handle(child_id)
    await until(lambda: t.events(held), lambda events: "WorkflowTaskCompleted" in kinds(events))
    await parent.signal(CancelsChild.cancel_it)
    return parent, held


@child("cancelled by TRY_CANCEL, its parent goes on at once")
async def _(t: Bench) -> None:
    parent, held = await cancelled_child(t, "TRY_CANCEL")
    await until(lambda: parent.query(CancelsChild.how), lambda how: how == "cancelled")
    await until(lambda: t.events(parent), lambda events: ASKED in kinds(events))
    await finish(t, parent, held, cancelled=True)


async def waits_for_end(t: Bench, kind: str) -> None:
    parent, held = await cancelled_child(t, kind)
    await until(lambda: t.events(parent), lambda events: ASKED in kinds(events))
    same(await parent.query(CancelsChild.how), "waiting")
    await held.signal(Stubborn.finish)
    await until(lambda: parent.query(CancelsChild.how), lambda how: how == "cancelled")
    assert "ChildWorkflowExecutionCanceled" in kinds(await t.events(parent))
    await parent.signal(CancelsChild.finish)
    await parent.result()


@child("cancelled by WAIT_CANCELLATION_COMPLETED, its parent waits for its end")
async def _(t: Bench) -> None:
    await waits_for_end(t, "WAIT_CANCELLATION_COMPLETED")


@child("cancelled by WAIT_CANCELLATION_REQUESTED, this SDK waits for its end, too")
async def _(t: Bench) -> None:
    await waits_for_end(t, "WAIT_CANCELLATION_REQUESTED")


@child("cancelled by ABANDON, it is asked for nothing")
async def _(t: Bench) -> None:
    parent, held = await cancelled_child(t, "ABANDON")
    await until(lambda: parent.query(CancelsChild.how), lambda how: how == "cancelled")
    await finish(t, parent, held, cancelled=False)
    assert "RequestCancelExternalWorkflowExecutionInitiated" not in kinds(await t.events(parent))


async def finish(t: Bench, parent, held, cancelled: bool) -> None:
    await parent.signal(CancelsChild.finish)
    same(await parent.result(), "cancelled")
    same(("WorkflowExecutionCancelRequested" in kinds(await t.events(held))), cancelled)
    await held.signal(Stubborn.finish)
    await (refused(held.result(), WorkflowFailureError) if cancelled else held.result())


@child("its failure comes back with every cause")
async def _(t: Bench) -> None:
    told = await t.execute(RunsChild.run, "Fails", ["deep"], t.id("child"))
    same(told[1:], [
        "ApplicationError GaveUp 'GaveUp: the workflow gives up'", "ActivityError 'Activity task failed'",
        "ApplicationError Outer 'Outer: deep'", "ApplicationError Middle 'Middle: the middle'",
        "ApplicationError ValueError 'ValueError: the root'"])
    assert told[0].startswith("ChildWorkflowError"), told


failure = family("failure")


@failure("reaches the client with types, details, retry state and causes")
async def _(t: Bench) -> None:
    error = await refused(t.execute(Fails.run, "deep"), WorkflowFailureError)
    gave_up = error.cause
    assert isinstance(gave_up, ApplicationError) and gave_up.non_retryable and gave_up.type == "GaveUp"
    activity = gave_up.cause
    assert isinstance(activity, ActivityError)
    same([activity.activity_type, activity.retry_state.name], ["fails_in_depth", "NON_RETRYABLE_FAILURE"])
    assert activity.identity, activity
    outer = activity.cause
    assert isinstance(outer, ApplicationError)
    same([outer.type, list(outer.details), outer.non_retryable], ["Outer", ["detail", {"answer": 42}], True])
    same(list(outer.cause.details), ["inner detail"])
    assert "fails_in_depth" in outer.failure.stack_trace, outer.failure


others = family("external")


@others("another workflow is signalled and cancelled; none is told so")
async def _(t: Bench) -> None:
    other = await t.start(Collects.run)
    told = await t.execute(ReachesOthers.run, other.id, t.id("nobody"))
    same([told[0], told[2]], ["done", "done"])
    assert "not found" in told[1] and "not found" in told[3], told
    await refused(other.result(), WorkflowFailureError)
    same([kind for kind in kinds(await t.events(other)) if kind.startswith("WorkflowExecution")][1:],
         ["WorkflowExecutionSignaled", "WorkflowExecutionCancelRequested", "WorkflowExecutionCanceled"])


again = family("continue-as-new")


@again("three runs, one result; each knows it goes on, and the memo it was given (E11)")
async def _(t: Bench) -> None:
    handle = await t.start(Continues.run, 2, [], memo={"word": "first"})
    same(await handle.result(), ["1 False first", "1 True of 2", "1 True of 1"])
    first = t.client.get_workflow_handle(handle.id, run_id=handle.first_execution_run_id)
    same((await first.describe()).status.name, "CONTINUED_AS_NEW")
    last = await t.client.get_workflow_handle(handle.id).describe()
    same([last.status.name, last.run_id != handle.first_execution_run_id], ["COMPLETED", True])


@again("is suggested to a run of more than 4,096 events")
async def _(t: Bench) -> None:
    before, after, length, sized = await asyncio.wait_for(t.execute(GrowsLong.run, 2_060), 170)
    same([before, after, sized], [False, True, True])
    assert length > 4_096, length
