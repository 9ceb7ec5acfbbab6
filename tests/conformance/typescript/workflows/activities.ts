// Workflows around activities: options, failures, cancellation types, local activities.
import {
  ActivityCancellationType, ActivityFailure, ApplicationFailure, CancellationScope, TimeoutFailure, condition, isCancellation, proxyActivities,
  proxyLocalActivities, setHandler, sleep, type ActivityOptions, type LocalActivityOptions,
} from '@temporalio/workflow';
import type * as activities from '../activities.ts';
import { finish } from './basics.ts';

type Name = keyof typeof activities;

/** Runs the named activity with the given options; tells its result, or what its failure was made of. */
export async function runs(name: Name, args: unknown[], options: ActivityOptions): Promise<unknown> {
  const proxy = proxyActivities<any>(options);
  try {
    return await proxy[name](...args);
  } catch (error) {
    return describe(error);
  }
}

export async function runsLocal(name: Name, args: unknown[], options: LocalActivityOptions): Promise<unknown> {
  const proxy = proxyLocalActivities<any>(options);
  try {
    return await proxy[name](...args);
  } catch (error) {
    return describe(error);
  }
}

function describe(error: unknown): unknown {
  const told: Record<string, unknown> = { cancelled: isCancellation(error) };
  if (error instanceof ActivityFailure) Object.assign(told, { retryState: error.retryState, activityType: error.activityType });
  const cause = error instanceof ActivityFailure ? error.cause : error; // a local one's failure comes as it is
  if (cause instanceof TimeoutFailure) Object.assign(told, { timeout: cause.timeoutType, heartbeat: cause.lastHeartbeatDetails });
  if (cause instanceof ApplicationFailure) {
    Object.assign(told, { message: cause.message, type: cause.type, nonRetryable: cause.nonRetryable, details: cause.details });
    if (cause.cause instanceof ApplicationFailure) told.cause = { message: cause.cause.message, type: cause.cause.type };
  }
  return told;
}

export async function manyActivities(count: number): Promise<number> {
  const { echo } = proxyActivities<typeof activities>({ startToCloseTimeout: '10s' });
  const told = await Promise.all(Array.from({ length: count }, (_, index) => echo(index)));
  return told.reduce((sum, value) => sum + value, 0);
}

/** Cancels an activity by the given type when told to by `finish`; tells how it ended. */
export async function cancels(name: Name, type: ActivityCancellationType): Promise<{ how: unknown; cancelled: boolean }> {
  const proxy = proxyActivities<any>({
    startToCloseTimeout: '20s', heartbeatTimeout: '10s', cancellationType: type, retry: { maximumAttempts: 1 },
  });
  const scope = new CancellationScope();
  const running = scope.run(() => proxy[name](8_000)) as Promise<unknown>;
  const ended = running.then((how) => ({ how, cancelled: false }), (error) => ({ how: 'failed', cancelled: isCancellation(error) }));
  let told = false;
  setHandler(finish, () => void (told = true));
  await condition(() => told);
  scope.cancel();
  return await ended;
}

/** Cancels before the command was sent: nothing of the activity reaches history. */
export async function cancelsUnsent(): Promise<boolean> {
  const { echo } = proxyActivities<typeof activities>({ startToCloseTimeout: '20s' });
  const scope = new CancellationScope();
  const running = scope.run(() => echo('x')).then(() => false, isCancellation);
  scope.cancel();
  return await running;
}

export async function localThenTimers(rounds: number): Promise<number[]> {
  const { echo } = proxyLocalActivities<typeof activities>({ startToCloseTimeout: '5s' });
  const told: number[] = [];
  for (let round = 0; round < rounds; ++round) {
    told.push(await echo(round));
    await sleep(10);
  }
  return told;
}

export async function cancelsLocal(): Promise<boolean> {
  const { untilCancelled } = proxyLocalActivities<typeof activities>({
    startToCloseTimeout: '60s', cancellationType: ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
  });
  try {
    await CancellationScope.withTimeout(300, () => untilCancelled(50_000));
    return false;
  } catch (error) {
    return isCancellation(error);
  }
}
