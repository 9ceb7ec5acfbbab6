// Updates, update-with-start, signal order, upserts, patches.
import assert from 'node:assert/strict';
import { WithStartWorkflowOperation, WorkflowNotFoundError, WorkflowUpdateFailedError, WorkflowUpdateStage } from '@temporalio/client';
import { ApplicationFailure, WorkflowExecutionAlreadyStartedError } from '@temporalio/common';
import { family, kinds, refused, until, type Bench } from '../harness.ts';

const update = family('update');
const args = <T>(...values: T[]) => ({ args: values as [T] });

update('is accepted and completed in one task (E12)', async (t) => {
  const handle = await t.start('updatable', [10]);
  assert.deepEqual(await handle.query('values'), [10]);
  assert.equal(await handle.executeUpdate('change', args(5)), 15);
  const events = kinds(await t.events(handle));
  const at = events.indexOf('WorkflowExecutionUpdateAccepted');
  assert.equal(events[at - 1], 'WorkflowTaskCompleted');
  assert.equal(events[at + 1], 'WorkflowExecutionUpdateCompleted');
  await handle.signal('finish');
  assert.equal(await handle.result(), 15);
});

update('rejected by its validator leaves nothing in history (E13)', async (t) => {
  const handle = await t.start('updatable', [10]);
  await handle.query('values');
  const before = await until(() => t.events(handle), (events) => events.length >= 4);
  const error = await refused(handle.executeUpdate('change', args(-1)));
  assert.ok(error instanceof WorkflowUpdateFailedError);
  assert.ok(error.cause instanceof ApplicationFailure);
  assert.deepEqual([error.cause.message, error.cause.type], ['not below zero', 'Negative']);
  assert.equal((await t.events(handle)).length, before.length);
  assert.equal(await handle.executeUpdate('change', args(1)), 11);
  await handle.terminate();
});

update('an unknown name is rejected', async (t) => {
  const handle = await t.start('updatable', [1]);
  assert.ok((await refused(handle.executeUpdate('nope'))) instanceof WorkflowUpdateFailedError);
  await handle.terminate();
});

update('a failing handler fails the update, not the run', async (t) => {
  const handle = await t.start('updatable', [1]);
  const error = await refused(handle.executeUpdate('throws'));
  assert.deepEqual([error.cause.message, error.cause.details], ['the handler failed', ['detail']]);
  assert.equal(await handle.executeUpdate('change', args(1)), 2);
  await handle.terminate();
});

update('completes after an activity', async (t) => {
  const handle = await t.start('updatable', [1]);
  assert.equal(await handle.executeUpdate('viaActivity', args('text')), 'text');
  await handle.terminate();
});

update('accepted first, completed later; its handle is found by id', async (t) => {
  const handle = await t.start('updatable', [1]);
  const waiting = await handle.startUpdate('waits', { ...args('it'), waitForStage: WorkflowUpdateStage.ACCEPTED });
  assert.ok(kinds(await t.events(handle)).includes('WorkflowExecutionUpdateAccepted'));
  const later = waiting.result();
  await handle.signal('release');
  assert.equal(await later, 'released it');
  assert.equal(await handle.getUpdateHandle(waiting.updateId).result(), 'released it');
  await handle.terminate();
});

update('the same id is the same update (C.8)', async (t) => {
  const handle = await t.start('updatable', [0]);
  const updateId = t.id('update');
  assert.equal(await handle.executeUpdate('change', { ...args(3), updateId }), 3);
  assert.equal(await handle.executeUpdate('change', { ...args(3), updateId }), 3);
  assert.deepEqual(await handle.query('values'), [3]);
  assert.equal(kinds(await t.events(handle)).filter((kind) => kind === 'WorkflowExecutionUpdateAccepted').length, 1);
  await handle.terminate();
});

update('before the first task, without a worker yet', async (t) => {
  const taskQueue = t.id('queue');
  const handle = await t.start('updatable', [1], { taskQueue });
  const told = handle.executeUpdate('change', args(4));
  await t.withWorker({ taskQueue }, async () => assert.equal(await told, 5));
  await handle.terminate();
});

update('a closed and an unknown run refuse it', async (t) => {
  const handle = await t.start('returns', [1]);
  await handle.result();
  assert.ok((await refused(handle.executeUpdate('change', args(1)))) instanceof WorkflowNotFoundError);
  const unknown = t.client.workflow.getHandle(t.id());
  assert.ok((await refused(unknown.executeUpdate('change', args(1)))) instanceof WorkflowNotFoundError);
});

update('a run that ends fails the updates it accepted (C.8)', async (t) => {
  const handle = await t.start('updatable', [1]);
  const waiting = await handle.startUpdate('waits', { ...args('it'), waitForStage: WorkflowUpdateStage.ACCEPTED });
  const told = refused(waiting.result());
  await handle.signal('finish');
  assert.match((await told).cause.message, /completed before the Update completed/);
});

update('a run waits for its handlers', async (t) => {
  const handle = await t.start('updatableToTheEnd');
  const told = await Promise.all(['a', 'b'].map((text) => handle.executeUpdate('waits', args(text))));
  assert.deepEqual(told, ['a', 'b']);
  assert.deepEqual([...((await handle.result()) as string[])].sort(), ['a', 'b']);
});

update('fifty of one run, five at a time', async (t) => {
  const handle = await t.start('updatable', [0]);
  for (let round = 0; round < 10; ++round)
    await Promise.all([1, 1, 1, 1, 1].map((by) => handle.executeUpdate('change', args(by))));
  assert.deepEqual(await handle.query('values'), [50]);
  await handle.terminate();
});

