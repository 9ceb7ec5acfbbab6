// Activities: retries, failures, the four timeouts, heartbeats, cancellation types, completion from elsewhere, local ones.
import assert from 'node:assert/strict';
import { ActivityCancelledError, ActivityNotFoundError } from '@temporalio/client';
import { seen } from '../activities.ts';
import { family, kinds, refused, until, type Bench } from '../harness.ts';

const activity = family('activity');
const quick = { startToCloseTimeout: '20s', retry: { initialInterval: '20ms' } };

activity('is retried until it succeeds, and history shows the last attempt only (E2)', async (t) => {
  const handle = await t.start('runs', ['flaky', [2], quick]);
  assert.equal(await handle.result(), 3);
  const started = (await t.events(handle)).find((event) => event.activityTaskStartedEventAttributes)!;
  assert.equal(started.activityTaskStartedEventAttributes!.attempt, 3);
  assert.equal(started.activityTaskStartedEventAttributes!.lastFailure!.message, 'attempt 2');
});

activity('stops at its last attempt and tells the whole failure', async (t) => {
  const told = await t.execute('runs', ['failWith', ['no', 'Refused', false, ['a', { b: 1 }]], { ...quick, retry: { initialInterval: '20ms', maximumAttempts: 2 } }]);
  assert.deepEqual(told, {
    retryState: 'MAXIMUM_ATTEMPTS_REACHED', activityType: 'failWith', cancelled: false, message: 'no', type: 'Refused', nonRetryable: false,
    details: ['a', { b: 1 }], cause: { message: 'the cause', type: 'Cause' },
  });
});

activity('is not retried when the failure says so, nor when the policy names its type', async (t) => {
  const told = await t.execute('runs', ['failWith', ['no', 'Refused', true, []], quick]);
  assert.equal(told.retryState, 'NON_RETRYABLE_FAILURE');
  const named = await t.execute('runs', ['failWith', ['no', 'Named', false, []], { ...quick, retry: { nonRetryableErrorTypes: ['Named'] } }]);
  assert.equal(named.retryState, 'NON_RETRYABLE_FAILURE');
});

activity('asks for the delay of its next attempt', async (t) => {
  const began = Date.now();
  await t.execute('runs', ['asksForDelay', [1_500], { startToCloseTimeout: '20s', retry: { initialInterval: '1ms' } }]);
  assert.ok(Date.now() - began >= 1_500);
});

activity('start-to-close timeout', async (t) => {
  const told = await t.execute('runs', ['pause', [30_000], { startToCloseTimeout: '500ms', retry: { maximumAttempts: 1 } }]);
  assert.deepEqual([told.timeout, told.retryState], ['START_TO_CLOSE', 'MAXIMUM_ATTEMPTS_REACHED']);
});

activity('schedule-to-start timeout is not retried', async (t) => {
  const told = await t.execute('runs', ['pause', [1], { startToCloseTimeout: '20s', scheduleToStartTimeout: '500ms', taskQueue: t.id('nobody') }]);
  assert.deepEqual([told.timeout, told.retryState], ['SCHEDULE_TO_START', 'NON_RETRYABLE_FAILURE']);
});

activity('schedule-to-close timeout spans the attempts', async (t) => {
  const told = await t.execute('runs', ['flaky', [1000], { scheduleToCloseTimeout: '1s', retry: { initialInterval: '300ms', backoffCoefficient: 1 } }]);
  assert.ok(['TIMEOUT', 'NON_RETRYABLE_FAILURE'].includes(told.retryState), JSON.stringify(told));
});

activity('heartbeat timeout brings the last details (E3)', async (t) => {
  const told = await t.execute('runs', ['keepsStill', [30_000, { page: 3 }], { startToCloseTimeout: '30s', heartbeatTimeout: '1s', retry: { maximumAttempts: 1 } }]);
  assert.deepEqual([told.timeout, told.heartbeat], ['HEARTBEAT', { page: 3 }]);
});

activity('goes on from its heartbeat in the next attempt', async (t) => {
  assert.deepEqual(await t.execute('runs', ['resumes', [], { ...quick, heartbeatTimeout: '10s' }]), { page: 7 });
});

