"""Activities: threads and the event loop, why they are cancelled, completion from elsewhere, local ones, rate limits."""
import asyncio
import time
from datetime import timedelta

from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.workflowservice.v1 import PauseActivityRequest, ResetActivityRequest, UnpauseActivityRequest
from temporalio.client import AsyncActivityCancelledError
from temporalio.exceptions import ApplicationError
from temporalio.service import RPCError

from activities import Seen, seen
from harness import Bench, attributes, family, kinds, refused, same, until
from workflows.doing import Cancels, LocalThenTimers, Runs, RunsLocal, RunsMany

activity = family("activity")


async def begun(handle, times: int = 1) -> Seen:
    """Waits till the handle's activity began so often."""
    return await until(lambda: asyncio.sleep(0, seen.get(handle.id)), lambda entry: entry is not None and entry.begins >= times)


def args_of(name: str, args: list, **options) -> list:
    """The three arguments of `Runs`."""
    return [name, args, options]


def about(t: Bench, handle) -> dict:
    return {"namespace": t.namespace, "execution": WorkflowExecution(workflow_id=handle.id), "identity": "scenario"}


@activity("runs on a thread or on the event loop, as it is written")
async def _(t: Bench) -> None:
    handle = await t.start(Runs.run, *args_of("echo_on_thread", ["x"]))
    same(await handle.result(), "x")
    assert seen[handle.id].thread.startswith("ThreadPoolExecutor"), seen[handle.id].thread
    same(await t.execute(Runs.run, *args_of("echo", [["x"]])), ["x"])


@activity("is retried, and goes on from its heartbeat after the delay it asked for")
async def _(t: Bench) -> None:
    handle = await t.start(Runs.run, *args_of("flaky", [2], retries=True))
    same(await handle.result(), 3)
    started = attributes(await t.events(handle), "activity_task_started")[0]
    same([started.attempt, started.last_failure.message], [3, "attempt 2"])
    began = time.monotonic()
    same(await t.execute(Runs.run, *args_of("resumes", [], retries=True, heartbeat_timeout=10)), [{"page": 7}, "more"])
    assert time.monotonic() - began >= 0.7


@activity("cancelled by its workflow, on the loop and on a thread, it hears why (E7)")
async def _(t: Bench) -> None:
    for name in ("until_cancelled", "until_cancelled_on_thread"):
        handle = await t.start(Cancels.run, name, "WAIT_CANCELLATION_COMPLETED")
        entry = await begun(handle)
        await handle.signal(Cancels.cancel_it)
        same(await handle.result(), "cancelled")
        same(entry.cancelled, "cancel_requested")
        assert "ActivityTaskCanceled" in kinds(await t.events(handle))


@activity("TRY_CANCEL and ABANDON end the wait at once; ABANDON asks for nothing")
async def _(t: Bench) -> None:
    for kind, asked in (("TRY_CANCEL", 1), ("ABANDON", 0)):
        handle = await t.start(Cancels.run, "keeps_still", kind)
        await begun(handle)
        await handle.signal(Cancels.cancel_it)
        same(await handle.result(), "cancelled")
        same(kinds(await t.events(handle)).count("ActivityTaskCancelRequested"), asked)


@activity("paused while it runs, it hears so, and runs again when unpaused (C29)")
async def _(t: Bench) -> None:
    handle = await t.start(Runs.run, *args_of("until_cancelled", [15], retries=True, heartbeat_timeout=10))
    entry = await begun(handle)
    await t.service.pause_activity(PauseActivityRequest(**about(t, handle), type="until_cancelled"))
    await until(lambda: asyncio.sleep(0, entry.cancelled))
    same(entry.cancelled, "paused")
    pending = (await until(handle.describe, lambda told: told.raw_description.pending_activities[0].paused)).raw_description
    assert pending.pending_activities[0].HasField("pause_info"), pending
    same(entry.begins, 1)
    await t.service.unpause_activity(UnpauseActivityRequest(**about(t, handle), type="until_cancelled"))
    await begun(handle, 2)
    await handle.terminate()


@activity("reset while it runs, it hears so, and starts from its first attempt")
async def _(t: Bench) -> None:
    handle = await t.start(Runs.run, *args_of("tells_why", [15], retries=True, heartbeat_timeout=10))
    await begun(handle)
    await t.service.reset_activity(ResetActivityRequest(**about(t, handle), type="tells_why"))
    same(await handle.result(), "reset")