update('more than ten in flight are refused until there is room (C.8)', async (t) => {
  const handle = await t.start('updatable', [0]);
  for (let count = 0; count < 10; ++count)
    await handle.startUpdate('waits', { ...args(`${count}`), waitForStage: WorkflowUpdateStage.ACCEPTED });
  const request = {
    namespace: t.namespace, workflowExecution: { workflowId: handle.workflowId }, waitPolicy: { lifecycleStage: 3 },
    request: { meta: { updateId: t.id('eleventh') }, input: { name: 'change', args: { payloads: [] } } },
  };
  const error = await refused(t.house.connection.withDeadline(Date.now() + 3000, () => t.service.updateWorkflowExecution(request)));
  assert.ok([4, 8].includes(error.code), String(error));
  await handle.terminate();
});

update('signals and updates arrive in the order they were sent', async (t) => {
  const handle = await t.start('ordered', [20]);
  for (let index = 0; index < 10; ++index) {
    await handle.signal('add', index);
    await handle.executeUpdate('viaActivity', args(String(index)));
  }
  const told = (await handle.result()) as string[];
  assert.deepEqual(told, Array.from({ length: 20 }, (_, index) => `${index % 2 ? 'update' : 'signal'} ${Math.floor(index / 2)}`));
});

const withStart = family('update-with-start');

const operation = (t: Bench, options: Record<string, unknown> = {}) =>
  new WithStartWorkflowOperation('updatable', {
    taskQueue: t.queue, workflowId: t.id(), args: [100], workflowIdConflictPolicy: 'USE_EXISTING', ...options,
  } as any);

withStart('starts the run and updates it; then updates the running one', async (t) => {
  const first = operation(t);
  assert.equal(await t.client.workflow.executeUpdateWithStart('change', { ...args(1), startWorkflowOperation: first }), 101);
  const handle = await first.workflowHandle();
  const second = operation(t, { workflowId: handle.workflowId });
  assert.equal(await t.client.workflow.executeUpdateWithStart('change', { ...args(1), startWorkflowOperation: second }), 102);
  assert.equal((await (await second.workflowHandle()).describe()).runId, (await handle.describe()).runId);
  await handle.terminate();
});

withStart('a rejected update leaves the started run (C.9)', async (t) => {
  const start = operation(t);
  const error = await refused(t.client.workflow.executeUpdateWithStart('change', { ...args(-1), startWorkflowOperation: start }));
  assert.ok(error instanceof WorkflowUpdateFailedError, String(error));
  const handle = await start.workflowHandle();
  assert.equal((await handle.describe()).status.name, 'RUNNING');
  await handle.terminate();
});

withStart('conflict policy FAIL refuses a running id (C.9)', async (t) => {
  const running = await t.start('updatable', [1]);
  const start = operation(t, { workflowId: running.workflowId, workflowIdConflictPolicy: 'FAIL' });
  const error = await refused(t.client.workflow.executeUpdateWithStart('change', { ...args(1), startWorkflowOperation: start }));
  assert.ok(error instanceof WorkflowExecutionAlreadyStartedError, String(error));
  await refused(start.workflowHandle());
  await running.terminate();
});

withStart('accepted first, completed later', async (t) => {
  const start = operation(t);
  const waiting = await t.client.workflow.startUpdateWithStart('waits', {
    ...args('it'), waitForStage: WorkflowUpdateStage.ACCEPTED, startWorkflowOperation: start,
  });
  const handle = await start.workflowHandle();
  await handle.signal('release');
  assert.equal(await waiting.result(), 'released it');
  await handle.terminate();
});

const patch = family('patch');

patch('a run goes through three releases of its code (B17)', async (t) => {
  const taskQueue = t.id('queue');
  const old = await t.start('released', [], { taskQueue });
  await t.withWorker({ taskQueue, workflowBundle: t.release('one') }, async () => assert.equal(await old.query('path'), 'one'));
  const middle = await t.start('released', [], { taskQueue });
  await t.withWorker({ taskQueue, workflowBundle: t.release('two') }, async () => {
    assert.equal(await middle.query('path'), 'two');
    await old.signal('finish');
    assert.equal(await old.result(), 'one');
  });
  const { searchAttributes } = await middle.describe();
  assert.deepEqual(searchAttributes.TemporalChangeVersion, ['second']);
  const young = await t.start('released', [], { taskQueue });
  await t.withWorker({ taskQueue, workflowBundle: t.release('three') }, async () => {
    await Promise.all([middle, young].map((handle) => handle.signal('finish')));
    assert.deepEqual(await Promise.all([middle.result(), young.result()]), ['two', 'two']);
  });
});

patch('other commands without a patch fail the task, not the run (B12)', async (t) => {
  const taskQueue = t.id('queue');
  const handle = await t.start('released', [], { taskQueue });
  await t.withWorker({ taskQueue, workflowBundle: t.release('one') }, () => handle.query('path'));
  await t.withWorker({ taskQueue, workflowBundle: t.release('wrong') }, async () => {
    await handle.signal('finish');
    const cause = await until(async () => (await t.events(handle)).find((event) => event.workflowTaskFailedEventAttributes), Boolean);
    assert.equal(cause!.workflowTaskFailedEventAttributes!.cause, 24); // NON_DETERMINISTIC_ERROR
  });
  await t.withWorker({ taskQueue, workflowBundle: t.release('one') }, async () => assert.equal(await handle.result(), 'one'));
});
