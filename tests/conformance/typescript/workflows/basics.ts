// Starts, signals, queries, cancellation, timers.
import {
  ApplicationFailure, CancellationScope, CancelledFailure, condition, defineQuery, defineSignal, getExternalWorkflowHandle,
  isCancellation, proxyActivities, proxyLocalActivities, setHandler,
  sleep, uuid4, workflowInfo,
} from '@temporalio/workflow';
import type * as activities from '../activities.ts';

const { echo, pause } = proxyActivities<typeof activities>({ startToCloseTimeout: '10s' });

export const add = defineSignal<[unknown]>('add');
export const finish = defineSignal('finish');
export const values = defineQuery<unknown[]>('values');

export async function returns<T>(value: T): Promise<T> {
  return value;
}

/** One activity, one timer; tells both. */
export async function oneStep(value: string): Promise<string> {
  const told = await echo(value);
  await sleep(10);
  return told;
}

export async function fails(message: string, type: string, nonRetryable: boolean): Promise<void> {
  throw ApplicationFailure.create({ message, type, nonRetryable, details: [{ answer: 42 }] });
}

export async function info(): Promise<Record<string, unknown>> {
  const { workflowId, runId, firstExecutionRunId, attempt, taskQueue, workflowType, memo, parent, root } = workflowInfo();
  return { workflowId, runId, firstExecutionRunId, attempt, taskQueue, workflowType, memo, parent, root };
}

/** Collects what `add` brings until `finish`; `values` shows it. */
export async function collects(): Promise<unknown[]> {
  const got: unknown[] = [];
  let done = false;
  setHandler(add, (value) => void got.push(value));
  setHandler(values, () => got);
  setHandler(finish, () => void (done = true));
  setHandler(defineQuery('throws'), () => {
    throw new Error('the query failed');
  });
  await condition(() => done);
  return got;
}

/** Its first task stays open for a second, by a local activity, while signals come; then collects three. */
export async function collectsWhileBusy(): Promise<unknown[]> {
  const got: unknown[] = [];
  setHandler(add, (value) => void got.push(value));
  await proxyLocalActivities<typeof activities>({ startToCloseTimeout: '10s' }).pause(1_000);
  await condition(() => got.length >= 3);
  return got;
}

/** Registers its signal handler late: the signals that came before are kept for it. */
export async function listensLate(): Promise<unknown[]> {
  const got: unknown[] = [];
  await sleep(300);
  setHandler(add, (value) => void got.push(value));
  await condition(() => got.length >= 2);
  return got;
}

export async function waitsForCancel(): Promise<string> {
  await CancellationScope.current().cancelRequested;
  return 'never';
}

/** Turns its cancellation into a result, after a clean-up that cannot be cancelled. */
export async function cleansUp(): Promise<string> {
  try {
    await sleep('1 hour');
    return 'slept';
  } catch (error) {
    if (!isCancellation(error)) throw error;
    return await CancellationScope.nonCancellable(() => echo('cleaned up'));
  }
}

export async function cancelsItsTimer(): Promise<string[]> {
  const told: string[] = [];
  const scope = new CancellationScope();
  const long = scope.run(() => sleep('1 hour')).catch((error) => void told.push(error instanceof CancelledFailure ? 'cancelled' : 'other'));
  await sleep(20);
  told.push('fired');
  scope.cancel();
  await long;
  return told;
}

export async function manyTimers(count: number): Promise<number> {
  const order: number[] = [];
  await Promise.all(Array.from({ length: count }, (_, index) => sleep(10 + index).then(() => order.push(index))));
  return order.length;
}

export async function timesOutItsWait(): Promise<boolean> {
  return await condition(() => false, 50);
}

export async function cancelsActivityOfTimeout(): Promise<string> {
  try {
    await CancellationScope.withTimeout(200, () => pause(10_000));
    return 'not cancelled';
  } catch (error) {
    return isCancellation(error) ? 'cancelled' : 'other';
  }
}

export async function signalsOther(workflowId: string, value: unknown): Promise<string> {
  try {
    await getExternalWorkflowHandle(workflowId).signal(add, value);
    return 'signaled';
  } catch (error) {
    return (error as Error).message;
  }
}

export async function cancelsOther(workflowId: string): Promise<string> {
  try {
    await getExternalWorkflowHandle(workflowId).cancel();
    return 'cancelled';
  } catch (error) {
    return (error as Error).message;
  }
}

export async function random(): Promise<unknown[]> {
  const first = [uuid4(), Math.random(), Date.now()];
  await sleep(20);
  return [...first, uuid4()];
}
