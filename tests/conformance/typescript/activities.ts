// Activities of the scenarios. They run in the scenarios' process, so a scenario can see what one saw.
import { CompleteAsyncError, Context, activityInfo, heartbeat, sleep } from '@temporalio/activity';
import { ApplicationFailure } from '@temporalio/common';

/** What an activity told of itself, by workflow id: how often it began, and its task token. */
export const seen = new Map<string, { begins: number; token?: Uint8Array; activityId?: string; cancelled?: boolean }>();

function note() {
  const { workflowExecution, taskToken, activityId } = activityInfo();
  const entry = seen.get(workflowExecution.workflowId) ?? { begins: 0 };
  entry.begins += 1;
  entry.token = taskToken;
  entry.activityId = activityId;
  seen.set(workflowExecution.workflowId, entry);
  return entry;
}

export async function echo<T>(value: T): Promise<T> {
  return value;
}

/** Fails until the attempt after `failures`; tells the attempt that got through. */
export async function flaky(failures: number): Promise<number> {
  const { attempt } = activityInfo();
  if (attempt <= failures) throw new Error(`attempt ${attempt}`);
  return attempt;
}

export async function failWith(message: string, type: string, nonRetryable: boolean, details: unknown[]): Promise<void> {
  const cause = new ApplicationFailure('the cause', 'Cause', false, ['inner']);
  throw ApplicationFailure.create({ message, type, nonRetryable, details, cause });
}

/** Asks for its own delay, once; tells the milliseconds that passed between the attempts. */
export async function asksForDelay(ms: number): Promise<number> {
  const { attempt, scheduledTimestampMs } = activityInfo();
  if (attempt === 1) throw ApplicationFailure.create({ message: 'later', nextRetryDelay: ms });
  return Date.now() - scheduledTimestampMs;
}

/** Heartbeats till it is cancelled, and ends as cancelled then. */
export async function untilCancelled(ms: number): Promise<string> {
  const entry = note();
  try {
    for (let waited = 0; waited < ms; waited += 50) {
      heartbeat(waited);
      await sleep(50);
    }
    return 'not cancelled';
  } catch (error) {
    entry.cancelled = true;
    throw error;
  }
}

/** Heartbeats till it is cancelled, and completes all the same. */
export async function ignoresCancel(ms: number): Promise<string> {
  const entry = note();
  const { cancellationSignal } = Context.current();
  for (let waited = 0; waited < ms && !cancellationSignal.aborted; waited += 50) {
    heartbeat(waited);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  entry.cancelled = cancellationSignal.aborted;
  return 'completed';
}

/** Heartbeats once with `details`, then keeps still. */
export async function keepsStill(ms: number, details: unknown): Promise<string> {
  note();
  heartbeat(details);
  await sleep(ms);
  return 'done';
}

/** Its first attempt heartbeats and fails; the second tells the details it was given. */
export async function resumes(): Promise<unknown> {
  if (activityInfo().attempt > 1) return activityInfo().heartbeatDetails;
  heartbeat({ page: 7 });
  throw new Error('after the heartbeat');
}

export async function completesElsewhere(): Promise<string> {
  note();
  throw new CompleteAsyncError();
}

export async function pause(ms: number): Promise<number> {
  note();
  await sleep(ms);
  return activityInfo().attempt;
}

export async function big(bytes: number): Promise<string> {
  return 'x'.repeat(bytes);
}
