// The kitchen sink: what every language's worker runs on both servers. Its steps are those of ../kitchen_sink.md.
import {
  ActivityCancellationType, ApplicationFailure, CancellationScope, ChildWorkflowCancellationType, ParentClosePolicy, condition,
  continueAsNew, defineQuery, defineSignal, defineUpdate, getExternalWorkflowHandle, isCancellation, patched, proxyActivities,
  proxyLocalActivities, setHandler, sleep, startChild, upsertMemo, upsertSearchAttributes, type ChildWorkflowOptions,
} from '@temporalio/workflow';
import type * as activities from '../kitchen_activities.ts';

const once = { startToCloseTimeout: '60s', retry: { maximumAttempts: 1 } } as const;
const remote = proxyActivities<typeof activities>(once);
const retried = proxyActivities<typeof activities>({
  startToCloseTimeout: '60s', retry: { initialInterval: '100ms', backoffCoefficient: 1, maximumAttempts: 5 },
});
const moody = proxyLocalActivities<typeof activities>({ startToCloseTimeout: '60s', retry: { initialInterval: '10ms' } });
const sleepy = proxyLocalActivities<typeof activities>({
  startToCloseTimeout: '60s', retry: { initialInterval: '3s' }, localRetryThreshold: '1s',
});
const local = proxyLocalActivities<typeof activities>(once);

const step = defineSignal<[number]>('step');
const open = defineSignal('open');
const note = defineSignal<[string]>('note');
const settle = defineSignal('settle');
const finish = defineSignal('finish');

/** How a wait ended: with a value, cancelled, or failed by an error of that name. */
async function outcome(wait: Promise<unknown>): Promise<unknown> {
  try {
    return await wait;
  } catch (error) {
    return isCancellation(error) ? 'cancelled' : (error as Error).name;
  }
}

function ensure(told: unknown, expected: unknown): void {
  if (told !== expected) throw ApplicationFailure.nonRetryable(`expected ${expected}, came ${told}`);
}

/** Something that one step starts and the next one cancels. */
class Cancellable {
  #scope = new CancellationScope();
  #ended: Promise<unknown> = Promise.resolve();

  start(body: () => Promise<unknown>): void {
    this.#scope = new CancellationScope();
    this.#ended = outcome(this.#scope.run(body));
  }

