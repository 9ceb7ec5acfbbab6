// The pages of one run.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { until } from '../../typescript/harness.ts';
import { family } from '../sight.ts';

const scenario = family('run');
const kRetryLater = { activityId: 'act', startToCloseTimeout: '100s', retry: { initialInterval: '1 hour' } };

scenario('a closed one shows its input, result and events', async (t, sight) => {
  const run = await t.start('oneStep', ['the-result']);
  await run.result();
  await sight.visit(`workflows/${run.workflowId}`); // finds the run by the id alone
  await sight.sees('Completed', run.firstExecutionRunId, 'oneStep', t.queue, '"the-result"', 'Workflow Execution Completed', 'Timer Fired', 'Activity Task Completed');
});

scenario('its history in all views, followed while it grows', async (t, sight) => {
  const run = await t.start('collects');
  await until(() => run.query('values'), Array.isArray); // its first task is done
  await sight.visitRun(run, 'history');
  await sight.sees('Workflow Execution Started', 'Running');
  await run.signal('add', 'the-signal');
  await sight.sees('Workflow Execution Signaled');
  await sight.button('Compact').click();
  await sight.sees('Signal received');
  await sight.button('JSON').click();
  await sight.sees(/"eventId": "1"/);
  await sight.button('All').click();
  await sight.button('Descending').click();
  await run.signal('finish');
  await sight.sees('Completed', 'Workflow Execution Completed', '["the-signal"]');
});

scenario('one event has a page of its own', async (t, sight) => {
  const run = await t.start('returns', [1]);
  await run.result();
  await sight.visitRun(run, 'history/events/5');
  await sight.sees('Workflow Execution Completed');
});

scenario('a failed one shows its failure', async (t, sight) => {
  const run = await t.start('fails', ['the-message', 'TheType', true]);
  await run.result().catch(() => undefined);
  await sight.visitRun(run, 'history');
  await sight.sees('Failed', 'the-message', 'TheType');
});

scenario('its history is downloaded as JSON', async (t, sight) => {
  const run = await t.start('returns', [1]);
  await run.result();
  await sight.visitRun(run, 'history');
  await sight.button('Download').click();
  const [download] = await Promise.all([sight.page.waitForEvent('download'), sight.button('Download', sight.dialog()).click()]);
  const { events } = JSON.parse(readFileSync((await download.path())!, 'utf8'));
  assert.equal(events.length, 5);
  assert.equal(events[4].eventType, 'EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED');
});

scenario('pending activities with attempt and last failure', async (t, sight) => {
  const run = await t.start('runs', ['flaky', [9], kRetryLater]);
  await until(() => run.describe(), ({ raw }) => (raw.pendingActivities?.[0]?.attempt ?? 0) === 2);
  await sight.visitRun(run, 'pending-activities');
  await sight.sees('flaky', '2 of Unlimited', 'Next Retry', /attempt 1/);
});

scenario('the workers of its queue (A8)', async (t, sight) => {
  const run = await t.start('collects');
  await run.query('values');
  await sight.visitRun(run, 'workers');
  await sight.sees(`Task Queue: ${t.queue}`, new RegExp(`${process.pid}@`));
});

scenario('its parent and children (C.12)', async (t, sight) => {
  const child = t.id('child');
  const run = await t.start('runsChild', ['waitsForCancel', [], { workflowId: child }]);
  const { raw } = await until(() => run.describe(), ({ raw }) => Boolean(raw.pendingChildren?.[0]?.runId));
  await until(() => t.client.workflow.count(`WorkflowId="${child}"`), ({ count }) => count === 1);
  await sight.visitRun(run, 'relationships');
  await sight.sees(child, 'waitsForCancel');
  await sight.visitRun({ workflowId: child, firstExecutionRunId: raw.pendingChildren![0].runId! }, 'relationships');
  await sight.sees(run.workflowId, 'runsChild');
});

scenario('its call stack', async (t, sight) => {
  const run = await t.start('collects');
  await sight.visitRun(run, 'call-stack');
  await sight.sees(/at collects/);
});

scenario('a query is asked and answered', async (t, sight) => {
  const run = await t.start('collects');
  await run.signal('add', 'the-value');
  await sight.visitRun(run, 'query');
  await sight.pick('query-select', 'values');
  await sight.button('Run Query').click();
  await sight.sees(/the-value/);
});

scenario('its attributes, memo and metadata', async (t, sight) => {
  const run = await t.start('collects', [], {
    memo: { theMemo: 'kept' }, searchAttributes: { CustomKeywordField: ['the-keyword'] }, staticSummary: 'the-summary', staticDetails: 'the-details',
  });
  await run.query('values');
  await sight.visitRun(run, 'search-attributes');
  await sight.sees(/CustomKeywordField/, /the-keyword/);
  await sight.visitRun(run, 'memo');
  await sight.sees(/theMemo/);
  await sight.visitRun(run, 'user-metadata');
  await sight.sees('Events with Metadata');
  for (const text of ['the-summary', 'the-details']) { // in frames, as they may be Markdown
    await until(async () => {
      const texts = await Promise.all(sight.page.frames().map((frame) => frame.locator('body').innerText().catch(() => '')));
      return texts.join(' ');
    }, (shown) => shown.includes(text));
  }
  await sight.visitRun(run, 'nexus-links');
  await sight.sees('No Nexus Links found.');
});
