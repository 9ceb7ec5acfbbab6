"""Lists, counts and descriptions."""
from datetime import datetime, timedelta, timezone

from temporalio.common import SearchAttributePair, TypedSearchAttributes
from temporalio.service import RPCError

from harness import Bench, family, refused, same, until
from workflows.basics import KEYWORD, NUMBER, Returns
from workflows.doing import Runs
from workflows.families import RunsChild
from workflows.messages import Collects

lists = family("list")


@lists("by attribute, in pages, limited, and counted by status (C.13)")
async def _(t: Bench) -> None:
    mark = t.id()
    for index in range(7):
        pairs = TypedSearchAttributes([SearchAttributePair(KEYWORD, mark), SearchAttributePair(NUMBER, index)])
        handle = await t.start(Collects.run if index < 2 else Returns.run, search_attributes=pairs, memo={"index": index})
        if index >= 2:
            await handle.result()
    query = f"CustomKeywordField = '{mark}'"
    by_status = f"{query} GROUP BY ExecutionStatus"
    expected = [("Completed", 5), ("Running", 2)]
    counted = await until(lambda: t.client.count_workflows(by_status), lambda told: sorted(counts(told)) == expected)
    same(counted.count, 7)
    all_of = [each async for each in t.client.list_workflows(query, page_size=2)]
    same(len({each.id for each in all_of}), 7)
    late = [each async for each in t.client.list_workflows(f"{query} AND CustomIntField > 4", page_size=1)]
    same([each.status.name for each in late], ["COMPLETED"] * 2)
    same(len([each async for each in t.client.list_workflows(query, limit=3)]), 3)
    running = [each async for each in t.client.list_workflows(f"{query} AND ExecutionStatus = 'Running'")]
    same(sorted([(await each.memo())["index"] for each in running]), [0, 1])
    same([each.close_time for each in running], [None, None])
    error = await refused(t.client.count_workflows("no such = filter"), RPCError)
    same(error.status.name, "INVALID_ARGUMENT")
    for each in running:
        await t.client.get_workflow_handle(each.id).terminate()


def counts(told) -> list[tuple]:
    return [(group.group_values[0], group.count) for group in told.groups]


described = family("describe")


@described("a run tells its times, its queue, its parent and root, and its length")
async def _(t: Bench) -> None:
    began = datetime.now(timezone.utc) - timedelta(seconds=5)
    child_id = t.id("child")
    parent = await t.start(RunsChild.run, "Returns", [1], child_id)
    await parent.result()
    told = await t.client.get_workflow_handle(child_id).describe()
    same([told.workflow_type, told.task_queue, told.status.name], ["Returns", t.queue, "COMPLETED"])
    same([told.parent_id, told.parent_run_id, told.root_id], [parent.id, parent.first_execution_run_id, parent.id])
    assert began < told.start_time <= told.execution_time <= told.close_time, told
    same(told.history_length, len(await t.events(t.client.get_workflow_handle(child_id))))


@described("a pending activity tells its attempt, its last failure and when it comes next")
async def _(t: Bench) -> None:
    handle = await t.start(Runs.run, "flaky", [1000], {"retries": True})
    told = await until(handle.describe, lambda told: any(each.attempt >= 3 for each in told.raw_description.pending_activities))
    pending = told.raw_description.pending_activities[0]
    same(pending.activity_type.name, "flaky")
    assert pending.last_failure.message.startswith("attempt "), pending
    assert pending.last_worker_identity, pending
    await handle.terminate()
