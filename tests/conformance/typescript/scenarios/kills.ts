// The server killed with SIGKILL under load, by seed. Nothing acknowledged may be lost.
import assert from 'node:assert/strict';
import type { WorkflowHandle } from '@temporalio/client';
import type { Worker } from '@temporalio/worker';
import { family, makeWorker, type Bench } from '../harness.ts';

const kills = family('kill');
const kSeeds = Number(process.env.CONFORMANCE_KILLS);
const kInFlight = 200;
const kRounds = 3;
const kStarting = 20; // more, whose start is under way at the kill

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

interface Flight { started: Promise<WorkflowHandle>; ended: Promise<void> }

/** Starts one workflow and follows it to its end, over whatever happens to the server between. */
function fly(t: Bench, taskQueue: string, index: number): Flight {
  const options = { taskQueue, workflowTaskTimeout: '5s', workflowIdConflictPolicy: 'USE_EXISTING', workflowId: t.id() } as const;
  const started = again(() => t.start('survives', [index % 3, kRounds], options));
  const follow = async () => {
    const handle = await started;
    if (index % 3 === 0) for (const value of [1, 2]) await again(() => handle.signal('add', value));
    const { sum, got } = (await again(() => handle.result())) as { sum: number; got: number[] };
    assert.equal(sum, (kRounds * (kRounds - 1)) / 2);
    // A signal whose answer was lost is sent again, so it may be there twice, but never not at all.
    assert.deepEqual([...new Set(got)].sort(), index % 3 === 0 ? [1, 2] : []);
  };
  return { started, ended: follow() };
}

async function killOnce(t: Bench, seed: number): Promise<void> {
  const next = chance(seed);
  const taskQueue = t.id('queue');
  const worker: Worker = await makeWorker(t.house, { taskQueue });
  await worker.runUntil(async () => {
    const flights = Array.from({ length: kInFlight }, (_, index) => fly(t, taskQueue, index));
    await Promise.all(flights.map(({ started }) => started));
    await new Promise((resolve) => setTimeout(resolve, next() * 1_500));
    flights.push(...Array.from({ length: kStarting }, (_, index) => fly(t, taskQueue, index)));
    await new Promise((resolve) => setTimeout(resolve, next() * 30));
    await t.server('kill');
    await new Promise((resolve) => setTimeout(resolve, next() * 300));
    await t.server('start');
    await Promise.all(flights.map(async ({ started }) => {
      const handle = await started;
      await again(() => handle.signal('finish'));
    }));
    await Promise.all(flights.map(({ ended }) => ended));
  });
}

for (let seed = 1; seed <= kSeeds; ++seed)
  kills(`200 workflows in flight, all end right, seed ${seed}`, (t) => killOnce(t, seed), { phase: 'last', seconds: 600 });
