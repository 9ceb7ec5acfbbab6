// Workers: no cache, two on one queue, killed in mid-run, restarted; sticky queues; a thousand workflows at once.
import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import { join } from 'node:path';
import { family, kinds, refused, until, type Bench } from '../harness.ts';

const worker = family('worker');

worker('without a cache every task is replayed from the start', async (t) => {
  const taskQueue = t.id('queue');
  await t.withWorker({ taskQueue, maxCachedWorkflows: 0 }, async () => {
    const collecting = await t.start('collects', [], { taskQueue });
    for (const value of [1, 2, 3]) await collecting.signal('add', value);
    assert.deepEqual(await collecting.query('values'), [1, 2, 3]);
    await collecting.signal('finish');
    assert.deepEqual(await collecting.result(), [1, 2, 3]);
    assert.equal(await t.execute('oneStep', ['x'], { taskQueue }), 'x');
    const updated = await t.start('updatable', [1], { taskQueue });
    assert.equal(await updated.executeUpdate('change', { args: [1] as [number] }), 2);
    await updated.signal('finish');
    assert.equal(await updated.result(), 2);
    const scheduled = (await t.events(collecting)).map((event) => event.workflowTaskScheduledEventAttributes).filter(Boolean);
    assert.ok(scheduled.every((task) => task!.taskQueue!.kind === 1), 'no task of this worker is sticky');
  });
});

worker('with room for one workflow in its cache, ten go on', async (t) => {
  const taskQueue = t.id('queue');
  await t.withWorker({ taskQueue, maxCachedWorkflows: 1, maxConcurrentWorkflowTaskExecutions: 2, maxConcurrentWorkflowTaskPolls: 2 }, async () => {
    const told = await Promise.all(Array.from({ length: 10 }, (_, index) => t.execute('localThenTimers', [3 + (index % 2)], { taskQueue })));
    assert.deepEqual(told.map((steps) => steps.length), [3, 4, 3, 4, 3, 4, 3, 4, 3, 4]);
  });
});

worker('sticky tasks name the sticky queue and its normal one (B26)', async (t) => {
  const handle = await t.start('oneStep', ['x']);
  await handle.result();
  const queues = (await t.events(handle)).map((event) => event.workflowTaskScheduledEventAttributes?.taskQueue).filter(Boolean);
  assert.equal(queues[0]!.kind, 1);
  assert.equal(queues.at(-1)!.kind, 2);
  assert.equal(queues.at(-1)!.normalName, t.queue);
});

worker('shut down, it leaves its runs to the next one', async (t) => {
  const taskQueue = t.id('queue');
  const handle = await t.start('collects', [], { taskQueue });
  await t.withWorker({ taskQueue }, async () => {
    await handle.signal('add', 'first');
    assert.deepEqual(await handle.query('values'), ['first']);
  });
  await handle.signal('add', 'between');
  await t.withWorker({ taskQueue }, async () => {
    await handle.signal('finish');
    assert.deepEqual(await handle.result(), ['first', 'between']);
  });
});

worker('two on one queue share the work', async (t) => {
  const taskQueue = t.id('queue');
  const identities = await t.withWorker({ taskQueue, identity: 'first' }, () =>
    t.withWorker({ taskQueue, identity: 'second' }, async () => {
      const handles = await Promise.all(Array.from({ length: 40 }, () => t.start('oneStep', ['x'], { taskQueue })));
      await Promise.all(handles.map((handle) => handle.result()));
      const histories = await Promise.all(handles.map((handle) => t.events(handle)));
      return new Set(histories.flatMap((events) => events.map((event) => event.workflowTaskStartedEventAttributes?.identity).filter(Boolean)));
    }));
  assert.deepEqual([...identities].sort(), ['first', 'second']);
});

worker('its queue shows who polls', async (t) => {
  const taskQueue = t.id('queue');
  await t.withWorker({ taskQueue, identity: 'the poller' }, async () => {
    const told = await until(
      () => t.service.describeTaskQueue({ namespace: t.namespace, taskQueue: { name: taskQueue }, taskQueueType: 1 }),
      ({ pollers }) => (pollers?.length ?? 0) > 0);
    assert.equal(told.pollers![0]!.identity, 'the poller');
  });
});