activity('a pending one is described with its attempt and last failure', async (t) => {
  const handle = await t.start('runs', ['flaky', [1000], { startToCloseTimeout: '20s', retry: { initialInterval: '100ms', backoffCoefficient: 1 } }]);
  const told = await until(() => handle.describe(), ({ raw }) => (raw.pendingActivities?.[0]?.attempt ?? 0) >= 3);
  const pending = told.raw.pendingActivities![0]!;
  assert.equal(pending.activityType!.name, 'flaky');
  assert.match(pending.lastFailure!.message!, /attempt/);
  await handle.terminate();
});

activity('a hundred of one workflow', async (t) => {
  assert.equal(await t.execute('manyActivities', [100]), 4950);
});

activity('cancelled before its command is sent leaves no trace (B13)', async (t) => {
  const handle = await t.start('cancelsUnsent');
  assert.equal(await handle.result(), true);
  assert.ok(!kinds(await t.events(handle)).some((kind) => kind.startsWith('Activity')));
});

const cancels = async (t: Bench, name: string, type: string) => {
  const handle = await t.start('cancels', [name, type]);
  await until(async () => seen.has(handle.workflowId), Boolean);
  await handle.signal('finish');
  return { told: (await handle.result()) as { how: string; cancelled: boolean }, handle };
};

activity('TRY_CANCEL ends the wait at once', async (t) => {
  const { told, handle } = await cancels(t, 'ignoresCancel', 'TRY_CANCEL');
  assert.equal(told.cancelled, true);
  assert.ok(kinds(await t.events(handle)).includes('ActivityTaskCancelRequested'));
});

activity('WAIT_CANCELLATION_COMPLETED waits for the activity, which may be cancelled or complete (E7)', async (t) => {
  const first = await cancels(t, 'untilCancelled', 'WAIT_CANCELLATION_COMPLETED');
  assert.equal(first.told.cancelled, true);
  assert.ok(kinds(await t.events(first.handle)).includes('ActivityTaskCanceled'));
  assert.equal(seen.get(first.handle.workflowId)!.cancelled, true);
  const second = await cancels(t, 'ignoresCancel', 'WAIT_CANCELLATION_COMPLETED');
  assert.deepEqual(second.told, { how: 'completed', cancelled: false });
});

activity('ABANDON asks for nothing', async (t) => {
  const { told, handle } = await cancels(t, 'keepsStill', 'ABANDON');
  assert.equal(told.cancelled, true);
  assert.ok(!kinds(await t.events(handle)).includes('ActivityTaskCancelRequested'));
});

const elsewhere = async (t: Bench, options = {}) => {
  const handle = await t.start('runs', ['completesElsewhere', [], { startToCloseTimeout: '60s', heartbeatTimeout: '60s', retry: { maximumAttempts: 1 }, ...options }]);
  const entry = await until(async () => seen.get(handle.workflowId), (told) => told?.token !== undefined);
  return { handle, token: entry!.token!, byId: { workflowId: handle.workflowId, activityId: entry!.activityId! } };
};

activity('is completed from elsewhere, by token and by id', async (t) => {
  const first = await elsewhere(t);
  await t.client.activity.heartbeat(first.token, 'alive');
  await t.client.activity.complete(first.token, 'by token');
  assert.equal(await first.handle.result(), 'by token');
  const second = await elsewhere(t);
  await t.client.activity.heartbeat(second.byId, 'alive');
  await t.client.activity.complete(second.byId, 'by id');
  assert.equal(await second.handle.result(), 'by id');
  assert.ok((await refused(t.client.activity.complete(first.token, 'again'))) instanceof ActivityNotFoundError);
});

activity('fails from elsewhere, by token and by id', async (t) => {
  const first = await elsewhere(t);
  await t.client.activity.fail(first.token, new Error('from elsewhere'));
  assert.equal(((await first.handle.result()) as any).message, 'from elsewhere');
  const second = await elsewhere(t);
  await t.client.activity.fail(second.byId, new Error('from elsewhere'));
  assert.equal(((await second.handle.result()) as any).message, 'from elsewhere');
});

