// The kitchen-sink workflow (../../kitchen_sink.md): one history a server, which must be the same, and replay wherever it was made.
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readFileSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Worker } from '@temporalio/worker';
import type { WorkflowHandle } from '@temporalio/client';
import { family, kinds, refused, temporal, until, type Bench, type Event } from '../harness.ts';
import * as activities from '../kitchen_activities.ts';
import { slot } from '../kitchen_activities.ts';

const { History } = temporal.api.history.v1;
const kitchen = family('kitchen sink');
const kRunsAway = ['WorkflowTaskScheduled', 'WorkflowTaskStarted'];

/** What the driver does beside sending `step`, and what it waits for, as many times as it was named so far. */
class Driver {
  readonly t: Bench;
  sink: WorkflowHandle;
  readonly #counts = new Map<string, number>();

  constructor(t: Bench, sink: WorkflowHandle) {
    this.t = t;
    this.sink = sink;
  }

  child(label: string): WorkflowHandle {
    return this.t.client.workflow.getHandle(`kitchen-sink-${label}`);
  }

  /** Waits till `handle` shows `kind` so many times and no task of it is under way. */
  async rest(handle: WorkflowHandle, kind = 'WorkflowTaskCompleted', times = 1): Promise<void> {
    await until(() => this.t.events(handle).then(kinds, () => [] as string[]), (told) =>
      told.filter((each) => each === kind).length >= times && !kRunsAway.includes(told.at(-1)!));
  }

