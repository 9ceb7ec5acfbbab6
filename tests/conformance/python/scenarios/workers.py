"""Workers: no cache, pollers that scale, shut down in good order, releases of code, and time that skips."""
import asyncio
from datetime import datetime, timedelta, timezone

import google.protobuf.empty_pb2
from temporalio.api.testservice.v1 import LockTimeSkippingRequest, UnlockTimeSkippingRequest
from temporalio.client import Client
from temporalio.worker import PollerBehaviorAutoscaling

from activities import seen
from harness import Bench, House, attributes, family, kinds, same, until
from workflows.basics import OneStep, SleepsHours
from workflows.doing import Runs
from workflows.families import Released, ReleaseOne, ReleaseThree, ReleaseTwo
from workflows.messages import Collects, Counter

worker = family("worker")


@worker("without a cache every task is replayed from the start")
async def _(t: Bench) -> None:
    queue = t.id("queue")
    async with t.worker(queue, max_cached_workflows=0):
        collecting = await t.start(Collects.run, task_queue=queue)
        for value in range(3):
            await collecting.signal(Collects.add, value)
        same(await collecting.query(Collects.values), [0, 1, 2])
        counter = await t.start(Counter.run, task_queue=queue)
        same([await counter.execute_update(Counter.change, 1), await counter.execute_update(Counter.change_slowly, 1)], [1, 2])
        await counter.signal(Counter.finish)
        same(await counter.result(), 2)
        await collecting.signal(Collects.finish)
        same(await collecting.result(), [0, 1, 2])
    same({task.task_queue.kind for task in attributes(await t.events(collecting), "workflow_task_scheduled")}, {1})


@worker("that asks for pollers by need does its work")
async def _(t: Bench) -> None:
    queue, scaling = t.id("queue"), PollerBehaviorAutoscaling(minimum=1, initial=2, maximum=6)
    async with t.worker(queue, workflow_task_poller_behavior=scaling, activity_task_poller_behavior=scaling):
        told = await asyncio.gather(*(t.execute(OneStep.run, str(index), task_queue=queue) for index in range(30)))
    same(told, [str(index) for index in range(30)])


@worker("shutting down lets an activity finish that hears of it")
async def _(t: Bench) -> None:
    queue = t.id("queue")
    async with t.worker(queue, graceful_shutdown_timeout=timedelta(seconds=10)):
        handle = await t.start(Runs.run, "until_shutdown", [], {}, task_queue=queue)
        await until(lambda: asyncio.sleep(0, seen.get(handle.id)))
    assert "ActivityTaskCompleted" in kinds(await t.events(handle))
    async with t.worker(queue):
        same(await handle.result(), "in time")


@worker("out of grace cancels its activity, which another worker then takes up")
async def _(t: Bench) -> None:
    queue = t.id("queue")
    async with t.worker(queue, graceful_shutdown_timeout=timedelta(milliseconds=100)):
        handle = await t.start(Runs.run, "tells_why", [60], {"retries": True, "heartbeat_timeout": 10}, task_queue=queue)
        await until(lambda: asyncio.sleep(0, seen.get(handle.id)))
    async with t.worker(queue):
        same(await handle.result(), "worker_shutdown")


patch = family("patch")


@patch("a run goes through three releases of its code (B17)")
async def _(t: Bench) -> None:
    queue = t.id("queue")

    async def under(release, body):
        async with t.worker(queue, workflows=[release], max_cached_workflows=0):
            return await body()

    async def begin():
        handle = await t.start(Released.__name__, task_queue=queue)
        assert await handle.query(Released.there)
        return handle

    async def finish(handle):
        await handle.signal(Released.finish)
        return await handle.result()

    old = await under(ReleaseOne, begin)
    same(await under(ReleaseTwo, lambda: finish(old)), "as it was")
    new = await under(ReleaseTwo, begin)
    same(await under(ReleaseThree, lambda: finish(new)), "patched")
    events = await t.events(new)
    same([marker.marker_name for marker in attributes(events, "marker_recorded")], ["core_patch"])
    told = attributes(events, "upsert_workflow_search_attributes")[0].search_attributes.indexed_fields
    assert b"second" in told["TemporalChangeVersion"].data, told


skipping = family("time skipping")


ORACLE = "C.14: server 1.29.1 has no TestService"


@skipping("thirty hours of sleep are over at once, and the clock shows it (C.14)", oracle=ORACLE)
async def _(t: Bench) -> None:
    client = await Client.connect(await t.control("time-skipping"), namespace=t.namespace)
    empty = google.protobuf.empty_pb2.Empty()

    async def now() -> datetime:
        return (await client.test_service.get_current_time(empty)).time.ToDatetime(timezone.utc)

    before = await now()
    house = House(client)
    async with house.worker(house.queue):
        handle = await client.start_workflow(SleepsHours.run, 30, id=t.id(), task_queue=house.queue)
        await client.test_service.unlock_time_skipping(UnlockTimeSkippingRequest())
        same(await asyncio.wait_for(handle.result(), 60), "slept")
        await client.test_service.lock_time_skipping(LockTimeSkippingRequest())
    assert await now() - before >= timedelta(hours=30)
