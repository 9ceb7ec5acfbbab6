"""Signals, queries and updates, with handlers that wait, and dynamic ones."""
import asyncio
from datetime import timedelta
from typing import Any, Sequence

from temporalio import workflow
from temporalio.common import RawValue
from temporalio.exceptions import ApplicationError

SECONDS = timedelta(seconds=20)


@workflow.defn
class Collects:
    def __init__(self) -> None:
        self.got: list[Any] = []
        self.done = False

    @workflow.run
    async def run(self) -> list[Any]:
        await workflow.wait_condition(lambda: self.done)
        return self.got

    @workflow.signal
    async def add(self, value: Any) -> None:
        self.got.append(value)

    @workflow.signal
    def finish(self) -> None:
        self.done = True

    @workflow.query
    def values(self) -> list[Any]:
        return self.got

    @workflow.query
    def throws(self) -> None:
        raise ApplicationError("the query failed")


@workflow.defn
class Counter:
    """A number that updates change. Handlers wait for each other, for activities and for signals."""

    def __init__(self) -> None:
        self.value = 0
        self.released = False
        self.done = False
        self.lock = asyncio.Lock()

    @workflow.run
    async def run(self) -> int:
        await workflow.wait_condition(lambda: self.done)
        await workflow.wait_condition(workflow.all_handlers_finished)
        return self.value

    @workflow.update
    def change(self, by: int) -> int:
        self.value += by
        return self.value

    @change.validator
    def check(self, by: int) -> None:
        if by < 0:
            raise ApplicationError("not below zero", type="Negative")

    @workflow.update
    async def change_slowly(self, by: int) -> int:
        """Reads, lets an activity pass, writes: right only because one handler at a time is in here."""
        async with self.lock:
            before = self.value
            self.value = before + await workflow.execute_activity("echo", by, start_to_close_timeout=SECONDS)
            return self.value

    @workflow.update
    async def wait_for_release(self, text: str) -> str:
        await workflow.wait_condition(lambda: self.released)
        update = workflow.current_update_info()
        return f"{text} by {update.id if update else None}"

    @workflow.update
    async def fails(self) -> None:
        raise ApplicationError("the handler failed", "detail", type="Handler")

    @workflow.signal
    def release(self) -> None:
        self.released = True

    @workflow.signal
    def finish(self) -> None:
        self.done = True

    @workflow.query
    def now(self) -> int:
        return self.value


@workflow.defn
class LeavesHandlers:
    """Ends while a signal's and an update's handler wait."""

    def __init__(self) -> None:
        self.done = False

    @workflow.run
    async def run(self) -> str:
        await workflow.wait_condition(lambda: self.done)
        return "ended"

    @workflow.signal
    async def never(self) -> None:
        await workflow.wait_condition(lambda: False)

    @workflow.update
    async def also_never(self) -> None:
        await workflow.wait_condition(lambda: False)

    @workflow.update(unfinished_policy=workflow.HandlerUnfinishedPolicy.ABANDON)
    async def never_and_says_so(self) -> None:
        await workflow.wait_condition(lambda: False)

    @workflow.signal
    def finish(self) -> None:
        self.done = True


@workflow.defn(dynamic=True)
class AnyWorkflow:
    """Takes what no other takes: any type, signal, query, update, and runs an activity of any type."""

    def __init__(self) -> None:
        self.told: list[str] = []
        self.done = False

    @workflow.run
    async def run(self, args: Sequence[RawValue]) -> list[str]:
        self.note("run", workflow.info().workflow_type, args)
        self.told.append(await workflow.execute_activity("some_activity", 1, start_to_close_timeout=SECONDS))
        await workflow.wait_condition(lambda: self.done)
        return self.told

    def note(self, kind: str, name: str, args: Sequence[RawValue]) -> str:
        values = [workflow.payload_converter().from_payload(arg.payload) for arg in args]
        self.told.append(f"{kind} {name}{values}")
        return self.told[-1]

    @workflow.signal(dynamic=True)
    def any_signal(self, name: str, args: Sequence[RawValue]) -> None:
        self.note("signal", name, args)
        self.done = self.done or name == "finish"

    @workflow.query(dynamic=True)
    def any_query(self, name: str, args: Sequence[RawValue]) -> str:
        return f"{name} of {len(args)}"

    @workflow.update(dynamic=True)
    def any_update(self, name: str, args: Sequence[RawValue]) -> str:
        return self.note("update", name, args)

    @any_update.validator
    def any_check(self, name: str, args: Sequence[RawValue]) -> None:
        if name == "refused":
            raise ApplicationError("no such thing")


ALL = [Collects, Counter, LeavesHandlers, AnyWorkflow]
