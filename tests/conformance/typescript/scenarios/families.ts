// Children, continue-as-new, workflow retry, cron.
import assert from 'node:assert/strict';
import { WorkflowContinuedAsNewError } from '@temporalio/client';
import { ApplicationFailure, TerminatedFailure } from '@temporalio/common';
import { family, kinds, refused, until } from '../harness.ts';

const child = family('child');

child('its result comes back, and both histories name each other (E10)', async (t) => {
  const childId = t.id('child');
  const handle = await t.start('runsChild', ['returns', ['value'], { workflowId: childId }]);
  assert.equal(await handle.result(), 'value');
  const started = (await t.events(t.client.workflow.getHandle(childId)))[0]!.workflowExecutionStartedEventAttributes!;
  assert.equal(started.parentWorkflowExecution!.workflowId, handle.workflowId);
  const events = await t.events(handle);
  const initiated = events.find((event) => event.startChildWorkflowExecutionInitiatedEventAttributes)!;
  assert.equal(String(started.parentInitiatedEventId), String(initiated.eventId));
  assert.ok(kinds(events).includes('ChildWorkflowExecutionCompleted'));
});

child('its failure, its timeout and its termination come back', async (t) => {
  const failed = await t.execute('runsChild', ['fails', ['broken', 'Broken', true], { workflowId: t.id() }]);
  assert.deepEqual(failed, { type: 'fails', retryState: 'RETRY_POLICY_NOT_SET', cause: 'ApplicationFailure', message: 'broken' });
  const late = await t.execute('runsChild', ['waitsForCancel', [], { workflowId: t.id(), workflowRunTimeout: '1s' }]);
  assert.equal(late.cause, 'TimeoutFailure');
  const childId = t.id('terminated');
  const handle = await t.start('runsChild', ['waitsForCancel', [], { workflowId: childId }]);
  await until(() => t.client.workflow.getHandle(childId).terminate('by hand').then(() => true, () => false), Boolean);
  assert.equal(((await handle.result()) as any).cause, 'TerminatedFailure');
});

child('an id in use is told to the parent', async (t) => {
  const other = await t.start('waitsForCancel');
  const told = await t.execute('runsChild', ['returns', [1], { workflowId: other.workflowId }]);
  assert.equal(told.other, 'WorkflowExecutionAlreadyStartedError');
  await other.terminate();
});

child('parent close policy TERMINATE', async (t) => {
  const childId = t.id('child');
  const runId = await t.execute('leavesChild', [childId, 'TERMINATE']);
  const handle = t.client.workflow.getHandle(childId, runId);
  const error = await refused(handle.result());
  assert.ok(error.cause instanceof TerminatedFailure);
  assert.equal(error.cause.message, 'by parent close policy');
});

child('parent close policy REQUEST_CANCEL', async (t) => {
  const childId = t.id('child');
  await t.execute('leavesChild', [childId, 'REQUEST_CANCEL']);
  const handle = t.client.workflow.getHandle(childId);
  assert.equal((await refused(handle.result())).cause.constructor.name, 'CancelledFailure');
});

child('parent close policy ABANDON', async (t) => {
  const childId = t.id('child');
  const parent = await t.start('leavesChild', [childId, 'ABANDON']);
  await parent.result();
  const handle = t.client.workflow.getHandle(childId);
  assert.equal((await handle.describe()).status.name, 'RUNNING');
  assert.equal((await handle.describe()).parentExecution!.workflowId, parent.workflowId);
  await handle.terminate();
});

child('a terminated parent ends its child by policy', async (t) => {
  const childId = t.id('child');
  const parent = await t.start('runsChild', ['waitsForCancel', [], { workflowId: childId }]);
  await until(() => parent.describe(), ({ raw }) => (raw.pendingChildren?.length ?? 0) === 1);
  await parent.terminate();
  assert.ok((await refused(t.client.workflow.getHandle(childId).result())).cause instanceof TerminatedFailure);
});

child('is signalled by its parent', async (t) => {
  assert.deepEqual(await t.execute('signalsChild', [t.id('child')]), ['from the parent']);
});

for (const [type, workflowType, ended, status] of [
  ['WAIT_CANCELLATION_COMPLETED', 'waitsForCancel', 'cancelled', 'CANCELLED'],
  ['WAIT_CANCELLATION_COMPLETED', 'cleansUp', 'completed cleaned up', 'COMPLETED'],
  ['WAIT_CANCELLATION_REQUESTED', 'waitsForCancel', 'cancelled', 'CANCELLED'],
  ['TRY_CANCEL', 'waitsForCancel', 'cancelled', 'CANCELLED'],
  ['ABANDON', 'waitsForCancel', 'cancelled', 'RUNNING'],
] as const) {
  child(`cancelled by ${type}: ${workflowType} ends ${status.toLowerCase()}`, async (t) => {
    const childId = t.id('child');
    assert.equal(await t.execute('cancelsChild', [childId, type, workflowType]), ended);
    const handle = t.client.workflow.getHandle(childId);
    if (status === 'RUNNING') {
      assert.equal((await handle.describe()).status.name, 'RUNNING');
      await handle.terminate();
    } else {
      await until(() => handle.describe(), (told) => told.status.name === status);
    }
  });
}

