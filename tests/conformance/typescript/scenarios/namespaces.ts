// Several namespaces; system calls; health.
import assert from 'node:assert/strict';
import { Client, Connection, NamespaceNotFoundError } from '@temporalio/client';
import { family, makeNamespace, refused, temporal, until } from '../harness.ts';

const namespace = family('namespace');

namespace('a new one is registered, described, used, and knows nothing of another', async (t) => {
  const name = await makeNamespace(t);
  const client = new Client({ connection: t.house.connection, namespace: name });
  const workflowId = t.id();
  const here = await t.start('waitsForCancel', [], { workflowId });
  await t.withWorker({ taskQueue: t.queue, namespace: name }, async () => {
    const there = await client.workflow.start('oneStep', { workflowId, taskQueue: t.queue, args: ['there'] as any });
    assert.equal(await there.result(), 'there');
    assert.equal((await here.describe()).status.name, 'RUNNING');
    assert.equal((await t.client.workflow.count(`WorkflowId = '${workflowId}'`)).count, 1);
    await until(() => client.workflow.count(`WorkflowId = '${workflowId}'`), ({ count }) => count === 1);
    const schedules = [];
    for await (const row of client.schedule.list()) schedules.push(row);
    assert.equal(schedules.length, 0);
  });
  await here.terminate();
});

namespace('its retention is changed; it is listed', async (t) => {
  const name = await makeNamespace(t);
  const seconds = 48 * 3600;
  await t.service.updateNamespace({ namespace: name, config: { workflowExecutionRetentionTtl: { seconds: seconds as any } } });
  const told = await t.service.describeNamespace({ namespace: name });
  assert.equal(Number(told.config!.workflowExecutionRetentionTtl!.seconds), seconds);
  assert.equal(told.namespaceInfo!.state, 1);
  const all = await t.service.listNamespaces({ pageSize: 100 });
  assert.ok(all.namespaces!.some(({ namespaceInfo }) => namespaceInfo!.name === name));
});

namespace('a duplicate, a retention too short and an unknown name are refused (C.16)', async (t) => {
  const name = await makeNamespace(t);
  assert.equal((await refused(t.service.registerNamespace({ namespace: name, workflowExecutionRetentionPeriod: { seconds: 86400 as any } }))).code, 6);
  assert.equal((await refused(t.service.registerNamespace({ namespace: t.id(), workflowExecutionRetentionPeriod: { seconds: 60 as any } }))).code, 3);
  const client = new Client({ connection: t.house.connection, namespace: t.id() });
  const error = await refused(client.workflow.start('returns', { workflowId: t.id(), taskQueue: t.queue, args: [1] as any }));
  assert.ok(error instanceof NamespaceNotFoundError, String(error));
});

namespace('its own search attributes', async (t) => {
  const name = await makeNamespace(t);
  const attribute = 'OnlyHere';
  await t.operator.addSearchAttributes({ namespace: name, searchAttributes: { [attribute]: 2 } });
  await until(() => t.operator.listSearchAttributes({ namespace: name }), ({ customAttributes }) => customAttributes?.[attribute] === 2);
  const client = new Client({ connection: t.house.connection, namespace: name });
  const start = () => client.workflow.start('returns', {
    workflowId: t.id(), taskQueue: t.queue, args: [1] as any, searchAttributes: { [attribute]: ['value'] },
  });
  await until(() => start().then(() => true, () => false), Boolean, 200);
  await until(() => client.workflow.count(`${attribute} = 'value'`), ({ count }) => count === 1);
  const elsewhere = await refused(t.start('returns', [1], { searchAttributes: { [attribute]: ['value'] } }));
  assert.match(elsewhere.cause.message, /OnlyHere/);
});

namespace('a deleted one is not found', async (t) => {
  const name = await makeNamespace(t);
  await t.operator.deleteNamespace({ namespace: name });
  await until(() => t.service.describeNamespace({ namespace: name }).then(() => 0, ({ code }) => code), (code) => code === 5);
});

const system = family('system');

system('info, cluster and health are told (A1, A3, A7)', async (t) => {
  const info = await t.service.getSystemInfo({});
  assert.match(info.serverVersion!, /^1\.29\./);
  for (const flag of ['signalAndQueryHeader', 'internalErrorDifferentiation', 'encodedFailureAttributes', 'upsertMemo', 'sdkMetadata', 'supportsSchedules'] as const)
    assert.equal(info.capabilities![flag], true, flag);
  const cluster = await t.service.getClusterInfo({});
  assert.equal(cluster.clusterName, 'active');
  const health = await t.house.connection.healthService.check({ service: 'temporal.api.workflowservice.v1.WorkflowService' });
  assert.equal(health.status, 1);
});

system('an unknown method is told in the words clients look for (A2)', async (t) => {
  const error = await refused(t.service.updateWorkerConfig({ namespace: t.namespace }));
  assert.ok([3, 12].includes(error.code), String(error));
  assert.ok(error.details.length > 0);
});

const time = family('time skipping');

time('an hour passes at once (C.14)', async (t) => {
  const rpc = (method: string) => `/temporal.api.testservice.v1.TestService/${method.replace(/^./, (letter) => letter.toUpperCase())}`;
  const connection = await Connection.connect({ address: await t.server('time-skipping') });
  const client = (connection as any).client;
  const service = temporal.api.testservice.v1.TestService.create((method, data, done) => {
    client.makeUnaryRequest(rpc(method.name), (request: any) => request, (reply: any) => reply, data, done);
  }, false, false);
  const before = await service.getCurrentTime({});
  await service.unlockTimeSkippingWithSleep({ duration: { seconds: 3600 as any } });
  const after = await service.getCurrentTime({});
  assert.ok(Number(after.time!.seconds) - Number(before.time!.seconds) >= 3600);
  await connection.close();
}, { oracle: 'C.14: server 1.29.1 has no TestService' });
