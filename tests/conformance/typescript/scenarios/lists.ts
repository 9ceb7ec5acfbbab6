// Visibility: the list filter, counts, search attributes, memo; batch operations; deletion.
import assert from 'node:assert/strict';
import { defineSearchAttributeKey, SearchAttributeType, TypedSearchAttributes } from '@temporalio/common';
import { family, kinds, refused, until, type Bench } from '../harness.ts';

const list = family('list');

const keys = {
  keyword: defineSearchAttributeKey('CustomKeywordField', SearchAttributeType.KEYWORD),
  text: defineSearchAttributeKey('CustomTextField', SearchAttributeType.TEXT),
  int: defineSearchAttributeKey('CustomIntField', SearchAttributeType.INT),
  double: defineSearchAttributeKey('CustomDoubleField', SearchAttributeType.DOUBLE),
  bool: defineSearchAttributeKey('CustomBoolField', SearchAttributeType.BOOL),
  time: defineSearchAttributeKey('CustomDatetimeField', SearchAttributeType.DATETIME),
  words: defineSearchAttributeKey('CustomKeywordListField', SearchAttributeType.KEYWORD_LIST),
};
const noon = new Date('2026-01-02T12:00:00.000Z');

/** Five runs that are alike but for their numbers, all with one keyword of their own; ends them afterwards. */
async function withFive(t: Bench, body: (mark: string, ids: string[]) => Promise<void>): Promise<void> {
  const mark = t.id('mark');
  const handles = await Promise.all([0, 1, 2, 3, 4].map((index) => t.start('labelled', [[]], {
    workflowId: `${mark}/${index}`,
    memo: { index },
    typedSearchAttributes: [
      { key: keys.keyword, value: mark }, { key: keys.int, value: index }, { key: keys.double, value: index / 2 },
      { key: keys.bool, value: index % 2 === 0 }, { key: keys.text, value: `call number ${index}` },
      { key: keys.time, value: new Date(noon.getTime() + index * 3_600_000) }, { key: keys.words, value: ['all', `word${index}`] },
    ] as any,
  })));
  try {
    await body(mark, handles.map(({ workflowId }) => workflowId));
  } finally {
    await Promise.all(handles.map((handle) => handle.terminate().catch(() => undefined)));
  }
}

async function ids(t: Bench, query: string): Promise<string[]> {
  const found: string[] = [];
  for await (const info of t.client.workflow.list({ query })) found.push(info.workflowId.split('/').at(-1)!);
  return found.sort();
}

list('filters over every type of attribute (C.13)', async (t) => {
  await withFive(t, async (mark) => {
    const with_ = (rest: string) => `CustomKeywordField = '${mark}' AND ${rest}`;
    await until(() => ids(t, `CustomKeywordField = '${mark}'`), (found) => found.length === 5);
    for (const [rest, expected] of [
      ['CustomIntField > 2', '34'], ['CustomIntField BETWEEN 1 AND 3', '123'], ['CustomIntField IN (0, 4)', '04'],
      ['CustomIntField NOT IN (0, 4)', '123'], ['CustomIntField != 2', '0134'], ['NOT CustomIntField <= 3', '4'],
      ['CustomDoubleField >= 1.5', '34'], ['CustomBoolField = true', '024'], ['CustomBoolField = false', '13'],
      ["CustomTextField = 'number'", '01234'], ["CustomTextField = '3'", '3'],
      ["CustomKeywordListField = 'word2'", '2'], ["CustomKeywordListField IN ('word1', 'word4')", '14'], ["CustomKeywordListField != 'word0'", '1234'],
      ["CustomDatetimeField > '2026-01-02T14:30:00Z'", '34'],
      ["CustomDatetimeField BETWEEN '2026-01-02T11:30:00Z' AND '2026-01-02T13:30:00Z'", '01'],
      ["(CustomIntField = 0 OR CustomIntField = 1) AND CustomBoolField = true", '0'],
      ["WorkflowType = 'labelled' AND ExecutionStatus = 'Running'", '01234'], [`WorkflowId STARTS_WITH '${mark}/'`, '01234'],
      [`WorkflowId = '${mark}/3'`, '3'], [`TaskQueue = '${t.queue}'`, '01234'], ['CloseTime IS NULL', '01234'],
      ['CustomStringField IS NULL', '01234'], ['CustomIntField IS NOT NULL', '01234'], ["StartTime > '2020-01-01T00:00:00Z'", '01234'],
    ] as const)
      assert.deepEqual(await ids(t, with_(rest)), [...expected], rest);
  });
});

