// Start, signal, query, cancel, terminate, timers.
import assert from 'node:assert/strict';
import {
  Client, QueryNotRegisteredError, QueryRejectCondition, QueryRejectedError, WorkflowFailedError, WorkflowNotFoundError,
  type WorkflowStartOptions,
} from '@temporalio/client';
import { ApplicationFailure, CancelledFailure, TerminatedFailure, TimeoutFailure, WorkflowExecutionAlreadyStartedError } from '@temporalio/common';
import { family, kinds, refused, until } from '../harness.ts';

const start = family('start');

start('a workflow with an activity and a timer ends with its result (E1, E9)', async (t) => {
  const handle = await t.start('oneStep', ['value']);
  assert.equal(await handle.result(), 'value');
  assert.deepEqual(kinds(await t.events(handle)), [
    'WorkflowExecutionStarted', 'WorkflowTaskScheduled', 'WorkflowTaskStarted', 'WorkflowTaskCompleted',
    'ActivityTaskScheduled', 'ActivityTaskStarted', 'ActivityTaskCompleted',
    'WorkflowTaskScheduled', 'WorkflowTaskStarted', 'WorkflowTaskCompleted',
    'TimerStarted', 'TimerFired', 'WorkflowTaskScheduled', 'WorkflowTaskStarted', 'WorkflowTaskCompleted',
    'WorkflowExecutionCompleted',
  ]);
});

start('a workflow knows its ids, type, queue and memo', async (t) => {
  const handle = await t.start('info', [], { memo: { team: 'north', size: 3 } });
  const told = await handle.result();
  assert.equal(told.workflowId, handle.workflowId);
  assert.equal(told.runId, handle.firstExecutionRunId);
  assert.equal(told.firstExecutionRunId, handle.firstExecutionRunId);
  assert.deepEqual([told.attempt, told.taskQueue, told.workflowType], [1, t.queue, 'info']);
  assert.deepEqual(told.memo, { team: 'north', size: 3 });
});

start('a failure reaches the client with type and details', async (t) => {
  const error = await refused(t.execute('fails', ['it broke', 'Broken', true]));
  assert.ok(error instanceof WorkflowFailedError);
  assert.equal(error.retryState, 'RETRY_POLICY_NOT_SET');
  const cause = error.cause as ApplicationFailure;
  assert.ok(cause instanceof ApplicationFailure);
  assert.deepEqual([cause.message, cause.type, cause.nonRetryable, cause.details], ['it broke', 'Broken', true, [{ answer: 42 }]]);
});

start('an id in use is refused (C3)', async (t) => {
  const handle = await t.start('waitsForCancel');
  const error = await refused(t.start('waitsForCancel', [], { workflowId: handle.workflowId }));
  assert.ok(error instanceof WorkflowExecutionAlreadyStartedError, String(error));
  await handle.terminate();
});

start('conflict policy USE_EXISTING gives the running run (C6)', async (t) => {
  const first = await t.start('waitsForCancel');
  const second = await t.start('waitsForCancel', [], { workflowId: first.workflowId, workflowIdConflictPolicy: 'USE_EXISTING' });
  assert.equal(second.firstExecutionRunId, first.firstExecutionRunId);
  await first.terminate();
});

start('conflict policy TERMINATE_EXISTING ends the running run (C5)', async (t) => {
  const first = await t.start('waitsForCancel');
  const second = await t.start('returns', ['new'], { workflowId: first.workflowId, workflowIdConflictPolicy: 'TERMINATE_EXISTING' });
  assert.equal(await second.result(), 'new');
  const old = t.client.workflow.getHandle(first.workflowId, first.firstExecutionRunId);
  const last = (await t.events(old)).at(-1)!.workflowExecutionTerminatedEventAttributes!;
  assert.equal(last.reason, 'TerminateIfRunning WorkflowIdReusePolicy');
});

start('reuse policies of closed ids (C3)', async (t) => {
  const again = (workflowId: string, workflowIdReusePolicy: WorkflowStartOptions['workflowIdReusePolicy']) =>
    t.start('returns', ['again'], { workflowId, workflowIdReusePolicy });
  const good = await t.start('returns', ['first']);
  await good.result();
  const ended = await t.start('waitsForCancel');
  await ended.terminate();
  for (const policy of ['REJECT_DUPLICATE', 'ALLOW_DUPLICATE_FAILED_ONLY'] as const)
    assert.ok((await refused(again(good.workflowId, policy))) instanceof WorkflowExecutionAlreadyStartedError, policy);
  assert.equal(await (await again(ended.workflowId, 'ALLOW_DUPLICATE_FAILED_ONLY')).result(), 'again');
  assert.equal(await (await again(good.workflowId, 'ALLOW_DUPLICATE')).result(), 'again');
});

