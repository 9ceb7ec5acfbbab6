// Activities of the kitchen-sink workflow (../kitchen_sink.md). `held` ends when the driver says so: see `slots`.
import { Context, activityInfo, heartbeat } from '@temporalio/activity';
import { ApplicationFailure } from '@temporalio/common';

export interface Slot { started: boolean; release: () => void; released: Promise<void> }

const slots = new Map<string, Slot>();

/** What the driver and the activity know of each other, by label. */
export function slot(label: string): Slot {
  let found = slots.get(label);
  if (!found) {
    let release = () => {};
    const released = new Promise<void>((resolve) => (release = resolve));
    slots.set(label, (found = { started: false, release, released }));
  }
  return found;
}

function failsUntil(attempt: number): void {
  if (activityInfo().attempt < attempt) throw new Error(`attempt ${activityInfo().attempt}`);
}

export async function once(): Promise<string> {
  return 'once';
}

export async function flaky(): Promise<string> {
  failsUntil(3);
  return 'done';
}

export async function broken(): Promise<void> {
  throw ApplicationFailure.create({ message: 'broken', type: 'Broken', nonRetryable: true });
}

/** Ends once released: as cancelled, when its label says that it will be, else with its label. */
export async function held(label: string): Promise<string> {
  slot(label).started = true;
  const beats = setInterval(() => heartbeat(), 100);
  try {
    await slot(label).released;
    if (label !== 'abandon') await Context.current().cancelled;
    return label;
  } finally {
    clearInterval(beats);
  }
}

export async function quick(): Promise<string> {
  return 'quick';
}

export async function moody(): Promise<string> {
  failsUntil(3);
  return 'well';
}

export async function sleepy(): Promise<string> {
  failsUntil(2);
  return 'awake';
}