  /** Waits till the sink shows each of `waited` once more, and is at rest. */
  async shown(...waited: string[]): Promise<void> {
    for (const kind of waited) {
      const count = (this.#counts.get(kind) ?? 0) + 1;
      this.#counts.set(kind, count);
      await this.rest(this.sink, kind, count);
    }
    await this.rest(this.sink);
  }

  /** Sends step n, does what belongs to it, and waits till the sink says that it is done. */
  async step(n: number, meanwhile: () => Promise<void> = () => this.shown()): Promise<void> {
    if (n > 1) await this.sink.signal('step', n);
    await meanwhile();
    await until(() => this.sink.query('at'), (at) => at === n);
    await this.rest(this.sink);
  }

  async finish(label: string, last: string): Promise<void> {
    await this.child(label).signal('finish');
    await this.rest(this.child(label), last);
  }

  async runs(label: string): Promise<void> {
    await this.shown('ActivityTaskScheduled');
    await until(async () => slot(label).started, Boolean);
  }

  async childStarts(label: string): Promise<void> {
    await this.shown('ChildWorkflowExecutionStarted');
    await this.rest(this.child(label));
  }

  async childIsAsked(label: string): Promise<void> {
    await this.shown('ExternalWorkflowExecutionCancelRequested');
    await this.rest(this.child(label), 'WorkflowExecutionCancelRequested');
    await this.finish(label, 'WorkflowExecutionCanceled');
    await this.shown('ChildWorkflowExecutionCanceled');
  }
}

async function stepsOfActivities(d: Driver): Promise<void> {
  const release = (label: string, last: string, ...before: string[]) => async () => {
    await d.shown(...before);
    slot(label).release();
    await d.shown(last);
  };
  await d.step(2, () => d.shown('ActivityTaskCompleted'));
  await d.step(3, () => d.shown('ActivityTaskCompleted'));
  await d.step(4, () => d.shown('ActivityTaskFailed'));
  await d.step(5, () => d.runs('try'));
  await d.step(6, release('try', 'ActivityTaskCanceled', 'ActivityTaskCancelRequested'));
  await d.step(7, () => d.runs('wait'));
  await d.step(8, release('wait', 'ActivityTaskCanceled', 'ActivityTaskCancelRequested'));
  await d.step(9, () => d.runs('abandon'));
  await d.step(10);
  slot('abandon').release();
  await d.shown('ActivityTaskCompleted');
  await d.step(11);
  await d.step(12, () => d.shown('MarkerRecorded'));
  await d.step(13, () => d.shown('MarkerRecorded'));
  await d.step(14, () => d.shown('TimerFired', 'MarkerRecorded'));
  await d.step(15, () => d.shown('TimerFired'));
  await d.step(16, () => d.shown('TimerStarted'));
  await d.step(17, () => d.shown('TimerCanceled'));
  await d.step(18, () => d.shown('TimerFired'));
  await d.step(19, async () => {
    await d.shown('TimerStarted');
    await d.sink.signal('open');
    await d.shown('TimerCanceled');
  });
}

async function stepsOfOthers(d: Driver): Promise<void> {
  const completes = (label: string) => async () => {
    await d.finish(label, 'WorkflowExecutionCompleted');
    await d.shown('ChildWorkflowExecutionCompleted');
  };
  await d.step(20, async () => {
    await d.childStarts('done');
    await completes('done')();
  });
  let at = 21;
  for (const label of ['try', 'wait', 'requested']) {
    await d.step(at++, () => d.childStarts(label));
    await d.step(at++, () => d.childIsAsked(label));
  }
  await d.step(27, () => d.childStarts('abandon'));
  await d.step(28);
  await completes('abandon')();
  await d.step(29, () => d.shown('StartChildWorkflowExecutionFailed'));
  await d.step(30, () => d.shown('ExternalWorkflowExecutionSignaled'));
  await d.rest(d.child('target'), 'WorkflowExecutionSignaled');
  await d.step(31, () => d.shown('SignalExternalWorkflowExecutionFailed'));
  await d.step(32, () => d.shown('ExternalWorkflowExecutionCancelRequested'));
  await d.rest(d.child('target'), 'WorkflowExecutionCancelRequested');
  await d.finish('target', 'WorkflowExecutionCanceled');
  await d.step(33, () => d.shown('RequestCancelExternalWorkflowExecutionFailed'));
}

async function stepsOfMessages(d: Driver): Promise<void> {
  await d.step(34);
  assert.equal(await d.sink.executeUpdate('add', { args: [5], updateId: 'add' }), 5);
  await refused(d.sink.executeUpdate('add', { args: [-1] }));
  const later = await d.sink.startUpdate('later', { updateId: 'later', waitForStage: 'ACCEPTED' });
  await d.rest(d.sink, 'WorkflowExecutionUpdateAccepted', 2);
  await d.sink.signal('settle');
  await later.result();
  await d.rest(d.sink, 'WorkflowExecutionUpdateCompleted', 2);
  assert.equal(await d.sink.query('total'), 5);
  await refused(d.sink.query('nothing like it'));
  await d.step(35);
  for (const text of ['a', 'b']) {
    const before = (await d.t.events(d.sink)).length;
    await d.sink.signal('note', text);
    await until(() => d.t.events(d.sink), (events) => events.length >= before + 4);
    await d.rest(d.sink);
  }
  assert.deepEqual(await d.sink.query('notes'), ['a', 'b']);
}

async function secondRun(d: Driver): Promise<void> {
  await d.step(2, async () => {
    for (const label of ['left', 'killed', 'asked']) {
      await d.rest(d.sink, 'ChildWorkflowExecutionStarted', ['left', 'killed', 'asked'].indexOf(label) + 1);
      await d.rest(d.child(label));
    }
  });
  await d.step(3, async () => {
    await d.rest(d.sink);
    await d.sink.cancel();
    await d.rest(d.sink, 'WorkflowExecutionCancelRequested');
  });
  await d.sink.signal('step', 4);
  assert.equal(await d.sink.result(), 'sunk');
  await d.rest(d.child('killed'), 'WorkflowExecutionTerminated');
  await d.rest(d.child('asked'), 'WorkflowExecutionCancelRequested');
  await d.finish('asked', 'WorkflowExecutionCanceled');
  await d.finish('left', 'WorkflowExecutionCompleted');
}

/** Runs it all; gives the histories by name. */
async function sink(t: Bench, taskQueue: string): Promise<Map<string, Event[]>> {
  await t.start('KitchenChild', ['target'], { taskQueue, workflowId: 'kitchen-sink-target' });
  const first = await t.start('KitchenSink', [1], { taskQueue, workflowId: 'kitchen-sink' });
  const handleOf = (runId: string) => t.client.workflow.getHandle('kitchen-sink', runId);
  const d = new Driver(t, handleOf(first.firstExecutionRunId));
  await d.rest(d.child('target'));
  await d.step(1);
  await stepsOfActivities(d);
  await stepsOfOthers(d);
  await stepsOfMessages(d);
  await d.sink.signal('step', 36);
  const events = await until(() => t.events(d.sink), (told) => kinds(told).at(-1) === 'WorkflowExecutionContinuedAsNew');
  d.sink = handleOf(events.at(-1)!.workflowExecutionContinuedAsNewEventAttributes!.newExecutionRunId!);
  await d.rest(d.sink);
  await until(() => d.sink.query('at'), (at) => at === 1);
  await secondRun(d);
  const told = new Map([['sink-1', events], ['sink-2', await t.events(d.sink)]]);
  for (const label of ['target', 'done', 'try', 'wait', 'requested', 'abandon', 'left', 'killed', 'asked'])
    told.set(label, await t.events(d.child(label)));
  return told;
}

function toJson(events: Event[]): any[] {
  return History.toObject(History.fromObject({ events }), { longs: String, enums: String, bytes: String }).events;
}

const kChance = new RegExp([  // keys of what differs from run to run: ids, times, sizes, queues, who did it; and what a server allows
  'Time$', '_time$', 'taskId', '[rR]unId$', 'requestId', '[nN]amespaceId$', 'identity', '[tT]askQueue', 'historySizeBytes', 'stackTrace',
  'workerVersion', 'BuildId$', '^buildId$', 'binaryChecksum', 'sdkMetadata',
].join('|'));
const kUuid = /[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/g;

/** A JSON value without that. Payloads are read, as a local activity's marker has times in its own. */
function scrubbed(value: any): unknown {
  if (Array.isArray(value)) return value.map(scrubbed);
  if (typeof value === 'string') return value.replace(kUuid, '(id)');
  if (value === null || typeof value !== 'object') return value;
  if (value.metadata && value.data) return { ...value, data: scrubbed(JSON.parse(Buffer.from(value.data, 'base64').toString())) };
  const kept = Object.entries(value).filter(([key, inner]) => !kChance.test(key) && inner !== null && inner !== undefined);
  return Object.fromEntries(kept.map(([key, inner]) => [key, scrubbed(inner)]));
}

/** Leaves the histories for the other server's run, and gives that one's, when it is there. */
function exchange(told: Map<string, Event[]>): Map<string, Event[]> {
  const folder = join(process.env.CONFORMANCE_HISTORIES!, 'typescript');
  const [mine, other] = process.env.CONFORMANCE_SERVER === 'ours' ? ['ours', 'real'] : ['real', 'ours'];
  const part = join(folder, `${mine}.part`);
  rmSync(part, { recursive: true, force: true });
  mkdirSync(part, { recursive: true });
  for (const [name, events] of told) writeFileSync(join(part, `${name}.json`), JSON.stringify(toJson(events), null, 1));
  rmSync(join(folder, mine), { recursive: true, force: true });
  renameSync(part, join(folder, mine));
  const theirs = join(folder, other);
  if (!existsSync(theirs)) return new Map();
  return new Map(readdirSync(theirs).map((file) => [
    file.replace('.json', ''), History.fromObject({ events: JSON.parse(readFileSync(join(theirs, file), 'utf8')) }).events,
  ]));
}

kitchen('does everything; its histories are those of the other server, and both replay', async (t) => {
  const taskQueue = t.id('queue');
  const told = await t.withWorker({ taskQueue, activities }, () => sink(t, taskQueue));
  const others = exchange(told);
  for (const [name, events] of others) {
    assert.deepEqual(kinds(told.get(name)!), kinds(events), name);
    assert.deepEqual(scrubbed(toJson(told.get(name)!)), scrubbed(toJson(events)), name);
  }
  for (const histories of [told, others])
    for (const [name, events] of histories)
      await Worker.runReplayHistory({ workflowBundle: { codePath: t.house.bundlePath } }, { events } as any, name);
}, { seconds: 600 });