list('status, close time and length of closed runs', async (t) => {
  await withFive(t, async (mark) => {
    await t.client.workflow.getHandle(`${mark}/0`).signal('finish');
    await t.client.workflow.getHandle(`${mark}/0`).result();
    await t.client.workflow.getHandle(`${mark}/1`).terminate();
    const status = (name: string) => ids(t, `CustomKeywordField = '${mark}' AND ExecutionStatus = '${name}'`);
    await until(() => status('Completed'), (found) => found.length === 1);
    // Lists follow what was acknowledged, one change after the other.
    await until(() => status('Terminated'), (found) => found.length === 1);
    assert.deepEqual(await status('Terminated'), ['1']);
    assert.deepEqual(await status('Running'), ['2', '3', '4']);
    assert.deepEqual(await ids(t, `CustomKeywordField = '${mark}' AND CloseTime IS NOT NULL AND HistoryLength > 2`), ['0', '1']);
    for await (const info of t.client.workflow.list({ query: `WorkflowId = '${mark}/0'` })) {
      assert.equal(info.status.name, 'COMPLETED');
      assert.ok(info.closeTime! >= info.startTime);
      assert.deepEqual(info.memo, { index: 0 });
      assert.equal(info.typedSearchAttributes.get(keys.int), 0);
      assert.deepEqual(info.typedSearchAttributes.get(keys.time), noon);
      assert.deepEqual(info.typedSearchAttributes.get(keys.words), ['all', 'word0']);
    }
  });
});

list('pages of two, newest first, and counts by status', async (t) => {
  await withFive(t, async (mark) => {
    const query = `CustomKeywordField = '${mark}'`;
    await until(() => ids(t, query), (found) => found.length === 5);
    const times: number[] = [];
    for await (const info of t.client.workflow.list({ query, pageSize: 2 })) times.push(info.startTime.getTime());
    assert.equal(times.length, 5);
    assert.deepEqual(times, [...times].sort((a, b) => b - a));
    assert.equal((await t.client.workflow.count(query)).count, 5);
    await t.client.workflow.getHandle(`${mark}/4`).terminate();
    const groups = await until(() => t.client.workflow.count(`${query} GROUP BY ExecutionStatus`), (told) => told.groups.length === 2);
    assert.deepEqual(Object.fromEntries(groups.groups.map((group) => [String(group.groupValues[0]), group.count])), { Running: 4, Terminated: 1 });
  });
});

list('a bad filter is refused with the place (C.13)', async (t) => {
  const refusedList = async (query: string) => {
    const error = await refused(ids(t, query));
    return `${error.message} ${error.cause?.message ?? ''}`;
  };
  assert.match(await refusedList('Nope = 1'), /column name 'Nope' is not a valid search attribute/);
  assert.match(await refusedList('WorkflowId = '), /malformed SQL query/);
  assert.match(await refusedList("ExecutionStatus = 'running'"), /invalid ExecutionStatus value 'running'/);
  assert.match(await refusedList('WorkflowId = 1 ORDER BY StartTime'), /'order by' clause/);
});

list('attributes that are not there, or of the wrong type, are refused at the start (C7)', async (t) => {
  const start = (searchAttributes: any) => refused(t.start('returns', [1], { searchAttributes }));
  assert.match((await start({ Nope: ['x'] })).cause.message, /no mapping defined for search attribute Nope/);
});

