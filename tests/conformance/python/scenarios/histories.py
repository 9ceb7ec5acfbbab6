"""Histories fetched, exported and replayed; codecs; failures with encoded attributes."""
import asyncio
import dataclasses

from temporalio.api.common.v1 import Payload
from temporalio.api.history.v1 import History
from temporalio.client import Client, WorkflowFailureError, WorkflowHistory, WorkflowHistoryEventFilterType
from temporalio.converter import DataConverter, DefaultFailureConverterWithEncodedAttributes, PayloadCodec
from temporalio.exceptions import ApplicationError
from temporalio.worker import Replayer
from temporalio.workflow import NondeterminismError

import workflows
from harness import Bench, family, kinds, refused, same
from workflows.basics import KnowsItsInput, OneStep
from workflows.doing import Fails, LocalThenTimers, Runs
from workflows.families import RunsChild
from workflows.messages import Collects, Counter

history = family("history")


@history("exported as JSON and read again, it is replayed by the SDK")
async def _(t: Bench) -> None:
    counter = await t.start(Counter.run)
    await asyncio.gather(counter.execute_update(Counter.change, 1), counter.execute_update(Counter.change_slowly, 2))
    await counter.signal(Counter.finish)
    handles = [
        counter, await t.start(OneStep.run, "x"), await t.start(LocalThenTimers.run, 3),
        await t.start(Runs.run, "flaky", [1], {"retries": True}), await t.start(RunsChild.run, "Returns", [1], t.id("child")),
        await t.start("AnyTypeAtAll", 1),
    ]
    await handles[-1].signal("finish")
    replayer = Replayer(workflows=workflows.ALL)
    for handle in handles:
        await handle.result()
        told = WorkflowHistory.from_json(handle.id, (await handle.fetch_history()).to_json())
        await replayer.replay_workflow(told)


@history("of other code is told to be so (B12)")
async def _(t: Bench) -> None:
    handle = await t.start(OneStep.run, "x")
    await handle.result()
    told = (await handle.fetch_history()).to_json_dict()
    told["events"][0]["workflowExecutionStartedEventAttributes"]["workflowType"]["name"] = "KnowsItsInput"
    replayed = Replayer(workflows=[KnowsItsInput]).replay_workflow(WorkflowHistory.from_json(handle.id, told))
    await refused(replayed, NondeterminismError)


@history("of a whole list is replayed as a stream")
async def _(t: Bench) -> None:
    queue = t.id("queue")
    async with t.worker(queue):
        await asyncio.gather(*(t.execute(OneStep.run, str(index), task_queue=queue) for index in range(4)))
        await t.execute(Collects.run, task_queue=queue, start_signal="finish")
    await settled(t, f"TaskQueue = '{queue}' AND ExecutionStatus = 'Completed'", 5)
    histories = t.client.list_workflows(f"TaskQueue = '{queue}'").map_histories()
    results = await Replayer(workflows=workflows.ALL).replay_workflows(histories, raise_on_replay_failure=False)
    same(results.replay_failures, {})


async def settled(t: Bench, query: str, count: int) -> None:
    """Waits till lists show what there is."""
    while (await t.client.count_workflows(query)).count != count:
        await asyncio.sleep(0.05)


@history("is read by pages of one batch, by its close event, and waited for (C31, C33)")
async def _(t: Bench) -> None:
    handle = await t.start(Collects.run)
    closing = WorkflowHistoryEventFilterType.CLOSE_EVENT
    waiting = asyncio.create_task(all_of(handle.fetch_history_events(wait_new_event=True, event_filter_type=closing)))
    following = asyncio.create_task(all_of(handle.fetch_history_events(wait_new_event=True)))
    await handle.signal(Collects.add, 1)
    await handle.signal(Collects.finish)
    await handle.result()
    whole = await t.events(handle)
    same(kinds(await waiting), ["WorkflowExecutionCompleted"])
    same(kinds(await following), kinds(whole))
    same(kinds(await all_of(handle.fetch_history_events(page_size=1))), kinds(whole))
    same([event.event_id for event in whole], list(range(1, len(whole) + 1)))


async def all_of(events) -> list:
    return [event async for event in events]


class Turned(PayloadCodec):
    """Turns every payload's bytes round: enough to see who decodes and who does not."""

    async def encode(self, payloads):
        return [Payload(metadata={"encoding": b"binary/turned"}, data=payload.SerializeToString()[::-1]) for payload in payloads]

    async def decode(self, payloads):
        return [Payload.FromString(payload.data[::-1]) for payload in payloads]


codec = family("codec")


def encoding_client(t: Bench) -> Client:
    config = t.client.config()
    config["data_converter"] = dataclasses.replace(
        DataConverter.default, payload_codec=Turned(), failure_converter_class=DefaultFailureConverterWithEncodedAttributes)
    return Client(**config)


@codec("everything that people wrote goes through it, failures' words too")
async def _(t: Bench) -> None:
    queue, client = t.id("queue"), encoding_client(t)

    async def start(kind, *args, **options):
        return await client.start_workflow(kind, args=args, id=t.id(), task_queue=queue, **options)

    async with t.worker(queue, client=client):
        handle = await start(Collects.run, memo={"word": "secret"}, static_summary="secret summary")
        await handle.signal(Collects.add, "secret signal")
        same(await handle.query(Collects.values), ["secret signal"])
        description = await handle.describe()
        same([await description.memo(), await description.static_summary()], [{"word": "secret"}, "secret summary"])
        await handle.signal(Collects.finish)
        same(await handle.result(), ["secret signal"])
        counter = await start(Counter.run)
        same(await counter.execute_update(Counter.change, 3), 3)
        failing = await start(Fails.run, "secret words")
        error = await refused(failing.result(), WorkflowFailureError)
        assert isinstance(error.cause, ApplicationError)
        same([str(error.cause), str(error.cause.cause.cause)], ["GaveUp: the workflow gives up", "Outer: secret words"])
        failed = (await t.events(failing))[-1].workflow_execution_failed_event_attributes.failure
        same([failed.message, failed.cause.message, failed.HasField("encoded_attributes")], ["Encoded failure"] * 2 + [True])
        for told in [await handle.fetch_history(), await failing.fetch_history()]:
            assert b"secret" not in History(events=told.events).SerializeToString()
        await counter.terminate()
