// Updates, attributes, memo, patches.
import {
  allHandlersFinished, condition, defineQuery, defineSignal, defineUpdate, deprecatePatch, patched, proxyActivities, setHandler, sleep,
  upsertMemo, upsertSearchAttributes, workflowInfo, type SearchAttributeUpdatePair,
} from '@temporalio/workflow';
import { ApplicationFailure } from '@temporalio/common';
import type * as activities from '../activities.ts';
import { add, finish, values } from './basics.ts';

const { echo } = proxyActivities<typeof activities>({ startToCloseTimeout: '20s' });

export const change = defineUpdate<number, [number]>('change');
export const viaActivity = defineUpdate<string, [string]>('viaActivity');
export const waits = defineUpdate<string, [string]>('waits');
export const throws = defineUpdate<void, []>('throws');
export const release = defineSignal('release');

/** A number that updates change; `waits` completes after `release`, in another task than it was accepted in. */
export async function updatable(start: number): Promise<number> {
  let value = start;
  let released = false;
  let done = false;
  setHandler(change, (by) => (value += by), {
    validator(by) {
      if (by < 0) throw new ApplicationFailure('not below zero', 'Negative', true);
    },
  });
  setHandler(viaActivity, async (text) => await echo(text));
  setHandler(waits, async (text) => {
    await condition(() => released);
    return `released ${text}`;
  });
  setHandler(throws, () => {
    throw new ApplicationFailure('the handler failed', 'Handler', true, ['detail']);
  });
  setHandler(release, () => void (released = true));
  setHandler(values, () => [value]);
  setHandler(finish, () => void (done = true));
  await condition(() => done);
  return value;
}

/** Completes only when every handler has. */
export async function updatableToTheEnd(): Promise<string[]> {
  const told: string[] = [];
  setHandler(waits, async (text) => {
    await sleep(300);
    told.push(text);
    return text;
  });
  await condition(() => told.length > 0);
  await condition(allHandlersFinished);
  return told;
}

/** Signals and updates in the order in which they were delivered. */
export async function ordered(count: number): Promise<string[]> {
  const told: string[] = [];
  setHandler(add, (value) => void told.push(`signal ${value}`));
  setHandler(viaActivity, (text) => {
    told.push(`update ${text}`);
    return text;
  });
  await condition(() => told.length >= count);
  return told;
}

export async function upserts(attributes: SearchAttributeUpdatePair[], memo: Record<string, unknown>): Promise<unknown> {
  upsertSearchAttributes(attributes);
  upsertMemo(memo);
  await sleep(10);
  return workflowInfo().memo;
}

/** Like `upserts`, then waits to be ended, so that lists show it running. */
export async function labelled(attributes: SearchAttributeUpdatePair[]): Promise<void> {
  if (attributes.length > 0) upsertSearchAttributes(attributes);
  let done = false;
  setHandler(finish, () => void (done = true));
  await condition(() => done);
}

export const path = defineQuery<string>('path');

/** Which release of the code this is. A worker of another release runs the same bundle with this text replaced. */
const code: string = 'release one';

/** Release two patches its step in, release three drops the old one, release wrong changes commands without a patch. */
export async function released(): Promise<string> {
  let step = 'one';
  let done = false;
  if (code === 'release two' && patched('second')) step = 'two';
  if (code === 'release three') {
    deprecatePatch('second');
    step = 'two';
  }
  setHandler(path, () => step);
  setHandler(finish, () => void (done = true));
  if (code === 'release wrong') await sleep(10);
  else await echo(step);
  await condition(() => done);
  return step;
}