list('a workflow changes its attributes and memo', async (t) => {
  const handle = await t.start('upserts', [
    [{ key: keys.int, value: 7 }, { key: keys.keyword, value: 'upserted' }, { key: keys.bool, value: null }], { added: 'later', kept: null },
  ], { memo: { kept: 'dropped', first: 1 }, typedSearchAttributes: [{ key: keys.bool, value: true }] as any });
  assert.deepEqual(await handle.result(), { added: 'later', first: 1 });
  const told = await handle.describe();
  assert.deepEqual(told.memo, { added: 'later', first: 1 });
  assert.ok(told.typedSearchAttributes instanceof TypedSearchAttributes);
  assert.equal(told.typedSearchAttributes.get(keys.int), 7);
  assert.equal(told.typedSearchAttributes.get(keys.bool), undefined);
  await until(() => ids(t, `WorkflowId = '${handle.workflowId}' AND CustomIntField = 7`), (found) => found.length === 1);
  assert.deepEqual(kinds(await t.events(handle)).filter((kind) => /Upsert|Modified/.test(kind)), [
    'UpsertWorkflowSearchAttributes', 'WorkflowPropertiesModified',
  ]);
});

list('a deleted run is gone', async (t) => {
  await Promise.all(['returns', 'waitsForCancel'].map(async (type) => {
    const handle = await t.start(type, [1]);
    if (type === 'returns') await handle.result();
    await t.service.deleteWorkflowExecution({ namespace: t.namespace, workflowExecution: { workflowId: handle.workflowId } });
    await until(() => handle.describe().then(() => false, () => true), Boolean);
    await until(() => ids(t, `WorkflowId = '${handle.workflowId}'`), (found) => found.length === 0);
  }));
});

// One batch at a time is the server's limit, so a second waits its turn.
const batch = family('batch');

async function runBatch(t: Bench, visibilityQuery: string, operation: Record<string, unknown>) {
  const jobId = t.id('job');
  await until(() => t.service.startBatchOperation({ namespace: t.namespace, jobId, visibilityQuery, reason: 'a reason', ...operation })
    .then(() => true, (error) => {
      if (error.code !== 8) throw error;
      return false;
    }), Boolean, 200);
  const told = await until(() => t.service.describeBatchOperation({ namespace: t.namespace, jobId }), ({ state }) => state === 2 || state === 3);
  assert.equal(told.state, 2);
  return { told, jobId };
}

batch('signals every run of a query', async (t) => {
  await withFive(t, async (mark, all) => {
    const query = `CustomKeywordField = '${mark}' AND ExecutionStatus = 'Running'`;
    await until(() => ids(t, query), (found) => found.length === 5);
    const { told } = await runBatch(t, query, { signalOperation: { signal: 'finish', identity: 'scenario' } });
    assert.deepEqual([Number(told.totalOperationCount), Number(told.completeOperationCount), Number(told.failureOperationCount)], [5, 5, 0]);
    await Promise.all(all.map((id) => t.client.workflow.getHandle(id).result()));
  });
});

batch('terminates, and is listed and described', async (t) => {
  await withFive(t, async (mark) => {
    const query = `CustomKeywordField = '${mark}'`;
    await until(() => ids(t, query), (found) => found.length === 5);
    const { told, jobId } = await runBatch(t, query, { terminationOperation: { identity: 'scenario' } });
    assert.equal(told.reason, 'a reason');
    await until(() => ids(t, `${query} AND ExecutionStatus = 'Terminated'`), (found) => found.length === 5);
    const { operationInfo } = await t.service.listBatchOperations({ namespace: t.namespace });
    assert.ok(operationInfo!.some((info) => info.jobId === jobId));
  });
});

batch('cancels, and deletes', async (t) => {
  const mark = t.id('mark');
  const handle = await t.start('waitsForCancel', [], { typedSearchAttributes: [{ key: keys.keyword, value: mark }] as any });
  const query = `CustomKeywordField = '${mark}'`;
  await until(() => ids(t, query), (found) => found.length === 1);
  await runBatch(t, query, { cancellationOperation: { identity: 'scenario' } });
  await until(() => handle.describe(), (told) => told.status.name === 'CANCELLED');
  await runBatch(t, query, { deletionOperation: { identity: 'scenario' } });
  await until(() => ids(t, query), (found) => found.length === 0);
});

batch('one without a reason, and an unknown one, are refused (C.16)', async (t) => {
  const request = { namespace: t.namespace, jobId: t.id(), visibilityQuery: 'WorkflowId = 1', signalOperation: { signal: 'x' } };
  assert.equal((await refused(t.service.startBatchOperation(request))).code, 3);
  assert.equal((await refused(t.service.describeBatchOperation({ namespace: t.namespace, jobId: 'unknown' }))).code, 5);
});