@activity("timed out by the server, its next heartbeat tells that it is not there any more (E3)")
async def _(t: Bench) -> None:
    handle = await t.start(Runs.run, *args_of("keeps_still", [15], heartbeat_timeout=1))
    told = await handle.result()
    assert "TimeoutError" in told[1] and "Heartbeat" in told[1], told
    timed_out = attributes(await t.events(handle), "activity_task_timed_out")[0].failure.timeout_failure_info
    same([payload.data for payload in timed_out.last_heartbeat_details.payloads], [b'"alive"'])
    entry = seen[handle.id]
    await until(lambda: asyncio.sleep(0, entry.cancelled))
    assert "timed_out" in entry.cancelled or "not_found" in entry.cancelled, entry.cancelled


@activity("of a run that is gone, it is cancelled as not found")
async def _(t: Bench) -> None:
    handle = await t.start(Runs.run, *args_of("until_cancelled", [15], heartbeat_timeout=10))
    entry = await begun(handle)
    await handle.terminate()
    await until(lambda: asyncio.sleep(0, entry.cancelled))
    same(entry.cancelled, "not_found")


@activity("is heartbeated, completed and failed from elsewhere, by token and by id")
async def _(t: Bench) -> None:
    for by_token in (True, False):
        for fails in (True, False):
            handle = await t.start(Runs.run, *args_of("completes_elsewhere", [], heartbeat_timeout=15))
            entry = await begun(handle)
            names = {"task_token": entry.token} if by_token else {
                "workflow_id": handle.id, "run_id": None, "activity_id": entry.activity_id}
            elsewhere = t.client.get_async_activity_handle(**names)
            await elsewhere.heartbeat("alive")
            if fails:
                await elsewhere.fail(ApplicationError("from elsewhere", type="Elsewhere"))
                assert "Elsewhere" in (await handle.result())[1]
            else:
                await elsewhere.complete({"from": "elsewhere"})
                same(await handle.result(), {"from": "elsewhere"})
            same((await refused(elsewhere.complete("again"), RPCError)).status.name, "NOT_FOUND")


@activity("elsewhere hears that it is cancelled, paused or reset, and confirms")
async def _(t: Bench) -> None:
    handle = await t.start(Cancels.run, "completes_elsewhere", "WAIT_CANCELLATION_COMPLETED")
    elsewhere = t.client.get_async_activity_handle(task_token=(await begun(handle)).token)
    await t.service.pause_activity(PauseActivityRequest(**about(t, handle), type="completes_elsewhere"))
    error = await until(lambda: outcome(elsewhere.heartbeat()))
    assert isinstance(error, AsyncActivityCancelledError), repr(error)
    same([error.details.paused, error.details.cancel_requested], [True, False])
    await t.service.unpause_activity(UnpauseActivityRequest(**about(t, handle), type="completes_elsewhere"))
    await handle.signal(Cancels.cancel_it)
    await until(lambda: outcome(elsewhere.heartbeat()), lambda error: error is not None and error.details.cancel_requested)
    await elsewhere.report_cancellation("stopped")
    same(await handle.result(), "cancelled")


async def outcome(call):
    try:
        await call
    except AsyncActivityCancelledError as error:
        return error


@activity("a hundred of one queue keep to its rate")
async def _(t: Bench) -> None:
    slow = t.id("slow")
    async with t.worker(slow, max_task_queue_activities_per_second=20, disable_eager_activity_execution=True):
        began = time.monotonic()
        same(await t.execute(RunsMany.run, 100, slow), 4950)
        took = time.monotonic() - began
    assert 3 <= took, f"{took:.1f} s for 100 activities at 20 a second"


local = family("local activity")


@local("leaves a marker, is retried in its task, and by a timer when the wait is long")
async def _(t: Bench) -> None:
    handle = await t.start(LocalThenTimers.run, 3)
    same(await handle.result(), [0, 1, 2])
    told = kinds(await t.events(handle))
    same([told.count("MarkerRecorded"), any(kind.startswith("Activity") for kind in told)], [3, False])
    for threshold, timers in ((5, 0), (0.1, 1)):
        handle = await t.start(RunsLocal.run, "flaky", [1], threshold)
        same(await handle.result(), 2)
        same(kinds(await t.events(handle)).count("TimerFired"), timers)


@local("longer than its task, the task is kept alive (B23)", phase="alone")  # beside others the SDK may be late itself
async def _(t: Bench) -> None:
    handle = await t.start(RunsLocal.run, "pause", [5], 5, task_timeout=timedelta(seconds=3))
    same(await handle.result(), 1)
    same(seen[handle.id].begins, 1)
    told = kinds(await t.events(handle))
    assert "WorkflowTaskTimedOut" not in told and told.count("WorkflowTaskCompleted") >= 2, told
