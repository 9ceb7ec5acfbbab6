"""Starts, timers, determinism, the sandbox, attributes and memo, notes for people, priority."""
import asyncio
from datetime import timedelta

from temporalio.api.enums.v1 import WorkflowTaskFailedCause
from temporalio.client import WorkflowFailureError
from temporalio.common import Priority, SearchAttributeKey, SearchAttributePair, TypedSearchAttributes
from temporalio.exceptions import ApplicationError
from temporalio.worker import Replayer

from harness import Bench, attributes, family, kinds, refused, same, until
from workflows.basics import (
    KEYWORD, NUMBER, WORDS, Annotated, AsksTheClock, Chance, KnowsItsInput, Labelled, OneStep, OneStepUnsandboxed, Raises,
    Returns, WaitsWithTimeout,
)
from workflows.doing import Prefers

basics = family("workflow")


@basics("sandboxed and not, the same steps leave the same history (E1)")
async def _(t: Bench) -> None:
    handles = [await t.start(kind.run, "x") for kind in (OneStep, OneStepUnsandboxed)]
    same([await handle.result() for handle in handles], ["x", "x"])
    for handle in handles:  # how many tasks it takes is the machine's affair
        same([kind for kind in kinds(await t.events(handle)) if not kind.startswith("WorkflowTask")], [
            "WorkflowExecutionStarted", "ActivityTaskScheduled", "ActivityTaskStarted", "ActivityTaskCompleted", "TimerStarted",
            "TimerFired", "WorkflowExecutionCompleted"])


@basics("what the sandbox forbids fails the task, not the run")
async def _(t: Bench) -> None:
    handle = await t.start(AsksTheClock.run)
    events = await until(lambda: t.events(handle), lambda events: "WorkflowTaskFailed" in kinds(events))
    failed = attributes(events, "workflow_task_failed")[0]
    assert "datetime.now" in failed.failure.message, failed.failure.message
    same(failed.cause, WorkflowTaskFailedCause.WORKFLOW_TASK_FAILED_CAUSE_WORKFLOW_WORKER_UNHANDLED_FAILURE)
    await handle.terminate()


@basics("an error ends the run if its kind is declared, else it fails the task")
async def _(t: Bench) -> None:
    error = await refused(t.execute(Raises.run, "value"), WorkflowFailureError)
    assert isinstance(error.cause, ApplicationError) and error.cause.type == "ValueError", repr(error.cause)
    handle = await t.start(Raises.run, "other")
    await until(lambda: t.events(handle), lambda events: "WorkflowTaskFailed" in kinds(events))
    await handle.terminate()


@basics("its init knows the input before a signal that came with the start")
async def _(t: Bench) -> None:
    same(await t.execute(KnowsItsInput.run, "input", start_signal="add", start_signal_args=["signal"]), ["input", "signal"])


@basics("a wait ends by its timer, or by its condition, which cancels the timer (E9)")
async def _(t: Bench) -> None:
    handle = await t.start(WaitsWithTimeout.run)
    await until(lambda: t.events(handle), lambda events: kinds(events).count("TimerStarted") == 2)
    await handle.signal(WaitsWithTimeout.open)
    same(await handle.result(), ["timed out", "met"])
    events = await t.events(handle)
    told = [kind for kind in kinds(events) if kind.startswith("Timer")]
    same(told, ["TimerStarted", "TimerFired", "TimerStarted", "TimerCanceled"])
    started = next(event for event in events if event.HasField("timer_started_event_attributes"))
    assert b"for it to open" in started.user_metadata.summary.data, started


@basics("uuid4, random and now tell the same after every replay")
async def _(t: Bench) -> None:
    queue = t.id("queue")
    async with t.worker(queue, max_cached_workflows=0):
        handle = await t.start(Chance.run, task_queue=queue)
        told = await until(lambda: handle.query(Chance.so_far), lambda told: len(told) == 9)
        same(len(set(told)), 9)
        same(await handle.query(Chance.so_far), told)
        await handle.signal(Chance.finish)
        same(await handle.result(), told)
    await Replayer(workflows=[Chance]).replay_workflow(await handle.fetch_history())


@basics("a start delay holds the first task back (C10)")
async def _(t: Bench) -> None:
    handle = await t.start(Returns.run, 1, start_delay=timedelta(seconds=1))
    same(kinds(await t.events(handle)), ["WorkflowExecutionStarted"])
    same(await handle.result(), 1)
    events = await t.events(handle)
    same(attributes(events, "workflow_execution_started")[0].first_workflow_task_backoff.ToTimedelta(), timedelta(seconds=1))
    waited = events[1].event_time.ToDatetime() - events[0].event_time.ToDatetime()
    assert timedelta(seconds=1) <= waited, waited


@basics("summaries and details are described, stand in history, and are asked for as they are now")
async def _(t: Bench) -> None:
    handle = await t.start(Annotated.run, static_summary="what it is", static_details="and *more*")
    description = await handle.describe()
    same([await description.static_summary(), await description.static_details()], ["what it is", "and *more*"])
    told = await handle.query("__temporal_workflow_metadata")
    same(told["currentDetails"] if isinstance(told, dict) else told.current_details, "now **waiting**")
    await handle.signal(Annotated.finish)
    await handle.result()
    summaries = [event.user_metadata.summary.data for event in await t.events(handle) if event.user_metadata.HasField("summary")]
    same(summaries, [b'"what it is"', b'"a short sleep"', b'"an echo"'])


@basics("typed attributes and memo: given, changed, taken away, described")
async def _(t: Bench) -> None:
    handle = await t.start(
        Labelled.run, memo={"given": {"a": 1}, "gone": 2},
        search_attributes=TypedSearchAttributes([SearchAttributePair(KEYWORD, "first"), SearchAttributePair(NUMBER, 7)]))
    told = await handle.result()
    same(told, {"keyword": "changed", "number": None, "words": ["a", "b"], "memo": {"given": {"a": 1}, "added": [1, 2]}})
    description = await handle.describe()
    same(await description.memo(), {"given": {"a": 1}, "added": [1, 2]})
    known = description.typed_search_attributes
    same([known.get(KEYWORD), known.get(NUMBER), list(known[WORDS])], ["changed", None, ["a", "b"]])


@basics("an unknown attribute and a value of another type are refused (C7)")
async def _(t: Bench) -> None:
    for key, value in ((SearchAttributeKey.for_keyword("NoSuchField"), "x"), (SearchAttributeKey.for_int("CustomBoolField"), 5)):
        pair = TypedSearchAttributes([SearchAttributePair(key, value)])
        error = await refused(t.start(Returns.run, 1, search_attributes=pair))
        same(error.status.name, "INVALID_ARGUMENT")


@basics("its priority goes to activities and children, unless they have their own")
async def _(t: Bench) -> None:
    handle = await t.start(Prefers.run, priority=Priority(priority_key=4))
    same(await handle.result(), 4)
    events = await t.events(handle)
    same(attributes(events, "workflow_execution_started")[0].priority.priority_key, 4)
    same([each.priority.priority_key for each in attributes(events, "activity_task_scheduled")][1], 1)
    description = await handle.describe()
    same(description.raw_description.workflow_execution_info.priority.priority_key, 4)


@basics("every result of a hundred started at once comes back")
async def _(t: Bench) -> None:
    same(await asyncio.gather(*(t.execute(Returns.run, index) for index in range(100))), list(range(100)))