start('a start delay holds the first task back (C10)', async (t) => {
  const handle = await t.start('returns', ['later'], { startDelay: '1s' });
  assert.equal((await t.events(handle)).length, 1);
  await handle.result();
  const { startTime, raw } = await handle.describe();
  const { executionTime } = raw.workflowExecutionInfo!;
  assert.ok(Number(executionTime!.seconds) * 1000 + executionTime!.nanos! / 1e6 - startTime.getTime() >= 990);
});

start('run timeout and execution timeout end a run', async (t) => {
  for (const option of ['workflowRunTimeout', 'workflowExecutionTimeout'] as const) {
    const error = await refused(t.execute('waitsForCancel', [], { [option]: '1s' }));
    assert.ok(error.cause instanceof TimeoutFailure, option);
  }
});

start('summary and details of a run are described', async (t) => {
  const handle = await t.start('waitsForCancel', [], { staticSummary: 'a summary', staticDetails: 'the details' });
  const told = await handle.describe();
  assert.equal(await told.staticSummary(), 'a summary');
  assert.equal(await told.staticDetails(), 'the details');
  await handle.terminate();
});

start('a run whose type no worker knows keeps its task', async (t) => {
  const handle = await t.start('noSuchWorkflow');
  await until(() => handle.describe(), (told) => (told.raw.pendingWorkflowTask?.attempt ?? 0) >= 2);
  const failed = (await t.events(handle)).find((event) => event.workflowTaskFailedEventAttributes);
  assert.match(failed!.workflowTaskFailedEventAttributes!.failure!.message!, /noSuchWorkflow/);
  assert.equal(kinds(await t.events(handle)).filter((kind) => kind === 'WorkflowTaskFailed').length, 1);
  await handle.terminate();
});

start('an eager start is taken by a worker of the same process or runs all the same', async (t) => {
  const client = new Client({ connection: t.house.native, namespace: t.namespace });
  const options = { workflowId: t.id(), taskQueue: t.queue, args: ['eager'] as any, requestEagerStart: true };
  assert.equal(await client.workflow.execute('returns', options), 'eager');
});

const signal = family('signal');

signal('a hundred signals keep their order', async (t) => {
  const handle = await t.start('collects');
  for (let value = 0; value < 100; ++value) await handle.signal('add', value);
  await handle.signal('finish');
  assert.deepEqual(await handle.result(), Array.from({ length: 100 }, (_, value) => value));
});

signal('with start: a new run, then the running one', async (t) => {
  const options = { taskQueue: t.queue, workflowId: t.id(), signal: 'add' };
  const first = await t.client.workflow.signalWithStart('collects', { ...options, signalArgs: ['one'] });
  const second = await t.client.workflow.signalWithStart('collects', { ...options, signalArgs: ['two'] });
  assert.equal(first.signaledRunId, second.signaledRunId);
  await first.signal('finish');
  assert.deepEqual(await first.result(), ['one', 'two']);
  assert.equal(kinds(await t.events(first))[1], 'WorkflowExecutionSignaled');
});

signal('an unknown and a closed run refuse it (C.6)', async (t) => {
  const unknown = t.client.workflow.getHandle(t.id());
  assert.ok((await refused(unknown.signal('add', 1))) instanceof WorkflowNotFoundError);
  const closed = await t.start('returns', [1]);
  await closed.result();
  assert.ok((await refused(closed.signal('add', 1))) instanceof WorkflowNotFoundError);
});

signal('sent while a task is started, it follows that task (E4)', async (t) => {
  const handle = await t.start('collectsWhileBusy');
  await until(() => t.events(handle), (events) => events.length >= 3);
  for (const value of [1, 2, 3]) await handle.signal('add', value);
  assert.deepEqual(await handle.result(), [1, 2, 3]);
  assert.deepEqual(kinds(await t.events(handle)).slice(2, 8), [
    'WorkflowTaskStarted', 'WorkflowTaskCompleted', 'MarkerRecorded', 'WorkflowExecutionSignaled', 'WorkflowExecutionSignaled',
    'WorkflowExecutionSignaled',
  ]);
});

signal('sent before its handler is there, it is kept', async (t) => {
  const handle = await t.start('listensLate');
  await handle.signal('add', 'a');
  await handle.signal('add', 'b');
  assert.deepEqual(await handle.result(), ['a', 'b']);
});

signal('from one workflow to another, and to none', async (t) => {
  const target = await t.start('collects');
  assert.equal(await t.execute('signalsOther', [target.workflowId, 'hello']), 'signaled');
  await target.signal('finish');
  assert.deepEqual(await target.result(), ['hello']);
  assert.notEqual(await t.execute('signalsOther', [t.id(), 'hello']), 'signaled');
  const sent = (await t.events(target)).find((event) => event.workflowExecutionSignaledEventAttributes)!;
  assert.ok(sent.workflowExecutionSignaledEventAttributes!.externalWorkflowExecution?.workflowId);
});

