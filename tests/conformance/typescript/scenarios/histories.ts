// Reading and replaying histories; codecs; payloads; describe.
import assert from 'node:assert/strict';
import { Worker } from '@temporalio/worker';
import { DeterminismViolationError } from '@temporalio/workflow';
import { ApplicationFailure, METADATA_ENCODING_KEY, type Payload, type PayloadCodec } from '@temporalio/common';
import { bundle, family, kinds, refused, temporal, type Bench } from '../harness.ts';

const history = family('history');

const replayOptions = (t: Bench) => ({ workflowBundle: { codePath: t.house.bundlePath } });

history('of finished runs is replayed by the SDK', async (t) => {
  const handles = [
    await t.start('oneStep', ['x']), await t.start('cancelsItsTimer'), await t.start('localThenTimers', [3]),
    await t.start('runs', ['flaky', [1], { startToCloseTimeout: '5s', retry: { initialInterval: '10ms' } }]),
    await t.start('runsChild', ['returns', [1], { workflowId: t.id() }]), await t.start('random'),
  ];
  for (const handle of handles) {
    await handle.result();
    await Worker.runReplayHistory(replayOptions(t), await handle.fetchHistory(), handle.workflowId);
  }
});

history('of other code is a determinism violation', async (t) => {
  const handle = await t.start('oneStep', ['x']);
  await handle.result();
  const told = await handle.fetchHistory();
  told.events![0]!.workflowExecutionStartedEventAttributes!.workflowType!.name = 'cancelsItsTimer';
  assert.ok((await refused(Worker.runReplayHistory(replayOptions(t), told))) instanceof DeterminismViolationError);
});

history('of a list is replayed as a stream', async (t) => {
  const taskQueue = t.id('queue');
  await t.withWorker({ taskQueue }, () => Promise.all([1, 2, 3].map((value) => t.execute('oneStep', [String(value)], { taskQueue }))));
  const histories = t.client.workflow.list({ query: `TaskQueue = '${taskQueue}'` }).intoHistories();
  let replayed = 0;
  for await (const result of Worker.runReplayHistories(replayOptions(t), histories)) {
    assert.equal(result.error, undefined);
    replayed += 1;
  }
  assert.equal(replayed, 3);
});

history('pages by batches, forward and backward tell the same (C31, C35)', async (t) => {
  const handle = await t.start('localThenTimers', [4]);
  await handle.result();
  const all = (await t.events(handle)).map((event) => String(event.eventId));
  const read = async (rpc: 'getWorkflowExecutionHistory' | 'getWorkflowExecutionHistoryReverse') => {
    const ids: string[] = [];
    let nextPageToken: Uint8Array | null | undefined;
    do {
      const page = await t.service[rpc]({ namespace: t.namespace, execution: { workflowId: handle.workflowId }, maximumPageSize: 2, nextPageToken } as any);
      ids.push(...(page.history?.events ?? []).map((event: any) => String(event.eventId)));
      nextPageToken = page.nextPageToken;
    } while (nextPageToken && nextPageToken.length > 0);
    return ids;
  };
  assert.deepEqual(await read('getWorkflowExecutionHistory'), all);
  assert.deepEqual(await read('getWorkflowExecutionHistoryReverse'), [...all].reverse());
});

history('a long poll brings the close event when it comes (C33)', async (t) => {
  const handle = await t.start('collects');
  const polled = t.service.getWorkflowExecutionHistory({
    namespace: t.namespace, execution: { workflowId: handle.workflowId }, waitNewEvent: true,
    historyEventFilterType: temporal.api.enums.v1.HistoryEventFilterType.HISTORY_EVENT_FILTER_TYPE_CLOSE_EVENT,
  });
  const again = polled.then((page) => (page.history?.events?.length ? page : t.service.getWorkflowExecutionHistory({
    namespace: t.namespace, execution: { workflowId: handle.workflowId }, waitNewEvent: true, nextPageToken: page.nextPageToken,
    historyEventFilterType: temporal.api.enums.v1.HistoryEventFilterType.HISTORY_EVENT_FILTER_TYPE_CLOSE_EVENT,
  })));
  await handle.signal('finish');
  const told = await again;
  assert.deepEqual(kinds(told.history!.events!), ['WorkflowExecutionCompleted']);
  assert.equal(told.nextPageToken!.length, 0);
});

