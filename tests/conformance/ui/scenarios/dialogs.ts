// What the pages of a run do to it.
import assert from 'node:assert/strict';
import { until } from '../../typescript/harness.ts';
import { family } from '../sight.ts';

const scenario = family('dialog');

async function ends(run: { describe(): Promise<{ status: { name: string } }> }, status: string): Promise<void> {
  await until(() => run.describe(), (told) => told.status.name === status);
}

scenario('cancel', async (t, sight) => {
  const run = await t.start('waitsForCancel');
  await sight.visitRun(run, 'history');
  await sight.button('Request Cancellation').click();
  await sight.button('Confirm', sight.dialog()).click();
  await ends(run, 'CANCELLED');
  await sight.sees('Canceled');
});

scenario('terminate with a reason', async (t, sight) => {
  const run = await t.start('collects');
  await sight.visitRun(run, 'history');
  const dialog = await sight.choose('Terminate');
  await dialog.locator('#workflow-termination-reason').fill('the-reason');
  await sight.button('Terminate', dialog).click();
  await ends(run, 'TERMINATED');
  await sight.sees('Terminated', /the-reason/);
});

scenario('signal', async (t, sight) => {
  const run = await t.start('collects');
  await run.query('values');
  await sight.visitRun(run, 'history');
  const dialog = await sight.choose('Send a Signal');
  await sight.pick('signal-select', 'add');
  await dialog.locator('.cm-content').first().fill('"from-the-page"');
  await sight.button('Submit', dialog).click();
  assert.deepEqual(await until(() => run.query<unknown[]>('values'), (values) => values.length === 1), ['from-the-page']);
  await sight.sees('Workflow Execution Signaled');
});

scenario('update (C.8)', async (t, sight) => {
  const run = await t.start('updatable', [5]);
  await run.query('values');
  await sight.visitRun(run, 'history');
  const dialog = await sight.choose('Send an Update');
  await sight.pick('update-select', 'change');
  await dialog.locator('.cm-content').first().fill('3');
  await sight.button('Submit', dialog).click();
  assert.deepEqual(await until(() => run.query<number[]>('values'), ([value]) => value !== 5), [8]);
  await sight.sees('Workflow Execution Update Completed');
});

scenario('reset (C.11)', async (t, sight) => {
  const run = await t.start('oneStep', ['again']);
  await run.result();
  await sight.visitRun(run, 'history');
  await sight.sees('Workflow Execution Completed');
  await sight.button('Reset').click(); // a closed run has it beside the menu
  await sight.pick('reset-event-id', /^4 - WorkflowTaskCompleted/);
  await sight.button('Confirm', sight.dialog()).click();
  const { runId } = await until(() => t.client.workflow.getHandle(run.workflowId).describe(), (told) => told.runId !== run.firstExecutionRunId);
  await t.client.workflow.getHandle(run.workflowId, runId).result();
});

scenario('a pending activity is paused, unpaused and reset (A8 tier 2)', async (t, sight) => {
  const run = await t.start('runs', ['flaky', [9], { activityId: 'act', startToCloseTimeout: '100s', retry: { initialInterval: '1 hour' } }]);
  const activity = async () => (await run.describe()).raw.pendingActivities![0]!;
  await until(() => run.describe(), ({ raw }) => raw.pendingActivities?.[0]?.attempt === 2);
  await sight.visitRun(run, 'pending-activities');
  await sight.button('Pause').click();
  await sight.button('Pause', sight.dialog()).click();
  await until(activity, ({ paused }) => paused === true);
  await sight.button('Unpause').click();
  await sight.button('Unpause', sight.dialog()).click();
  await until(activity, ({ paused }) => !paused);
  await sight.page.reload();
  await sight.button('Reset').click();
  await sight.button('Reset', sight.dialog()).click();
  await sight.sees('flaky');
});

scenario('a run like this one is started', async (t, sight) => {
  const run = await t.start('returns', ['the-input']);
  await run.result();
  await sight.visitRun(run, 'history');
  await sight.choose('Start Workflow Like This One');
  const workflowId = t.id();
  await sight.page.getByLabel('Workflow ID').fill(workflowId);
  await sight.sees(/the-input/);
  await sight.button('Start Workflow').click();
  await until(() => t.client.workflow.getHandle(workflowId).describe().then(({ type }) => type, () => ''), (type) => type === 'returns');
  assert.equal(await t.client.workflow.getHandle(workflowId).result(), 'the-input');
});
