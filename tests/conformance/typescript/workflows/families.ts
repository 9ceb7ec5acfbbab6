// Children, continue-as-new, retry and cron.
import {
  ApplicationFailure, CancellationScope, ChildWorkflowCancellationType, ChildWorkflowFailure, ParentClosePolicy, condition,
  continueAsNew, executeChild, isCancellation, makeContinueAsNewFunc, setHandler, sleep, startChild, workflowInfo,
  type ChildWorkflowOptions,
} from '@temporalio/workflow';
import { add, finish, values } from './basics.ts';

/** Runs a child and tells its result, or how it failed. */
export async function runsChild(type: string, args: unknown[], options: ChildWorkflowOptions): Promise<unknown> {
  try {
    return await executeChild(type, { args, ...options });
  } catch (error) {
    if (!(error instanceof ChildWorkflowFailure)) return { other: (error as Error).name };
    const cause = error.cause as Error;
    return { type: error.workflowType, retryState: error.retryState, cause: cause.constructor.name, message: cause.message };
  }
}

/** Starts a child that waits, then completes at once. */
export async function leavesChild(childId: string, policy: ParentClosePolicy): Promise<string> {
  const child = await startChild('waitsForCancel', { workflowId: childId, parentClosePolicy: policy });
  return child.firstExecutionRunId;
}

export async function signalsChild(childId: string): Promise<unknown> {
  const child = await startChild('collects', { workflowId: childId });
  await child.signal(add, 'from the parent');
  await child.signal(finish);
  return await child.result();
}

/** Cancels a child by the given type; tells how the wait ended. */
export async function cancelsChild(childId: string, type: ChildWorkflowCancellationType, workflowType: string): Promise<string> {
  const scope = new CancellationScope();
  const ended = scope
    .run(async () => {
      const child = await startChild(workflowType, {
        workflowId: childId, cancellationType: type, parentClosePolicy: ParentClosePolicy.ABANDON,
      });
      return await child.result();
    })
    .then((told) => `completed ${told}`, (error) => (isCancellation(error) ? 'cancelled' : String(error)));
  await sleep(500);
  scope.cancel();
  const told = await ended;
  await sleep(500); // what a closed parent asked for in its last task, the real server does not do
  return told;
}

export async function manyChildren(count: number): Promise<number> {
  const told = await Promise.all(Array.from({ length: count }, (_, index) =>
    executeChild('returns', { args: [index], workflowId: `${workflowInfo().workflowId}/${index}` })));
  return (told as number[]).reduce((sum, value) => sum + value, 0);
}

export async function grandparent(depth: number): Promise<unknown> {
  if (depth === 0) return { root: workflowInfo().root?.workflowId, parent: workflowInfo().parent?.workflowId };
  return await executeChild('grandparent', { args: [depth - 1], workflowId: `${workflowInfo().workflowId}/${depth}` });
}

export async function counts(from: number, to: number): Promise<{ at: number; first: string; run: string; reason?: string }> {
  const info = workflowInfo();
  if (from < to) await continueAsNew<typeof counts>(from + 1, to);
  return { at: from, first: info.firstExecutionRunId, run: info.runId, reason: info.continuedFromExecutionRunId };
}

/** Goes on as another type on request, carrying what it collected; signals around the change must not be lost. */
export async function collectsInRuns(got: unknown[], runs: number): Promise<unknown[]> {
  let done = false;
  setHandler(add, (value) => void got.push(value));
  setHandler(values, () => got);
  setHandler(finish, () => void (done = true));
  if (runs > 0) {
    await sleep(50);
    await makeContinueAsNewFunc<typeof collectsInRuns>({ memo: { runs }, workflowRunTimeout: '2 minutes' })(got, runs - 1);
  }
  await condition(() => done);
  return [...got, { memo: workflowInfo().memo }];
}

/** Fails until the attempt after `failures`. */
export async function failsFirst(failures: number): Promise<{ attempt: number; last: string | undefined }> {
  const { attempt, lastFailure } = workflowInfo();
  if (attempt <= failures) throw new ApplicationFailure(`run ${attempt}`, 'Early', false);
  return { attempt, last: lastFailure?.message };
}

/** One run of a cron chain: tells one more than the run before. */
export async function cronStep(failAt: number): Promise<number> {
  const { lastResult, lastFailure } = workflowInfo();
  const count = ((lastResult as number | undefined) ?? 0) + 1;
  if (count === failAt && lastFailure === undefined) throw new ApplicationFailure('cron fails once', 'Once', true);
  return count;
}

export async function suggested(): Promise<{ length: number; suggested: boolean }> {
  await sleep(10);
  const { historyLength, continueAsNewSuggested } = workflowInfo();
  return { length: historyLength, suggested: continueAsNewSuggested };
}
