// What is in flight when a server is killed.
import { condition, proxyActivities, proxyLocalActivities, setHandler, sleep } from '@temporalio/workflow';
import type * as activities from '../activities.ts';
import { add, finish } from './basics.ts';

const options = { startToCloseTimeout: '5s', retry: { initialInterval: '100ms' } } as const;

/** Adds up 0 + 1 + ..., by activities beside signals (0), activities (1) or local activities (2). */
export async function survives(kind: number, rounds: number): Promise<{ sum: number; got: unknown[] }> {
  const { echo } = kind === 2 ? proxyLocalActivities<typeof activities>(options) : proxyActivities<typeof activities>(options);
  const got: unknown[] = [];
  setHandler(add, (value) => void got.push(value));
  let released = false; // so that all are in flight at the kill
  setHandler(finish, () => void (released = true));
  let sum = 0;
  for (let round = 0; round < rounds; ++round) {
    sum += await echo(round);
    await sleep(100);
  }
  if (kind === 0) await condition(() => new Set(got).size === 2);
  await condition(() => released);
  return { sum, got };
}
