"""Signals, queries and updates: handlers that wait, validators, wait stages, dynamic ones, unfinished ones."""
import asyncio
from datetime import timedelta

from temporalio.client import (
    WithStartWorkflowOperation, WorkflowQueryFailedError, WorkflowQueryRejectedError, WorkflowUpdateFailedError,
    WorkflowUpdateRPCTimeoutOrCancelledError, WorkflowUpdateStage,
)
from temporalio.common import QueryRejectCondition, WorkflowIDConflictPolicy
from temporalio.exceptions import ApplicationError, WorkflowAlreadyStartedError
from temporalio.service import RPCError

from harness import Bench, family, kinds, refused, same, until, warned
from workflows.messages import Collects, Counter, LeavesHandlers

ACCEPTED = WorkflowUpdateStage.ACCEPTED

dynamic = family("dynamic")


@dynamic("one workflow takes any type, signal, query, update, and runs any activity")
async def _(t: Bench) -> None:
    handle = await t.start("NoSuchType", 1, "two")
    same(await handle.query("how", 1), "how of 1")
    same(await handle.execute_update("so", "u"), "update so['u']")
    error = await refused(handle.execute_update("refused"), WorkflowUpdateFailedError)
    same(str(error.cause), "no such thing")
    await handle.signal("one", {"a": 1})
    await handle.signal("finish")
    same(sorted(await handle.result()), [
        "run NoSuchType[1, 'two']", "signal finish[]", "signal one[{'a': 1}]", "some_activity[1]", "update so['u']"])


unfinished = family("handlers")


@unfinished("of a run that ends unfinished are warned of, unless they said so")
async def _(t: Bench) -> None:
    handle = await t.start(LeavesHandlers.run)
    await handle.signal(LeavesHandlers.never)
    for update in (LeavesHandlers.also_never, LeavesHandlers.never_and_says_so):
        await handle.start_update(update, id=update.__name__, wait_for_stage=ACCEPTED)
    await handle.signal(LeavesHandlers.finish)
    same(await handle.result(), "ended")
    error = await refused(handle.get_update_handle("also_never").result(), WorkflowUpdateFailedError)
    same(error.cause.type, "AcceptedUpdateCompletedWorkflow")
    for name, told in (("never", True), ("also_never", True), ("never_and_says_so", False)):
        same(any(f'"{name}"' in text for text in warned), told)


@unfinished("are waited for by a run that wants to")
async def _(t: Bench) -> None:
    handle = await t.start(Counter.run)
    update = await handle.start_update(Counter.wait_for_release, "released", id="patient", wait_for_stage=ACCEPTED)
    await handle.signal(Counter.finish)
    await handle.signal(Counter.release)
    same(await update.result(), "released by patient")
    same(await handle.result(), 0)


@unfinished("run one at a time under a lock, whatever came meanwhile")
async def _(t: Bench) -> None:
    handle = await t.start(Counter.run)
    told = await asyncio.gather(*(handle.execute_update(Counter.change_slowly, 1) for _ in range(8)))
    same(sorted(told), list(range(1, 9)))
    await handle.signal(Counter.finish)
    same(await handle.result(), 8)


query = family("query")


@query("a failing handler and an unknown name are refused; a closed run can be rejected")
async def _(t: Bench) -> None:
    handle = await t.start(Collects.run)
    same((await refused(handle.query(Collects.throws), WorkflowQueryFailedError)).message, "the query failed")
    assert "nothing_like_it" in str(await refused(handle.query("nothing_like_it"), WorkflowQueryFailedError))
    await handle.signal(Collects.add, [1, {"two": None}])
    await handle.signal(Collects.finish)
    await handle.result()
    same(await handle.query(Collects.values), [[1, {"two": None}]])
    closed = handle.query(Collects.values, reject_condition=QueryRejectCondition.NOT_OPEN)
    error = await refused(closed, WorkflowQueryRejectedError)
    same(error.status.name, "COMPLETED")


update = family("update")


@update("its validator refuses without a trace; its handler fails with its details (E12, E13)")
async def _(t: Bench) -> None:
    handle = await t.start(Counter.run)
    same(await handle.execute_update(Counter.change, 5), 5)
    length = len(await t.events(handle))
    error = await refused(handle.execute_update(Counter.change, -1), WorkflowUpdateFailedError)
    assert isinstance(error.cause, ApplicationError)
    same([str(error.cause), error.cause.type], ["Negative: not below zero", "Negative"])
    same(len(await t.events(handle)), length)
    error = await refused(handle.execute_update(Counter.fails), WorkflowUpdateFailedError)
    same([error.cause.type, list(error.cause.details)], ["Handler", ["detail"]])
    await handle.signal(Counter.finish)
    same(await handle.result(), 5)
    told = kinds(await t.events(handle))
    same([told.count(kind) for kind in ("WorkflowExecutionUpdateAccepted", "WorkflowExecutionUpdateCompleted")], [2, 2])


@update("accepted first, completed later; a waiter that leaves may ask again")
async def _(t: Bench) -> None:
    handle = await t.start(Counter.run)
    started = await handle.start_update(Counter.wait_for_release, "text", id="one", wait_for_stage=ACCEPTED)
    await refused(started.result(rpc_timeout=timedelta(milliseconds=300)), WorkflowUpdateRPCTimeoutOrCancelledError)
    again = await handle.start_update(Counter.wait_for_release, "text", id="one", wait_for_stage=ACCEPTED)
    await handle.signal(Counter.release)
    same([await each.result() for each in (started, again, handle.get_update_handle("one"))], ["text by one"] * 3)
    same(kinds(await t.events(handle)).count("WorkflowExecutionUpdateAccepted"), 1)
    await handle.terminate()
    error = await refused(handle.execute_update(Counter.change, 1), RPCError)
    same(error.status.name, "NOT_FOUND")


def starting(t: Bench, workflow_id: str, policy: WorkflowIDConflictPolicy) -> WithStartWorkflowOperation:
    return WithStartWorkflowOperation(Counter.run, id=workflow_id, task_queue=t.queue, id_conflict_policy=policy)


@update("with start: starts, finds the running one, waits by stages, refuses an id in use (C.9)")
async def _(t: Bench) -> None:
    workflow_id, existing = t.id(), WorkflowIDConflictPolicy.USE_EXISTING
    first = starting(t, workflow_id, existing)
    same(await t.client.execute_update_with_start_workflow(Counter.change, 2, start_workflow_operation=first), 2)
    second = starting(t, workflow_id, existing)
    waiting = await t.client.start_update_with_start_workflow(
        Counter.wait_for_release, "late", id="late", wait_for_stage=ACCEPTED, start_workflow_operation=second)
    same((await first.workflow_handle()).first_execution_run_id, (await second.workflow_handle()).first_execution_run_id)
    await (await second.workflow_handle()).signal(Counter.release)
    same(await waiting.result(), "late by late")
    third = starting(t, workflow_id, WorkflowIDConflictPolicy.FAIL)
    in_use = t.client.execute_update_with_start_workflow(Counter.change, 1, start_workflow_operation=third)
    await refused(in_use, WorkflowAlreadyStartedError)
    refusing = starting(t, t.id(), existing)
    wrong = t.client.execute_update_with_start_workflow(Counter.change, -1, start_workflow_operation=refusing)
    error = await refused(wrong, WorkflowUpdateFailedError)
    same(error.cause.type, "Negative")
    left = await refusing.workflow_handle()
    same(await left.query(Counter.now), 0)
    await left.terminate()
    await (await first.workflow_handle()).terminate()