history('ids are dense, and a closing event is last', async (t) => {
  const handle = await t.start('manyActivities', [30]);
  await handle.result();
  const events = await t.events(handle);
  events.forEach((event, index) => assert.equal(Number(event.eventId), index + 1));
  assert.equal(kinds(events).at(-1), 'WorkflowExecutionCompleted');
  const description = await handle.describe();
  assert.equal(description.historyLength, events.length);
  assert.ok(description.historySize! > 0);
});

/** Turns every payload's bytes round: enough to see who decodes and who does not. */
class Turned implements PayloadCodec {
  async encode(payloads: Payload[]): Promise<Payload[]> {
    return payloads.map((payload) => ({
      metadata: { [METADATA_ENCODING_KEY]: Buffer.from('binary/turned') },
      data: Buffer.from(temporal.api.common.v1.Payload.encode(payload).finish()).reverse(),
    }));
  }
  async decode(payloads: Payload[]): Promise<Payload[]> {
    return payloads.map((payload) =>
      Buffer.from(payload.metadata?.[METADATA_ENCODING_KEY] ?? '').toString() === 'binary/turned'
        ? (temporal.api.common.v1.Payload.decode(Buffer.from(payload.data!).reverse()) as Payload)
        : payload);
  }
}

const codec = family('codec');

codec('inputs, results, signals, queries, updates and memo go through it unread', async (t) => {
  const taskQueue = t.id('queue');
  const dataConverter = { payloadCodecs: [new Turned()] };
  const client = t.clientWith(dataConverter);
  await t.withWorker({ taskQueue, dataConverter }, async () => {
    const started = { taskQueue, workflowId: t.id() };
    const handle = await client.workflow.start('collects', { ...started, memo: { secret: 'memo' } });
    await handle.signal('add', 'secret signal');
    assert.deepEqual(await handle.query('values'), ['secret signal']);
    assert.deepEqual((await handle.describe()).memo, { secret: 'memo' });
    await handle.signal('finish');
    assert.deepEqual(await handle.result(), ['secret signal']);
    assert.ok(!JSON.stringify(await handle.fetchHistory()).includes(Buffer.from('secret').toString('base64').slice(0, 6)));
    const updated = await client.workflow.start('updatable', { taskQueue, workflowId: t.id(), args: [1] as any });
    assert.equal(await updated.executeUpdate('change', { args: [2] as [number] }), 3);
    assert.equal(await client.workflow.execute('oneStep', { taskQueue, workflowId: t.id(), args: ['x'] as any }), 'x');
    await updated.terminate();
  });
});

codec('failures are encoded with it', async (t) => {
  const taskQueue = t.id('queue');
  const dataConverter = {
    payloadCodecs: [new Turned()], failureConverterPath: new URL('../failure_converter.cjs', import.meta.url).pathname,
  };
  const client = t.clientWith(dataConverter);
  const workflowBundle = await bundle({ failureConverterPath: dataConverter.failureConverterPath });
  await t.withWorker({ taskQueue, dataConverter, workflowBundle }, async () => {
    const handle = await client.workflow.start('fails', { taskQueue, workflowId: t.id(), args: ['secret words', 'Broken', true] as any });
    const error = await refused(handle.result());
    assert.ok(error.cause instanceof ApplicationFailure);
    assert.equal(error.cause.message, 'secret words');
    const last = (await t.events(handle)).at(-1)!.workflowExecutionFailedEventAttributes!.failure!;
    assert.equal(last.message, 'Encoded failure');
    assert.ok(last.encodedAttributes);
  });
});

const payload = family('payload');

payload('values of every kind come back as they went', async (t) => {
  for (const value of [null, 0, -1.5, true, 'text ✓', '', [], {}, [1, [2, { three: null }]], { nested: { list: ['a'] } }])
    assert.deepEqual(await t.execute('returns', [value]), value);
  assert.equal(await t.execute('returns', [undefined]), undefined);
  assert.deepEqual(new Uint8Array(await t.execute('returns', [new Uint8Array([0, 1, 255])])), new Uint8Array([0, 1, 255]));
});

payload('a thousand of one call', async (t) => {
  const values = Array.from({ length: 1000 }, (_, index) => ({ index, text: 'x'.repeat(100) }));
  assert.deepEqual(await t.execute('returns', [values]), values);
});
