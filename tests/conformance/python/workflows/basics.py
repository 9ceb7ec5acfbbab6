"""Inputs, timers, conditions, determinism, what the sandbox forbids, attributes, memo, notes for people."""
import asyncio
import datetime
from datetime import timedelta
from typing import Any

from temporalio import workflow
from temporalio.common import SearchAttributeKey

SECONDS = timedelta(seconds=20)
KEYWORD = SearchAttributeKey.for_keyword("CustomKeywordField")
NUMBER = SearchAttributeKey.for_int("CustomIntField")
WORDS = SearchAttributeKey.for_keyword_list("CustomKeywordListField")


@workflow.defn
class Returns:
    @workflow.run
    async def run(self, value: Any = None) -> Any:
        return value


async def one_step(value: str) -> str:
    told = await workflow.execute_activity("echo", value, start_to_close_timeout=SECONDS)
    await asyncio.sleep(0.01)
    return told


@workflow.defn
class OneStep:
    """One activity, one timer."""

    @workflow.run
    async def run(self, value: str) -> str:
        return await one_step(value)


@workflow.defn(sandboxed=False)
class OneStepUnsandboxed:
    @workflow.run
    async def run(self, value: str) -> str:
        return await one_step(value)


@workflow.defn
class WaitsWithTimeout:
    """Tells which of its two waits were met: the first is not, the second is by a signal."""

    def __init__(self) -> None:
        self.opened = False

    @workflow.run
    async def run(self) -> list[str]:
        return [await self.wait(0.05), await self.wait(3600)]

    async def wait(self, seconds: float) -> str:
        try:
            await workflow.wait_condition(lambda: self.opened, timeout=seconds, timeout_summary="for it to open")
            return "met"
        except asyncio.TimeoutError:
            return "timed out"

    @workflow.signal
    def open(self) -> None:
        self.opened = True


@workflow.defn
class Chance:
    """What only looks like chance. Waits for the signal, so that it can be asked again after a replay."""

    def __init__(self) -> None:
        self.told: list[str] = []
        self.done = False

    @workflow.run
    async def run(self) -> list[str]:
        for _ in range(3):
            self.told += [str(workflow.uuid4()), str(workflow.random().random()), workflow.now().isoformat()]
            await asyncio.sleep(0.01)
        await workflow.wait_condition(lambda: self.done)
        return self.told

    @workflow.query
    def so_far(self) -> list[str]:
        return self.told

    @workflow.signal
    def finish(self) -> None:
        self.done = True


@workflow.defn
class AsksTheClock:
    """What the sandbox forbids."""

    @workflow.run
    async def run(self) -> str:
        return datetime.datetime.now().isoformat()


@workflow.defn(failure_exception_types=[ValueError])
class Raises:
    @workflow.run
    async def run(self, kind: str) -> None:
        raise ValueError("of a kind that ends the run") if kind == "value" else RuntimeError("of a kind that fails the task")


@workflow.defn
class KnowsItsInput:
    """Signals that came before its first task find what its `init` made of the input."""

    @workflow.init
    def __init__(self, first: str) -> None:
        self.got = [first]

    @workflow.run
    async def run(self, first: str) -> list[str]:
        await workflow.wait_condition(lambda: len(self.got) > 1)
        return self.got

    @workflow.signal
    def add(self, value: str) -> None:
        self.got.append(value)


@workflow.defn
class Annotated:
    """Says in words what it does: a timer, an activity and itself."""

    def __init__(self) -> None:
        self.done = False

    @workflow.run
    async def run(self) -> None:
        workflow.set_current_details("now **waiting**")
        await workflow.sleep(0.01, summary="a short sleep")
        await workflow.execute_activity("echo", 1, start_to_close_timeout=SECONDS, summary="an echo")
        await workflow.wait_condition(lambda: self.done)

    @workflow.signal
    def finish(self) -> None:
        self.done = True


@workflow.defn
class SleepsHours:
    @workflow.run
    async def run(self, hours: int) -> str:
        await asyncio.sleep(hours * 3600)
        return "slept"


@workflow.defn
class Labelled:
    """Changes its attributes and memo; tells what it then knows of them."""

    @workflow.run
    async def run(self) -> dict[str, Any]:
        workflow.upsert_search_attributes([KEYWORD.value_set("changed"), NUMBER.value_unset(), WORDS.value_set(["a", "b"])])
        workflow.upsert_memo({"added": [1, 2], "gone": None})
        await asyncio.sleep(0.01)
        known = workflow.info().typed_search_attributes
        return {"keyword": known.get(KEYWORD), "number": known.get(NUMBER), "words": known.get(WORDS), "memo": workflow.memo()}


ALL = [
    Returns, OneStep, OneStepUnsandboxed, WaitsWithTimeout, Chance, AsksTheClock, Raises, KnowsItsInput, Annotated, Labelled,
    SleepsHours,
]
