// Reset, with what is re-applied.
import assert from 'node:assert/strict';
import { TerminatedFailure } from '@temporalio/common';
import { randomUUID } from 'node:crypto';
import type { WorkflowHandle } from '@temporalio/client';
import { family, kinds, refused, until, type Bench } from '../harness.ts';

const reset = family('reset');

/** Resets to just before the end of the `ordinal`-th completed workflow task; gives a handle of the new run. */
async function resetTo(t: Bench, handle: WorkflowHandle, ordinal: number, rest: Record<string, unknown> = {}) {
  const completed = (await t.events(handle)).filter((event) => event.workflowTaskCompletedEventAttributes)[ordinal]!;
  const { runId } = await t.service.resetWorkflowExecution({
    namespace: t.namespace, workflowExecution: { workflowId: handle.workflowId, runId: (await handle.describe()).runId },
    reason: 'scenario', workflowTaskFinishEventId: completed.eventId, requestId: randomUUID(), ...rest,
  });
  return t.client.workflow.getHandle(handle.workflowId, runId!);
}

async function collecting(t: Bench) {
  const handle = await t.start('collects');
  await handle.query('values');
  for (const value of [1, 2, 3]) {
    await handle.signal('add', value);
    await handle.query('values');
  }
  return handle;
}

reset('of an open run: the new run gets the later signals again (E14)', async (t) => {
  const handle = await collecting(t);
  const again = await resetTo(t, handle, 0);
  assert.deepEqual(await again.query('values'), [1, 2, 3]);
  const old = t.client.workflow.getHandle(handle.workflowId, handle.firstExecutionRunId, { followRuns: false });
  assert.ok((await refused(old.result())).cause instanceof TerminatedFailure);
  const failed = (await t.events(again)).find((event) => event.workflowTaskFailedEventAttributes)!.workflowTaskFailedEventAttributes!;
  assert.equal(failed.baseRunId, handle.firstExecutionRunId);
  await again.signal('finish');
  assert.deepEqual(await again.result(), [1, 2, 3]);
});

reset('of a closed run', async (t) => {
  const handle = await collecting(t);
  await handle.signal('finish');
  await handle.result();
  const again = await resetTo(t, handle, 1);
  assert.deepEqual(await again.result(), [1, 2, 3]);
});

reset('with signals left out', async (t) => {
  const handle = await collecting(t);
  const again = await resetTo(t, handle, 0, { resetReapplyExcludeTypes: [1] });
  assert.deepEqual(await again.query('values'), []);
  await again.terminate();
});

reset('updates are applied again (B19)', async (t) => {
  const handle = await t.start('updatable', [10]);
  await handle.query('values');
  assert.equal(await handle.executeUpdate('change', { args: [5] as [number] }), 15);
  const again = await resetTo(t, handle, 0);
  assert.deepEqual(await until(() => again.query('values'), (values) => (values as number[])[0] === 15), [15]);
  assert.ok(kinds(await t.events(again)).includes('WorkflowExecutionUpdateAdmitted'));
  await again.terminate();
});

reset('an activity of the kept part runs again', async (t) => {
  const handle = await t.start('oneStep', ['x']);
  await handle.result();
  const again = await resetTo(t, handle, 1);
  assert.equal(await again.result(), 'x');
  const events = kinds(await t.events(again));
  assert.ok(events.includes('WorkflowTaskFailed') && events.at(-1) === 'WorkflowExecutionCompleted');
});

reset('the same request is the same run; a wrong event is refused (C.11)', async (t) => {
  const handle = await collecting(t);
  const requestId = randomUUID();
  const base = { namespace: t.namespace, workflowExecution: { workflowId: handle.workflowId, runId: handle.firstExecutionRunId }, reason: 'x' };
  const at = (await t.events(handle)).find((event) => event.workflowTaskCompletedEventAttributes)!.eventId;
  const first = await t.service.resetWorkflowExecution({ ...base, workflowTaskFinishEventId: at, requestId });
  const second = await t.service.resetWorkflowExecution({ ...base, workflowTaskFinishEventId: at, requestId });
  assert.equal(first.runId, second.runId);
  const beyond = t.service.resetWorkflowExecution({ ...base, workflowTaskFinishEventId: 5000 as any, requestId: randomUUID() });
  assert.equal((await refused(beyond)).code, 3);
  await t.client.workflow.getHandle(handle.workflowId).terminate();
});
