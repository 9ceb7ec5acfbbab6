// The server killed with SIGKILL under load, by seed. Nothing acknowledged may be lost.
import assert from 'node:assert/strict';
import { Worker } from '@temporalio/worker';
import { family, makeWorker, type Bench } from '../harness.ts';

const kills = family('kill');
const kSeeds = Number(process.env.CONFORMANCE_KILLS ?? (process.env.CI ? 2 : 20));
const kInFlight = 200;

/** A small generator: the same seed, the same moments (mulberry32's mixing). */
function chance(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Repeats a call that is safe to repeat until the server answers. */
async function again<T>(call: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await call();
    } catch (error: any) {
      const code = error.code ?? error.cause?.code;
      if (![1, 4, 8, 13, 14].includes(code)) throw error;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }
}

async function inFlight(t: Bench, taskQueue: string, index: number): Promise<() => Promise<void>> {
  const options = { taskQueue, workflowTaskTimeout: '5s', workflowIdConflictPolicy: 'USE_EXISTING', workflowId: t.id() } as const;
  const start = (type: string, args: unknown[]) => again(() => t.start(type, args, options));
  if (index % 4 === 0) {
    const handle = await start('localThenTimers', [5]);
    return async () => assert.deepEqual(await again(() => handle.result()), [0, 1, 2, 3, 4]);
  }
  if (index % 4 === 1) {
    const handle = await start('collects', []);
    for (const value of [1, 2]) await again(() => handle.signal('add', value));
    return async () => {
      await again(() => handle.signal('finish'));
      const told = (await again(() => handle.result())) as number[];
      // A signal whose answer was lost is sent again by the client, so it may be there twice, but never not at all.
      assert.deepEqual([...new Set(told)].sort(), [1, 2]);
    };
  }
  const handle = await start(index % 4 === 2 ? 'oneStep' : 'manyActivities', [index % 4 === 2 ? String(index) : 5]);
  return async () => assert.equal(await again(() => handle.result()), index % 4 === 2 ? String(index) : 10);
}

async function killOnce(t: Bench, seed: number): Promise<void> {
  const next = chance(seed);
  const taskQueue = t.id('queue');
  const work = async () => {
    const started = Promise.all(Array.from({ length: kInFlight }, (_, index) => inFlight(t, taskQueue, index)));
    await new Promise((resolve) => setTimeout(resolve, 100 + next() * 2_000));
    await t.server('kill');
    await new Promise((resolve) => setTimeout(resolve, next() * 300));
    await t.server('start');
    for (const ended of await started) await ended();
  };
  const worker: Worker = await makeWorker(t.house, { taskQueue });
  await worker.runUntil(work());
}

for (let seed = 1; seed <= kSeeds; ++seed)
  kills(`200 workflows in flight, all end right, seed ${seed}`, (t) => killOnce(t, seed), { phase: 'last', seconds: 240 });