  async cancel(): Promise<void> {
    this.#scope.cancel();
    ensure(await this.#ended, 'cancelled');
  }
}

function child(label: string, options: ChildWorkflowOptions = {}) {
  return startChild('KitchenChild', { workflowId: `kitchen-sink-${label}`, args: [label], ...options });
}

/** Steps 1 to 36. `opened` tells whether the signal came. */
function firstRun(opened: () => boolean): (() => Promise<unknown> | void)[] {
  const one = new Cancellable();
  const cancel = () => one.cancel();
  const target = getExternalWorkflowHandle('kitchen-sink-target');
  const nobody = getExternalWorkflowHandle('kitchen-sink-nobody');
  const startHeld = (label: string, cancellationType: ActivityCancellationType) => () =>
    one.start(() => proxyActivities<typeof activities>({ ...once, heartbeatTimeout: '3s', cancellationType }).held(label));
  const startHeldChild = (label: string, cancellationType: ChildWorkflowCancellationType) => async () => {
    let begun = () => {};
    const started = new Promise<void>((resolve) => (begun = resolve));
    one.start(async () => {
      const handle = await child(label, { cancellationType });
      begun();
      return await handle.result();
    });
    await started;
  };
  return [
    () => {
      patched('kitchen-patch');
      upsertSearchAttributes({ CustomKeywordField: ['sink'], CustomIntField: [7] });
      upsertMemo({ kitchen: 'sink' });
    },
    async () => ensure(await remote.once(), 'once'),
    async () => ensure(await retried.flaky(), 'done'),
    async () => ensure(await outcome(remote.broken()), 'ActivityFailure'),
    startHeld('try', ActivityCancellationType.TRY_CANCEL),
    cancel,
    startHeld('wait', ActivityCancellationType.WAIT_CANCELLATION_COMPLETED),
    cancel,
    startHeld('abandon', ActivityCancellationType.ABANDON),
    cancel,
    () => {
      one.start(() => remote.once());
      return one.cancel();
    },
    async () => ensure(await local.quick(), 'quick'),
    async () => ensure(await moody.moody(), 'well'),
    async () => ensure(await sleepy.sleepy(), 'awake'),
    () => sleep(200),
    () => one.start(() => sleep('1 hour')),
    cancel,
    async () => ensure(await condition(() => false, 200), false),
    async () => ensure(await condition(opened, '1 hour'), true),
    async () => ensure(await (await child('done')).result(), 'done'),
    startHeldChild('try', ChildWorkflowCancellationType.TRY_CANCEL),
    cancel,
    startHeldChild('wait', ChildWorkflowCancellationType.WAIT_CANCELLATION_COMPLETED),
    cancel,
    startHeldChild('requested', ChildWorkflowCancellationType.WAIT_CANCELLATION_REQUESTED),
    cancel,
    startHeldChild('abandon', ChildWorkflowCancellationType.ABANDON),
    cancel,
    async () => ensure(await outcome(child('done', { workflowIdReusePolicy: 'REJECT_DUPLICATE' })), 'WorkflowExecutionAlreadyStartedError'),
    () => target.signal(note, 'from the sink'),
    async () => ensure((await outcome(nobody.signal(note, 'lost'))) === undefined, false),
    () => target.cancel(),
    async () => ensure((await outcome(nobody.cancel())) === undefined, false),
    () => {},
    () => {},
    () => continueAsNew<typeof KitchenSink>(2),
  ];
}

/** Steps 1 to 4. `cancelled` ends when this run is asked to. */
function secondRun(cancelled: Promise<unknown>): (() => Promise<unknown> | void)[] {
  return [
    () => void patched('kitchen-patch'),
    async () => {
      await child('left', { parentClosePolicy: ParentClosePolicy.ABANDON });
      await child('killed', { parentClosePolicy: ParentClosePolicy.TERMINATE });
      await child('asked', { parentClosePolicy: ParentClosePolicy.REQUEST_CANCEL });
    },
    () => cancelled,
    () => {},
  ];
}

export async function KitchenSink(run: number): Promise<string> {
  const [notes, seen]: [string[], { at: number; asked: number; total: number }] = [[], { at: 0, asked: 1, total: 0 }];
  let [opened, settled] = [false, false];
  setHandler(step, (number) => void (seen.asked = number));
  setHandler(open, () => void (opened = true));
  setHandler(settle, () => void (settled = true));
  setHandler(note, (text) => void notes.push(text));
  setHandler(defineQuery('at'), () => seen.at);
  setHandler(defineQuery('total'), () => seen.total);
  setHandler(defineQuery('notes'), () => notes);
  setHandler(defineUpdate<number, [number]>('add'), (by) => (seen.total += by), {
    validator(by) {
      if (by < 0) throw ApplicationFailure.nonRetryable('not below zero');
    },
  });
  setHandler(defineUpdate<void, []>('later'), () => condition(() => settled));
  const cancelled = CancellationScope.current().cancelRequested.catch(() => undefined);
  const steps = run === 1 ? firstRun(() => opened) : secondRun(cancelled);
  return await CancellationScope.nonCancellable(async () => {
    for (const [index, take] of steps.entries()) {
      await condition(() => seen.asked > index);
      await take();
      seen.at = index + 1;
    }
    return 'sunk';
  });
}

/** Waits for `finish`, then returns its label; once cancelled, the next `finish` ends it as cancelled. */
export async function KitchenChild(label: string): Promise<string> {
  let finished = false;
  setHandler(note, () => {});
  setHandler(finish, () => void (finished = true));
  try {
    await condition(() => finished);
  } catch (error) {
    await CancellationScope.nonCancellable(() => condition(() => finished));
    throw error;
  }
  return label;
}