const query = family('query');

query('shows what a signal before it brought', async (t) => {
  const handle = await t.start('collects');
  for (const value of [1, 2, 3]) {
    await handle.signal('add', value);
    assert.equal(((await handle.query('values')) as unknown[]).length, value);
  }
  const before = (await t.events(handle)).length;
  await handle.query('values');
  assert.equal((await t.events(handle)).length, before);
  await handle.signal('finish');
  await handle.result();
  assert.deepEqual(await handle.query('values'), [1, 2, 3]);
});

query('is answered when sent with the first task (C.7)', async (t) => {
  const handle = await t.start('collects');
  assert.deepEqual(await handle.query('values'), []);
  await handle.terminate();
});

query('an unknown name and a failing handler are refused', async (t) => {
  const handle = await t.start('collects');
  assert.ok((await refused(handle.query('nope'))) instanceof QueryNotRegisteredError);
  assert.match((await refused(handle.query('throws'))).message, /the query failed/);
  await handle.terminate();
});

query('stack trace and metadata are there', async (t) => {
  const handle = await t.start('collects');
  assert.match(await handle.query('__stack_trace'), /collects/);
  const metadata = (await handle.query('__temporal_workflow_metadata')) as any;
  assert.ok(metadata.definition.signalDefinitions.some(({ name }: any) => name === 'add'));
  await handle.terminate();
});

query('a reject condition is obeyed', async (t) => {
  const handle = await t.start('collects');
  await handle.query('values');
  await handle.terminate();
  for (const condition of [QueryRejectCondition.NOT_OPEN, QueryRejectCondition.NOT_COMPLETED_CLEANLY]) {
    const client = new Client({
      connection: t.house.connection, namespace: t.namespace, workflow: { queryRejectCondition: condition },
    });
    assert.ok((await refused(client.workflow.getHandle(handle.workflowId).query('values'))) instanceof QueryRejectedError);
  }
});

query('twenty at once are all answered', async (t) => {
  const handle = await t.start('collects');
  await handle.signal('add', 1);
  const told = await Promise.all(Array.from({ length: 20 }, () => handle.query('values')));
  for (const values of told) assert.deepEqual(values, [1]);
  await handle.terminate();
});

const cancel = family('cancel');

cancel('ends a waiting workflow as cancelled; a second request is silent', async (t) => {
  const handle = await t.start('waitsForCancel');
  await handle.cancel();
  await handle.cancel();
  const error = await refused(handle.result());
  assert.ok(error.cause instanceof CancelledFailure, String(error.cause));
  assert.equal((await handle.describe()).status.name, 'CANCELLED');
  assert.equal(kinds(await t.events(handle)).filter((kind) => kind === 'WorkflowExecutionCancelRequested').length, 1);
  await handle.cancel();
});

cancel('is cleaned up after in a scope that cannot be cancelled', async (t) => {
  const handle = await t.start('cleansUp');
  await until(() => t.events(handle), (events) => kinds(events).includes('TimerStarted'));
  await handle.cancel();
  assert.equal(await handle.result(), 'cleaned up');
  assert.ok(kinds(await t.events(handle)).includes('TimerCanceled'));
});

cancel('from one workflow to another, and to none', async (t) => {
  const target = await t.start('waitsForCancel');
  assert.equal(await t.execute('cancelsOther', [target.workflowId]), 'cancelled');
  assert.ok((await refused(target.result())).cause instanceof CancelledFailure);
  assert.notEqual(await t.execute('cancelsOther', [t.id()]), 'cancelled');
});

cancel('during a start delay it gives the workflow a task at once (C.6)', async (t) => {
  const handle = await t.start('waitsForCancel', [], { startDelay: '10 minutes' });
  await handle.cancel();
  assert.ok((await refused(handle.result())).cause instanceof CancelledFailure);
});

const terminate = family('terminate');

terminate('ends a run with its reason, once', async (t) => {
  const handle = await t.start('waitsForCancel');
  await handle.terminate('enough');
  const error = await refused(handle.result());
  assert.ok(error.cause instanceof TerminatedFailure);
  assert.equal(error.cause.message, 'enough');
  assert.equal((await handle.describe()).status.name, 'TERMINATED');
  assert.ok((await refused(handle.terminate('again'))) instanceof WorkflowNotFoundError);
});

const timer = family('timer');

timer('fires, and a cancelled one does not (E9)', async (t) => {
  assert.deepEqual(await t.execute('cancelsItsTimer'), ['fired', 'cancelled']);
});

timer('a hundred of one workflow fire', async (t) => {
  assert.equal(await t.execute('manyTimers', [100]), 100);
});

timer('ends a wait and an activity', async (t) => {
  assert.equal(await t.execute('timesOutItsWait'), false);
  assert.equal(await t.execute('cancelsActivityOfTimeout'), 'cancelled');
});