child('fifty of one parent', async (t) => {
  assert.equal(await t.execute('manyChildren', [50]), 1225);
});

child('a grandchild knows its parent and the root', async (t) => {
  const handle = await t.start('grandparent', [2]);
  const { root, parent } = (await handle.result()) as any;
  assert.equal(root, handle.workflowId);
  assert.equal(parent, `${handle.workflowId}/2`);
});

child('is retried by its own policy', async (t) => {
  const told = await t.execute('runsChild', ['failsFirst', [1], { workflowId: t.id(), retry: { initialInterval: '10ms', maximumAttempts: 3 } }]);
  assert.equal(told.attempt, 2);
});

const again = family('continue-as-new');

again('three runs, one result, one first run (E11)', async (t) => {
  const handle = await t.start('counts', [0, 2]);
  const told = (await handle.result()) as any;
  assert.equal(told.at, 2);
  assert.equal(told.first, handle.firstExecutionRunId);
  assert.ok(told.reason && told.reason !== told.run);
  const first = t.client.workflow.getHandle(handle.workflowId, handle.firstExecutionRunId, { followRuns: false });
  assert.ok((await refused(first.result())) instanceof WorkflowContinuedAsNewError);
  assert.equal((await first.describe()).status.name, 'CONTINUED_AS_NEW');
});

again('signals around the change are kept, and memo goes along', async (t) => {
  const handle = await t.start('collectsInRuns', [[], 2]);
  const latest = t.client.workflow.getHandle(handle.workflowId);
  for (let value = 0; value < 30; ++value) await latest.signal('add', value);
  await until(() => latest.describe(), ({ runId, memo }) => runId !== handle.firstExecutionRunId && memo?.runs === 1);
  await latest.signal('finish');
  const told = (await handle.result()) as unknown[];
  assert.deepEqual(told.slice(0, 30), Array.from({ length: 30 }, (_, value) => value));
  assert.deepEqual(told.at(-1), { memo: { runs: 1 } });
});

again('a short history is not told to continue', async (t) => {
  const told = await t.execute('suggested');
  assert.equal(told.suggested, false);
  assert.ok(told.length >= 7);
});

const retry = family('retry');

retry('a failed run is followed by the next attempt (E18)', async (t) => {
  const handle = await t.start('failsFirst', [1], { retry: { initialInterval: '10ms', maximumAttempts: 3 } });
  assert.deepEqual(await handle.result(), { attempt: 2, last: 'run 1' });
  const first = await t.events(t.client.workflow.getHandle(handle.workflowId, handle.firstExecutionRunId));
  assert.ok(first.at(-1)!.workflowExecutionFailedEventAttributes!.newExecutionRunId);
});

retry('ends after its last attempt', async (t) => {
  const error = await refused(t.execute('failsFirst', [5], { retry: { initialInterval: '10ms', maximumAttempts: 2 } }));
  assert.equal(error.retryState, 'MAXIMUM_ATTEMPTS_REACHED');
  assert.ok(error.cause instanceof ApplicationFailure);
});

retry('a non-retryable failure ends the chain', async (t) => {
  const error = await refused(t.execute('fails', ['no', 'Final', true], { retry: { initialInterval: '10ms', maximumAttempts: 5 } }));
  assert.equal(error.retryState, 'NON_RETRYABLE_FAILURE');
});

const cron = family('cron');

cron('a chain goes on over a failure with the last result (E18)', async (t) => {
  const handle = await t.start('cronStep', [2], { cronSchedule: '@every 1s' });
  const latest = t.client.workflow.getHandle(handle.workflowId);
  const seen: string[] = [];
  const failed = await until(async () => {
    const { runId } = await latest.describe();
    if (!seen.includes(runId)) seen.push(runId);
    const started = (await t.events(t.client.workflow.getHandle(handle.workflowId, runId)))[0]!.workflowExecutionStartedEventAttributes!;
    return started.continuedFailure && started.lastCompletionResult ? started : undefined;
  }, Boolean);
  assert.equal(failed!.cronSchedule, '@every 1s');
  assert.equal(failed!.continuedFailure!.message, 'cron fails once');
  await latest.terminate();
  assert.ok(seen.length >= 2);
});

cron('a bad schedule, and one with a start delay, are refused (C7, C10)', async (t) => {
  assert.match((await refused(t.start('cronStep', [0], { cronSchedule: 'not cron' }))).cause.message, /invalid CronSchedule/i);
  assert.match((await refused(t.start('cronStep', [0], { cronSchedule: '* * * * *', startDelay: '1s' }))).cause.message, /may not be used together/);
});

cron('cancelled while it waits, the chain ends (C.6)', async (t) => {
  const handle = await t.start('waitsForCancel', [], { cronSchedule: '0 0 1 1 *' });
  await handle.cancel();
  await until(() => handle.describe(), (told) => told.status.name === 'CANCELLED');
});
