"""The server killed with SIGKILL under load, by seed. Nothing acknowledged may be lost."""
import asyncio
import os
from functools import partial
from random import Random

from temporalio.common import WorkflowIDConflictPolicy
from temporalio.service import RPCError, RPCStatusCode

from harness import Bench, family, same
from workflows.killed import Survives

kills = family("kill")
SEEDS = int(os.environ["CONFORMANCE_KILLS"])
IN_FLIGHT = 200
STARTING = 20  # more, whose start is under way at the kill
ROUNDS = 3
PASSING = (RPCStatusCode.CANCELLED, RPCStatusCode.DEADLINE_EXCEEDED, RPCStatusCode.RESOURCE_EXHAUSTED, RPCStatusCode.INTERNAL,
           RPCStatusCode.UNAVAILABLE, RPCStatusCode.UNKNOWN)  # the last: "transport error", of a connection that broke


async def again(call):
    """Repeats a call that is safe to repeat until the server answers."""
    while True:
        try:
            return await call()
        except RPCError as error:
            if error.status not in PASSING:
                raise
            await asyncio.sleep(0.1)


class Flight:
    """One workflow, started and followed to its end over whatever happens to the server between."""

    def __init__(self, t: Bench, queue: str, index: int):
        options = {"id": t.id(), "task_queue": queue, "id_conflict_policy": WorkflowIDConflictPolicy.USE_EXISTING}
        self.kind = index % 3
        self.started = asyncio.create_task(again(lambda: t.start(Survives.run, self.kind, ROUNDS, **options)))
        self.ended = asyncio.create_task(self.follow())

    async def follow(self) -> None:
        handle = await self.started
        if self.kind == 0:
            for value in (1, 2):
                await again(lambda: handle.signal(Survives.add, value))
        told = await again(handle.result)
        same(told["total"], ROUNDS * (ROUNDS - 1) // 2)
        # A signal whose answer was lost is sent again, so it may be there twice, but never not at all.
        same(sorted(set(told["got"])), [1, 2] if self.kind == 0 else [])

    async def release(self) -> None:
        handle = await self.started
        await again(lambda: handle.signal(Survives.finish))


async def kill_once(t: Bench, seed: int) -> None:
    chance, queue = Random(seed), t.id("queue")
    async with t.worker(queue):
        flights = [Flight(t, queue, index) for index in range(IN_FLIGHT)]
        await asyncio.gather(*(flight.started for flight in flights))
        await asyncio.sleep(chance.random() * 1.5)
        flights += [Flight(t, queue, index) for index in range(STARTING)]
        await asyncio.sleep(chance.random() * 0.03)
        await t.control("kill")
        await asyncio.sleep(chance.random() * 0.3)
        await t.control("start")
        await asyncio.gather(*(flight.release() for flight in flights))
        await asyncio.gather(*(flight.ended for flight in flights))


for number in range(1, SEEDS + 1):
    kills(f"200 workflows in flight, all end right, seed {number}", phase="last", seconds=600)(partial(kill_once, seed=number))