/** A worker in a process of its own, which can be killed. `ready` once it polls. */
async function workerProcess(t: Bench, taskQueue: string): Promise<ChildProcess> {
  const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', join(import.meta.dirname, '..', 'worker_process.ts'), t.house.bundlePath, taskQueue], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  await new Promise<void>((resolve, reject) => {
    child.stdout!.once('data', () => resolve());
    child.once('exit', (code) => reject(new Error(`the worker process ended with ${code}`)));
  });
  return child;
}

async function killed(child: ChildProcess) {
  const gone = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGKILL');
  await gone;
}

worker('killed in mid-run and started again, nothing is lost', async (t) => {
  const taskQueue = t.id('queue');
  let child = await workerProcess(t, taskQueue);
  try {
    const options = { startToCloseTimeout: '2s', retry: { initialInterval: '10ms' } };
    const steps = await Promise.all(Array.from({ length: 10 }, () => t.start('localThenTimers', [5], { taskQueue, workflowTaskTimeout: '2s' })));
    const waiting = await t.start('runs', ['pause', [1_000], options], { taskQueue, workflowTaskTimeout: '2s' });
    const collecting = await t.start('collects', [], { taskQueue, workflowTaskTimeout: '2s' });
    await collecting.signal('add', 1);
    await until(() => waiting.describe(), ({ raw }) => raw.pendingActivities?.[0]?.state === 2);
    await killed(child);
    await collecting.signal('add', 2);
    child = await workerProcess(t, taskQueue);
    await collecting.signal('finish');
    assert.deepEqual(await collecting.result(), [1, 2]);
    assert.equal(await waiting.result(), 2);
    for (const handle of steps) assert.deepEqual(await handle.result(), [0, 1, 2, 3, 4]);
  } finally {
    await killed(child);
  }
}, { seconds: 120 });

worker('a dead worker leaves its sticky queue after the schedule-to-start timeout (E16)', async (t) => {
  const taskQueue = t.id('queue');
  const child = await workerProcess(t, taskQueue);
  const handle = await t.start('collects', [], { taskQueue });
  await handle.query('values');
  await killed(child);
  await handle.signal('finish');
  await t.withWorker({ taskQueue }, async () => assert.deepEqual(await handle.result(), []));
  const events = kinds(await t.events(handle));
  assert.ok(events.at(-1) === 'WorkflowExecutionCompleted');
}, { seconds: 120 });

worker('a thousand workflows at once', async (t) => {
  const handles = [];
  const lane = async (first: number) => {
    for (let index = first; index < 1000; index += 50) handles.push({ index, handle: await t.start('oneStep', [String(index)]) });
  };
  await Promise.all(Array.from({ length: 50 }, (_, first) => lane(first)));
  assert.equal(handles.length, 1000);
  const told = await Promise.all(handles.map(({ handle }) => handle.result()));
  handles.forEach(({ index }, at) => assert.equal(told[at], String(index)));
}, { phase: 'alone', seconds: 600 });

const limits = family('limits');

limits('a payload of 1 MiB goes through; one over 2 MiB is refused (C7)', async (t) => {
  const text = 'x'.repeat(1 << 20);
  assert.equal((await t.execute('returns', [text])).length, text.length);
  assert.match((await refused(t.start('returns', ['x'.repeat(2.5 * (1 << 20))]))).cause.message, /Blob data size exceeds limit/);
});

limits('a request over 4 MiB is refused in grpc-go words (0.6)', async (t) => {
  const options = { workflowId: t.id(), taskQueue: t.queue, args: ['x'.repeat(5 * (1 << 20))] as any };
  const error = await t.impatient((client) => refused(client.workflow.start('returns', options)));
  assert.equal(error.cause.code, 8);
  assert.match(error.cause.message, /grpc: received message larger than max \(\d+ vs\. 4194304\)/);
});

limits('a result over the limit fails the activity, not the server', async (t) => {
  const told = await t.execute('runs', ['big', [3 << 20], { startToCloseTimeout: '20s', retry: { maximumAttempts: 1 } }]);
  assert.ok(told.retryState || told.message, JSON.stringify(told));
});

limits('ids of a thousand characters are taken, longer ones refused (C7)', async (t) => {
  const id = t.id().padEnd(1000, 'x');
  assert.equal(await t.execute('returns', ['long id'], { workflowId: id }), 'long id');
  assert.match((await refused(t.start('returns', [1], { workflowId: `${id}x` }))).cause.message, /WorkflowId length exceeds limit/);
});
