"""Children, other workflows, chains of runs, and releases of one workflow's code."""
import asyncio
from datetime import timedelta
from typing import Any

from temporalio import workflow
from temporalio.exceptions import ApplicationError, ChildWorkflowError, is_cancelled_exception

from .doing import chain


@workflow.defn
class RunsChild:
    @workflow.run
    async def run(self, name: str, args: list[Any], child_id: str) -> Any:
        try:
            return await workflow.execute_child_workflow(name, args=args, id=child_id)
        except ChildWorkflowError as error:
            return chain(error)


@workflow.defn
class Stubborn:
    """Notes that it is cancelled, and ends only at `finish`: as cancelled, if it was."""

    def __init__(self) -> None:
        self.done = False

    @workflow.run
    async def run(self) -> str:
        try:
            await workflow.wait_condition(lambda: self.done)
            return "never cancelled"
        except asyncio.CancelledError:
            await workflow.wait_condition(lambda: self.done)
            raise

    @workflow.signal
    def finish(self) -> None:
        self.done = True


@workflow.defn
class CancelsChild:
    """Cancels a child at the signal; `how` shows how that looked, before the child ends."""

    def __init__(self) -> None:
        self.told = "waiting"
        self.go = self.done = False

    @workflow.run
    async def run(self, child_id: str, kind: str) -> str:
        child = await workflow.start_child_workflow(
            Stubborn.run, id=child_id, cancellation_type=workflow.ChildWorkflowCancellationType[kind],
            parent_close_policy=workflow.ParentClosePolicy.ABANDON)
        await workflow.wait_condition(lambda: self.go)
        child.cancel()
        try:
            self.told = await child
        except (asyncio.CancelledError, ChildWorkflowError) as error:
            self.told = "cancelled" if is_cancelled_exception(error) else repr(error)
        await workflow.wait_condition(lambda: self.done)
        return self.told

    @workflow.signal
    def cancel_it(self) -> None:
        self.go = True

    @workflow.signal
    def finish(self) -> None:
        self.done = True

    @workflow.query
    def how(self) -> str:
        return self.told


@workflow.defn
class ReachesOthers:
    """Signals and cancels another workflow, and one that is not there."""

    @workflow.run
    async def run(self, other_id: str, nobody_id: str) -> list[str]:
        other, nobody = workflow.get_external_workflow_handle(other_id), workflow.get_external_workflow_handle(nobody_id)
        return [await attempt(other.signal("add", "from afar")), await attempt(nobody.signal("add", 1)),
                await attempt(other.cancel()), await attempt(nobody.cancel())]


async def attempt(call: Any) -> str:
    try:
        await call
        return "done"
    except ApplicationError as error:
        return str(error)


@workflow.defn
class Continues:
    """A chain of runs; each tells the next what it was."""

    @workflow.run
    async def run(self, left: int, told: list[str]) -> list[str]:
        info = workflow.info()
        told.append(f"{info.attempt} {info.continued_run_id is not None} {workflow.memo_value('word', default='none')}")
        if left > 0:
            workflow.continue_as_new(args=[left - 1, told], memo={"word": f"of {left}"})
        return told


@workflow.defn(sandboxed=False)
class GrowsLong:
    """Timers enough to pass 4,096 events, so that the server suggests a new run."""

    @workflow.run
    async def run(self, timers: int) -> list[Any]:
        before = workflow.info().is_continue_as_new_suggested()
        waits = [asyncio.create_task(asyncio.sleep(3600)) for _ in range(timers)]
        await asyncio.sleep(0.01)
        for wait in waits:
            wait.cancel()
        await asyncio.sleep(0.01)
        info = workflow.info()
        size = info.get_current_history_size()
        return [before, info.is_continue_as_new_suggested(), info.get_current_history_length(), size > 0]


class Released:
    """What the three releases of one workflow share: a step that release two patches in and release three takes for granted."""

    def __init__(self) -> None:
        self.done = False

    async def go_on(self, patched: bool) -> str:
        if patched:
            await workflow.execute_activity("echo", 1, start_to_close_timeout=timedelta(seconds=20))
        await workflow.wait_condition(lambda: self.done)
        return "patched" if patched else "as it was"

    @workflow.signal
    def finish(self) -> None:
        self.done = True

    @workflow.query
    def there(self) -> bool:
        return True


@workflow.defn(name="Released")
class ReleaseOne(Released):
    @workflow.run
    async def run(self) -> str:
        return await self.go_on(False)


@workflow.defn(name="Released")
class ReleaseTwo(Released):
    @workflow.run
    async def run(self) -> str:
        return await self.go_on(workflow.patched("second"))


@workflow.defn(name="Released")
class ReleaseThree(Released):
    @workflow.run
    async def run(self) -> str:
        workflow.deprecate_patch("second")
        return await self.go_on(True)


ALL = [RunsChild, Stubborn, CancelsChild, ReachesOthers, Continues, GrowsLong, ReleaseOne]
