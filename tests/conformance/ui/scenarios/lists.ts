// Lists, and the pages of a namespace.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { until } from '../../typescript/harness.ts';
import { family } from '../sight.ts';

const scenario = family('page');

scenario('the front page leads to the runs of the default namespace', async (t, sight) => {
  const run = await t.start('collects');
  await until(() => t.client.workflow.count(`WorkflowId="${run.workflowId}"`), ({ count }) => count === 1);
  await sight.visit('/');
  await sight.page.waitForURL('**/namespaces/default/workflows');
  await sight.sees(run.workflowId, 'Running');
});

scenario('runs by a filter, with counts of their status (C.13)', async (t, sight) => {
  const mark = t.id('mark');
  const options = { searchAttributes: { CustomKeywordField: [mark] } };
  const open = await t.start('collects', [], options);
  const closed = await t.start('returns', [1], options);
  await closed.result();
  const mine = `CustomKeywordField="${mark}"`;
  await until(() => t.client.workflow.count(`${mine} AND ExecutionStatus="Completed"`), ({ count }) => count === 1);
  await until(() => t.client.workflow.count(mine), ({ count }) => count === 2);
  await sight.visit(`workflows?query=${encodeURIComponent(mine)}`);
  await sight.sees(open.workflowId, closed.workflowId, '1 Running', '1 Completed');
  await sight.visit(`workflows?query=${encodeURIComponent(`${mine} AND ExecutionStatus="Running"`)}`);
  await sight.sees(open.workflowId);
  await sight.page.getByText(closed.workflowId).waitFor({ state: 'detached' });
});

scenario('namespaces, and the page of one with its settings and attributes', async (_, sight) => {
  await sight.visit('/namespaces');
  await sight.sees('default');
  await sight.visit('/namespaces/default');
  await sight.sees('Retention Period', 'Temporal Server Version', '1.29.1', 'CustomKeywordField', 'CustomDatetimeField', 'ExecutionStatus');
});

scenario('a task queue with its pollers', async (t, sight) => {
  await (await t.start('collects')).query('values');
  await sight.visit(`task-queues/${t.queue}`);
  await sight.sees(t.queue, new RegExp(`${process.pid}@`));
});

scenario('worker deployments, archive and Nexus are empty', async (_, sight) => {
  await sight.visit('worker-deployments');
  await sight.sees('No Worker Deployments');
  await sight.visit('archival');
  await sight.sees('This namespace is currently not enabled for archival.');
  await sight.visit('/nexus');
  await sight.sees(/nexus/i);
});

scenario('an exported history is imported', async (t, sight) => {
  const run = await t.start('oneStep', ['x']);
  await run.result();
  const response = await sight.page.request.get(new URL(`/api/v1/namespaces/default/workflows/${run.workflowId}/history`, sight.base).href);
  const file = join(process.env.CONFORMANCE_SCRATCH!, 'history.json');
  writeFileSync(file, JSON.stringify((await response.json()).history));
  await sight.visit('/import/events');
  await sight.page.locator('input[type=file]').setInputFiles(file);
  await sight.button('Import').click();
  await sight.sees('Workflow Execution Started', 'Timer Fired', 'Workflow Execution Completed');
});

scenario('a run is started by the form', async (t, sight) => {
  const workflowId = t.id();
  await sight.visit('workflows/start-workflow');
  await sight.page.getByLabel('Workflow ID').fill(workflowId);
  await sight.page.getByLabel('Task Queue').fill(t.queue);
  await sight.page.getByLabel('Workflow Type').fill('collects');
  await sight.button('Start Workflow').click();
  await until(() => t.client.workflow.getHandle(workflowId).describe().then(({ type }) => type, () => ''), (type) => type === 'collects');
});

scenario('batch operations: the list, and one of them (C.16)', async (t, sight) => {
  const jobId = t.id('job');
  const run = await t.start('collects');
  await until(() => t.client.workflow.count(`WorkflowId="${run.workflowId}"`), ({ count }) => count === 1);
  await t.service.startBatchOperation({
    namespace: t.namespace, jobId, reason: 'the-reason', visibilityQuery: `WorkflowId="${run.workflowId}"`, terminationOperation: { identity: 'me' },
  });
  const done = () => t.service.describeBatchOperation({ namespace: t.namespace, jobId });
  await until(done, ({ completeOperationCount }) => Number(completeOperationCount) === 1);
  await sight.visit('batch-operations');
  await sight.sees(jobId);
  await sight.visit(`batch-operations/${jobId}`);
  await sight.sees('the-reason', /terminate/i, 'Completed');
});

scenario('runs are chosen in the list and terminated as a batch (C.16)', async (t, sight) => {
  const mark = t.id('mark');
  const runs = [];
  for (let index = 0; index < 2; ++index) runs.push(await t.start('collects', [], { searchAttributes: { CustomKeywordField: [mark] } }));
  const mine = `CustomKeywordField="${mark}"`;
  await until(() => t.client.workflow.count(mine), ({ count }) => count === 2);
  await until(() => t.service.listBatchOperations({ namespace: t.namespace }), ({ operationInfo }) => operationInfo!.every(({ state }) => state !== 1));
  await sight.visit(`workflows?query=${encodeURIComponent(mine)}`);
  await sight.sees(runs[0].workflowId);
  await sight.page.getByLabel('Select all Workflows').first().check({ force: true });
  await sight.button('Terminate').click();
  await sight.dialog().getByLabel('Reason').fill('the-reason');
  await sight.button('Terminate', sight.dialog()).click();
  for (const run of runs) await until(() => run.describe(), ({ status }) => status.name === 'TERMINATED');
});
