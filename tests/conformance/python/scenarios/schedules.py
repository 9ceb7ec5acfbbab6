"""Schedules."""
from datetime import datetime, timedelta, timezone

from temporalio.client import (
    Schedule, ScheduleActionStartWorkflow, ScheduleAlreadyRunningError, ScheduleBackfill, ScheduleCalendarSpec,
    ScheduleIntervalSpec, ScheduleOverlapPolicy, ScheduleRange, ScheduleSpec, ScheduleState, ScheduleUpdate,
)
from temporalio.service import RPCError

from harness import Bench, family, refused, same, until
from workflows.basics import Returns

schedules = family("schedule")


def make(t: Bench, schedule_id: str, **spec) -> Schedule:
    action = ScheduleActionStartWorkflow(Returns.run, 7, id=f"{schedule_id}-run", task_queue=t.queue)
    return Schedule(action=action, spec=ScheduleSpec(**spec), state=ScheduleState(note="at first", paused=True))


@schedules("is triggered, and tells what it started (C.15)")
async def _(t: Bench) -> None:
    schedule_id = t.id()
    handle = await t.client.create_schedule(schedule_id, make(t, schedule_id), memo={"word": 1}, trigger_immediately=True)
    told = await until(handle.describe, lambda told: len(told.info.recent_actions) == 1)
    run = told.info.recent_actions[0].action
    same(await t.client.get_workflow_handle(run.workflow_id, run_id=run.first_execution_run_id).result(), 7)
    await handle.trigger(overlap=ScheduleOverlapPolicy.ALLOW_ALL)
    await until(handle.describe, lambda told: told.info.num_actions == 2)
    same([await told.memo(), told.schedule.state.note, told.schedule.state.paused], [{"word": 1}, "at first", True])
    await refused(t.client.create_schedule(schedule_id, make(t, schedule_id)), ScheduleAlreadyRunningError)
    await handle.delete()
    same((await refused(handle.describe(), RPCError)).status.name, "NOT_FOUND")


@schedules("is updated, paused and unpaused, tells its next times, and fills back (C.15)")
async def _(t: Bench) -> None:
    schedule_id = t.id()
    hourly = [ScheduleIntervalSpec(every=timedelta(hours=1))]
    handle = await t.client.create_schedule(schedule_id, make(t, schedule_id, intervals=hourly))
    told = await handle.describe()
    same([time.minute for time in told.info.next_action_times[:3]], [0, 0, 0])

    async def at_noon(given):
        given.description.schedule.spec = ScheduleSpec(
            calendars=[ScheduleCalendarSpec(hour=[ScheduleRange(12)], comment="at noon")], time_zone_name="UTC")
        return ScheduleUpdate(schedule=given.description.schedule)

    await handle.update(at_noon)
    await handle.unpause(note="go on")
    told = await until(handle.describe, lambda told: told.schedule.state.note == "go on")
    same(told.schedule.state.paused, False)
    same([time.hour for time in told.info.next_action_times[:2]], [12, 12])
    same(told.schedule.spec.calendars[0].comment, "at noon")
    await handle.pause(note="no more")
    await until(handle.describe, lambda told: told.schedule.state.note == "no more")
    noon = datetime.now(timezone.utc).replace(hour=12, minute=0, second=0, microsecond=0) - timedelta(days=10)
    await handle.backfill(ScheduleBackfill(
        start_at=noon - timedelta(minutes=1), end_at=noon + timedelta(days=2), overlap=ScheduleOverlapPolicy.ALLOW_ALL))
    told = await until(handle.describe, lambda told: told.info.num_actions == 3)
    same(sorted(action.scheduled_at for action in told.info.recent_actions), [noon + timedelta(days=day) for day in range(3)])
    await handle.delete()


@schedules("is listed with its memo")
async def _(t: Bench) -> None:
    schedule_id = t.id()
    handle = await t.client.create_schedule(schedule_id, make(t, schedule_id), memo={"word": "listed"})

    async def listed():
        return [each async for each in await t.client.list_schedules(page_size=3) if each.id == schedule_id]

    told = (await until(listed))[0]
    same([await told.memo(), told.schedule.action.workflow, told.schedule.state.paused], [{"word": "listed"}, "Returns", True])
    await handle.delete()
