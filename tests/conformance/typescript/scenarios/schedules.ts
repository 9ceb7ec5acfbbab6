// Schedules.
import assert from 'node:assert/strict';
import { ScheduleAlreadyRunning, ScheduleNotFoundError, ScheduleOverlapPolicy, type ScheduleOptions } from '@temporalio/client';
import { family, refused, until, type Bench } from '../harness.ts';

const schedule = family('schedule');

/** Creates a schedule of `returns`, gives it to `body`, deletes it. */
async function withSchedule(t: Bench, options: Partial<ScheduleOptions>, body: (handle: Awaited<ReturnType<typeof create>>) => Promise<void>) {
  const handle = await create(t, options);
  try {
    await body(handle);
  } finally {
    await handle.delete().catch(() => undefined);
  }
}

function create(t: Bench, options: Partial<ScheduleOptions>) {
  return t.client.schedule.create({
    scheduleId: t.id('schedule'), spec: {},
    action: { type: 'startWorkflow', workflowType: 'returns', args: ['ran'], taskQueue: t.queue, workflowId: t.id('run') } as any,
    ...options,
  } as any);
}

const waiting = (t: Bench) => ({ type: 'startWorkflow', workflowType: 'waitsForCancel', taskQueue: t.queue, workflowId: t.id('run') }) as any;

