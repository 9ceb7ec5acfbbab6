"""What is in flight when a server is killed."""
import asyncio
from datetime import timedelta
from typing import Any

from temporalio import workflow
from temporalio.common import RetryPolicy

OPTIONS: dict[str, Any] = {
    "start_to_close_timeout": timedelta(seconds=5), "retry_policy": RetryPolicy(initial_interval=timedelta(milliseconds=100)),
}


@workflow.defn(sandboxed=False)  # hundreds at once: each sandbox imports everything anew
class Survives:
    """Adds up 0 + 1 + ..., by activities beside signals (0), activities (1) or local activities (2)."""

    def __init__(self) -> None:
        self.got: list[int] = []
        self.released = False  # so that all are in flight at the kill

    @workflow.run
    async def run(self, kind: int, rounds: int) -> dict[str, Any]:
        execute = workflow.execute_local_activity if kind == 2 else workflow.execute_activity
        total = 0
        for index in range(rounds):
            total += await execute("echo", index, **OPTIONS)
            await asyncio.sleep(0.1)
        if kind == 0:
            await workflow.wait_condition(lambda: len(set(self.got)) == 2)
        await workflow.wait_condition(lambda: self.released)
        return {"total": total, "got": self.got}

    @workflow.signal
    def add(self, value: int) -> None:
        self.got.append(value)

    @workflow.signal
    def finish(self) -> None:
        self.released = True


ALL = [Survives]