activity('hears of its cancellation from elsewhere, and confirms it', async (t) => {
  const { handle, token } = await elsewhere(t, { cancellationType: 'WAIT_CANCELLATION_COMPLETED' });
  await handle.cancel();
  await until(() => t.client.activity.heartbeat(token).then(() => undefined, (error) => error), (error) => error instanceof ActivityCancelledError);
  await t.client.activity.reportCancellation(token, 'stopped');
  const told = (await handle.result()) as any;
  assert.equal(told.cancelled, true);
});

activity('is paused and unpaused by the service (C29)', async (t) => {
  const handle = await t.start('runs', ['flaky', [3], { startToCloseTimeout: '20s', retry: { initialInterval: '200ms', backoffCoefficient: 1 } }]);
  const execution = { workflowId: handle.workflowId };
  const about = { namespace: t.namespace, execution, type: 'flaky', identity: 'scenario' };
  await until(() => handle.describe(), ({ raw }) => (raw.pendingActivities?.[0]?.attempt ?? 0) >= 2);
  await t.service.pauseActivity(about);
  const paused = await until(() => handle.describe(), ({ raw }) => raw.pendingActivities?.[0]?.paused === true);
  assert.ok(paused.raw.pendingActivities![0]!.attempt! >= 2);
  await t.service.unpauseActivity(about);
  assert.equal(await handle.result(), 4);
});

activity('is reset, and its options changed, by the service', async (t) => {
  const handle = await t.start('runs', ['flaky', [1000], { startToCloseTimeout: '20s', retry: { initialInterval: '1s', backoffCoefficient: 1 } }]);
  const about = { namespace: t.namespace, execution: { workflowId: handle.workflowId }, type: 'flaky', identity: 'scenario' };
  const attempt = async () => (await handle.describe()).raw.pendingActivities?.[0]?.attempt ?? 0;
  await until(attempt, (at) => at >= 3);
  await t.service.resetActivity(about);
  await until(attempt, (at) => at < 3);
  const { activityOptions } = await t.service.updateActivityOptions({
    ...about, activityOptions: { startToCloseTimeout: { seconds: 33 as any } }, updateMask: { paths: ['start_to_close_timeout'] },
  });
  assert.equal(Number(activityOptions!.startToCloseTimeout!.seconds), 33);
  await handle.terminate();
});

const local = family('local activity');

local('leaves a marker and no activity event', async (t) => {
  const handle = await t.start('localThenTimers', [3]);
  assert.deepEqual(await handle.result(), [0, 1, 2]);
  const events = kinds(await t.events(handle));
  assert.equal(events.filter((kind) => kind === 'MarkerRecorded').length, 3);
  assert.ok(!events.some((kind) => kind.startsWith('Activity')));
});

local('is retried inside the task, and by a timer when the wait is long', async (t) => {
  const short = await t.start('runsLocal', ['flaky', [2], { startToCloseTimeout: '5s', retry: { initialInterval: '10ms' } }]);
  assert.equal(await short.result(), 3);
  const long = await t.start('runsLocal', ['flaky', [1], { startToCloseTimeout: '5s', localRetryThreshold: '100ms', retry: { initialInterval: '500ms' } }]);
  assert.equal(await long.result(), 2);
  assert.ok(kinds(await t.events(long)).includes('TimerFired'));
});

local('its failure is told', async (t) => {
  const told = await t.execute('runsLocal', ['failWith', ['no', 'Refused', true, ['d']], { startToCloseTimeout: '5s' }]);
  assert.deepEqual([told.message, told.type, told.details], ['no', 'Refused', ['d']]);
});

local('longer than its task, the task is kept alive (B23)', async (t) => {
  const handle = await t.start('runsLocal', ['pause', [4_000], { startToCloseTimeout: '20s' }], { workflowTaskTimeout: '2s' });
  assert.equal(await handle.result(), 1);
  const events = kinds(await t.events(handle));
  assert.ok(!events.includes('WorkflowTaskTimedOut'), events.join(' '));
  assert.ok(events.filter((kind) => kind === 'WorkflowTaskCompleted').length >= 2);
}, { phase: 'alone' }); // beside others the SDK itself may be late

local('is cancelled', async (t) => {
  assert.equal(await t.execute('cancelsLocal', [], { workflowTaskTimeout: '2s' }), true);
});
