"""Activities, remote and local, and how their ends are seen."""
import asyncio
from datetime import timedelta
from typing import Any

from temporalio import workflow
from temporalio.common import Priority, RetryPolicy
from temporalio.exceptions import ActivityError, ApplicationError, is_cancelled_exception

SECONDS = timedelta(seconds=20)
QUICK = RetryPolicy(initial_interval=timedelta(milliseconds=20), backoff_coefficient=1)
ONCE = RetryPolicy(maximum_attempts=1)


def chain(error: BaseException | None) -> list[str]:
    """An error and its causes, each as kind, type of an application's error, message."""
    told = []
    while error is not None:
        kind = getattr(error, "type", None)
        told.append(" ".join(filter(None, [type(error).__name__, kind if isinstance(kind, str) else None, f"'{error}'"])))
        error = error.__cause__
    return told


@workflow.defn
class Runs:
    """Runs one activity; tells its result, or the chain of errors it ended with."""

    @workflow.run
    async def run(self, name: str, args: list[Any], options: dict[str, Any]) -> Any:
        timeouts = {key: timedelta(seconds=value) for key, value in options.items() if key.endswith("_timeout")}
        policy = QUICK if options.get("retries") else ONCE
        kind = workflow.ActivityCancellationType[options.get("cancellation", "TRY_CANCEL")]
        try:
            return await workflow.execute_activity(
                name, args=args, retry_policy=policy, cancellation_type=kind, **{"start_to_close_timeout": SECONDS, **timeouts})
        except ActivityError as error:
            if is_cancelled_exception(error):
                return "cancelled"
            return chain(error)


@workflow.defn
class RunsLocal:
    @workflow.run
    async def run(self, name: str, args: list[Any], threshold: float) -> Any:
        policy = RetryPolicy(initial_interval=timedelta(milliseconds=300), backoff_coefficient=1)
        return await workflow.execute_local_activity(
            name, args=args, start_to_close_timeout=SECONDS, retry_policy=policy,
            local_retry_threshold=timedelta(seconds=threshold))


@workflow.defn
class LocalThenTimers:
    @workflow.run
    async def run(self, count: int) -> list[int]:
        told = []
        for index in range(count):
            told.append(await workflow.execute_local_activity("echo", index, start_to_close_timeout=SECONDS))
            await asyncio.sleep(0.01)
        return told


@workflow.defn
class Cancels:
    """Starts an activity, cancels it at the signal, tells how it ended."""

    def __init__(self) -> None:
        self.done = False

    @workflow.run
    async def run(self, name: str, kind: str) -> str:
        running = workflow.start_activity(
            name, 120, start_to_close_timeout=timedelta(minutes=3), heartbeat_timeout=timedelta(minutes=1),
            cancellation_type=workflow.ActivityCancellationType[kind])
        await workflow.wait_condition(lambda: self.done)
        running.cancel()
        try:
            return await running
        except ActivityError as error:
            return "cancelled" if is_cancelled_exception(error) else "failed"

    @workflow.signal
    def cancel_it(self) -> None:
        self.done = True


@workflow.defn
class RunsMany:
    @workflow.run
    async def run(self, count: int, task_queue: str) -> int:
        calls = [workflow.execute_activity("echo", index, task_queue=task_queue, start_to_close_timeout=timedelta(minutes=2))
                 for index in range(count)]
        return sum(await asyncio.gather(*calls))


@workflow.defn
class Prefers:
    """An activity with a priority of its own, one with its workflow's, and a child."""

    @workflow.run
    async def run(self) -> int | None:
        await workflow.execute_activity("echo", 1, start_to_close_timeout=SECONDS)
        await workflow.execute_activity("echo", 1, start_to_close_timeout=SECONDS, priority=Priority(priority_key=1))
        return await workflow.execute_child_workflow("TellsPriority", id=f"{workflow.info().workflow_id}-child")


@workflow.defn
class TellsPriority:
    @workflow.run
    async def run(self) -> int | None:
        return workflow.info().priority.priority_key


@workflow.defn
class Fails:
    @workflow.run
    async def run(self, message: str) -> None:
        try:
            await workflow.execute_activity("fails_in_depth", args=[message, True], start_to_close_timeout=SECONDS)
        except ActivityError as error:
            raise ApplicationError("the workflow gives up", type="GaveUp", non_retryable=True) from error


ALL = [Runs, RunsLocal, LocalThenTimers, Cancels, RunsMany, Prefers, TellsPriority, Fails]