schedule('an interval starts runs, each with its time in its id (C.15)', async (t) => {
  await withSchedule(t, { spec: { intervals: [{ every: '1s' }] } }, async (handle) => {
    const told = await until(() => handle.describe(), ({ info }) => info.numActionsTaken >= 2);
    const { workflow } = told.info.recentActions[0]!.action;
    assert.match(workflow.workflowId, /-\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
    const run = t.client.workflow.getHandle(workflow.workflowId);
    assert.equal(await run.result(), 'ran');
    const { searchAttributes } = await run.describe();
    assert.deepEqual(searchAttributes.TemporalScheduledById, [handle.scheduleId]);
    assert.ok(told.info.nextActionTimes.length > 0);
  });
});

schedule('is triggered by hand', async (t) => {
  await withSchedule(t, {}, async (handle) => {
    await handle.trigger();
    const told = await until(() => handle.describe(), ({ info }) => info.numActionsTaken === 1);
    assert.equal(await t.client.workflow.getHandle(told.info.recentActions[0]!.action.workflow.workflowId).result(), 'ran');
  });
});

schedule('triggers at once on creation, and stops after its last action', async (t) => {
  await withSchedule(t, { spec: { intervals: [{ every: '1s' }] }, state: { remainingActions: 1 } }, async (handle) => {
    const told = await until(() => handle.describe(), ({ info }) => info.numActionsTaken === 1);
    assert.equal(told.state.remainingActions ?? 0, 0);
  });
  await withSchedule(t, { state: { triggerImmediately: true } }, async (handle) => {
    await until(() => handle.describe(), ({ info }) => info.numActionsTaken === 1);
  });
});

schedule('is paused and unpaused with a note', async (t) => {
  await withSchedule(t, { spec: { intervals: [{ every: '1h' }] }, state: { paused: true, note: 'made so' } }, async (handle) => {
    assert.deepEqual((await handle.describe()).state, { paused: true, note: 'made so', remainingActions: undefined });
    const stateWith = (note: string) => until(() => handle.describe().then(({ state }) => state), (state) => state.note === note);
    await handle.unpause('go'); // the real server tells it in its own time
    assert.equal((await stateWith('go')).paused, false);
    await handle.pause('stop');
    assert.equal((await stateWith('stop')).paused, true);
  });
});

schedule('is updated: spec, action, policies', async (t) => {
  await withSchedule(t, { spec: { intervals: [{ every: '1h' }] } }, async (handle) => {
    await handle.update((previous) => ({
      ...previous, spec: { intervals: [{ every: '2h', offset: '5m' }] }, policies: { ...previous.policies, overlap: 'BUFFER_ONE' },
      action: { ...previous.action, args: ['changed'] },
    }) as any);
    const told = await handle.describe();
    assert.deepEqual(told.spec.intervals, [{ every: 7_200_000, offset: 300_000 }]);
    assert.equal(told.policies.overlap, ScheduleOverlapPolicy.BUFFER_ONE);
    await handle.trigger();
    const ran = await until(() => handle.describe(), ({ info }) => info.numActionsTaken === 1);
    assert.equal(await t.client.workflow.getHandle(ran.info.recentActions[0]!.action.workflow.workflowId).result(), 'changed');
  });
});

schedule('fills back the times of an interval', async (t) => {
  await withSchedule(t, { spec: { intervals: [{ every: '1m' }] }, state: { paused: true } }, async (handle) => {
    await handle.backfill({ start: new Date('2026-01-01T00:00:30Z'), end: new Date('2026-01-01T00:03:30Z'), overlap: 'ALLOW_ALL' });
    const told = await until(() => handle.describe(), ({ info }) => info.numActionsTaken >= 3);
    const times = told.info.recentActions.map(({ action }) => action.workflow.workflowId.slice(-20)).sort();
    assert.deepEqual(times, ['2026-01-01T00:01:00Z', '2026-01-01T00:02:00Z', '2026-01-01T00:03:00Z']);
  });
});

schedule('overlap SKIP leaves actions out while a run is open', async (t) => {
  await withSchedule(t, { spec: { intervals: [{ every: '1s' }] }, action: waiting(t) }, async (handle) => {
    const told = await until(() => handle.describe(), ({ info }) => info.numActionsSkippedOverlap >= 2);
    assert.equal(told.info.numActionsTaken, 1);
    assert.equal(told.info.runningActions.length, 1);
    await t.client.workflow.getHandle(told.info.runningActions[0]!.workflow.workflowId).terminate();
  });
});

schedule('overlap TERMINATE_OTHER ends the run before', async (t) => {
  await withSchedule(t, { action: waiting(t), policies: { overlap: 'TERMINATE_OTHER' } }, async (handle) => {
    await handle.trigger('TERMINATE_OTHER');
    const first = await until(() => handle.describe(), ({ info }) => info.numActionsTaken === 1);
    const { workflow } = first.info.recentActions[0]!.action;
    await handle.trigger('TERMINATE_OTHER');
    await until(() => t.client.workflow.getHandle(workflow.workflowId, workflow.firstExecutionRunId).describe(), ({ status }) => status.name === 'TERMINATED');
    const second = await until(() => handle.describe(), ({ info }) => info.numActionsTaken === 2);
    await t.client.workflow.getHandle(second.info.recentActions.at(-1)!.action.workflow.workflowId).terminate();
  });
});

schedule('calendars and cron come back in one form', async (t) => {
  await withSchedule(t, {
    spec: { calendars: [{ hour: 9, minute: [0, 30], dayOfWeek: 'MONDAY' }], cronExpressions: ['15 10 * * * # a comment'], timezone: 'Europe/Berlin' },
    state: { paused: true },
  }, async (handle) => {
    const { spec, info } = await handle.describe();
    assert.equal(spec.calendars!.length, 2);
    assert.deepEqual(spec.calendars!.map(({ hour }) => hour[0]!.start).sort(), [10, 9].sort());
    assert.ok(spec.calendars!.some(({ comment }) => comment?.includes('a comment')));
    assert.equal(spec.timezone, 'Europe/Berlin');
    assert.equal(info.nextActionTimes.length, 10);
    for (const time of info.nextActionTimes) assert.ok(time > new Date());
  });
});

schedule('memo, attributes, list and count', async (t) => {
  const mark = t.id('mark');
  await withSchedule(t, {
    spec: { intervals: [{ every: '1h' }] }, memo: { owner: 'north' }, searchAttributes: { CustomKeywordField: [mark] },
  }, async (handle) => {
    const told = await handle.describe();
    assert.deepEqual(told.memo, { owner: 'north' });
    const listed = async (query?: string) => {
      const rows = [];
      for await (const row of t.client.schedule.list({ query })) if (row.scheduleId === handle.scheduleId) rows.push(row);
      return rows;
    };
    const [row] = await until(() => listed(), (rows) => rows.length === 1);
    assert.equal(row!.action!.workflowType, 'returns');
    assert.equal((await until(() => listed(`CustomKeywordField = '${mark}'`), (rows) => rows.length === 1)).length, 1);
    const hidden = `WorkflowId = 'temporal-sys-scheduler:${handle.scheduleId}'`;
    assert.equal((await t.client.workflow.count(hidden)).count, 0, 'a schedule is no workflow of the list (D18)');
    assert.equal((await t.client.workflow.count(`${hidden} AND TemporalNamespaceDivision = 'TemporalScheduler'`)).count, 1);
  });
});

schedule('a duplicate, an unknown one and a bad spec are refused (C.15)', async (t) => {
  await withSchedule(t, {}, async (handle) => {
    assert.ok((await refused(create(t, { scheduleId: handle.scheduleId }))) instanceof ScheduleAlreadyRunning);
  });
  assert.ok((await refused(t.client.schedule.getHandle(t.id()).describe())) instanceof ScheduleNotFoundError);
  const error = await refused(create(t, { spec: { cronExpressions: ['nonsense'] } }));
  assert.match(`${error.message} ${error.cause?.message}`, /CronString does not have 5-7 fields/);
});

schedule('a deleted one is not found', async (t) => {
  const handle = await create(t, {});
  await handle.describe();
  await handle.delete();
  await until(() => handle.describe().then(() => undefined, (error) => error), (error) => error instanceof ScheduleNotFoundError);
});

schedule('its last result and failure go to the next run', async (t) => {
  await withSchedule(t, { action: { type: 'startWorkflow', workflowType: 'cronStep', args: [0], taskQueue: t.queue } as any }, async (handle) => {
    for (const taken of [1, 2, 3]) {
      await handle.trigger('BUFFER_ALL');
      const told = await until(() => handle.describe(), ({ info }) => info.numActionsTaken === taken && info.runningActions.length === 0);
      const last = told.info.recentActions.at(-1)!.action.workflow;
      assert.equal(await t.client.workflow.getHandle(last.workflowId, last.firstExecutionRunId).result(), taken);
    }
  });
});
