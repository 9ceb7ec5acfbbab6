// Runs the scenarios and prints a JSON line for each. Environment: tests/conformance/README.md.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Bench, bundle, makeWorker, openHouse, quiet, scenarios, type House, type Phase, type Scenario } from './harness.ts';
import { tell } from './telling.ts';
import './scenarios/activities.ts';
import './scenarios/basics.ts';
import './scenarios/families.ts';
import './scenarios/histories.ts';
import './scenarios/kills.ts';
import './scenarios/kitchen.ts';
import './scenarios/lists.ts';
import './scenarios/namespaces.ts';
import './scenarios/resets.ts';
import './scenarios/schedules.ts';
import './scenarios/updates.ts';
import './scenarios/workers.ts';

const kTogether = 16; // scenarios at once: they mostly wait

async function runPhase(house: House, chosen: Scenario[], phase: Phase, atOnce: number): Promise<boolean> {
  const queue = chosen.filter((scenario) => scenario.phase === phase);
  let good = true;
  const lane = async () => {
    for (let next = queue.shift(); next; next = queue.shift()) {
      const { name, body, seconds, oracle } = next;
      const passed = await tell({ suite: 'typescript', name, seconds, oracle }, () => body(new Bench(house, name)));
      good = passed && good;
    }
  };
  await Promise.all(Array.from({ length: atOnce }, lane));
  return good;
}

async function main(): Promise<number> {
  const only = process.env.CONFORMANCE_ONLY ?? '';
  const chosen = scenarios.filter(({ name }) => name.includes(only));
  if (chosen.length === 0) return 0;
  quiet();
  const { code } = await bundle();
  const bundlePath = join(process.env.CONFORMANCE_SCRATCH!, 'bundle.js');
  writeFileSync(bundlePath, code);
  const house = await openHouse(bundlePath);
  const worker = await makeWorker(house, { taskQueue: house.queue, workflowThreadPoolSize: 2 });
  let good = await worker.runUntil(async () => {
    const together = await runPhase(house, chosen, 'together', kTogether);
    return (await runPhase(house, chosen, 'alone', 1)) && together;
  });
  good = (await runPhase(house, chosen, 'last', 1)) && good;
  return good ? 0 : 1;
}

// What a failed scenario left behind must not end the others: its own end was told.
for (const what of ['unhandledRejection', 'uncaughtException']) process.on(what, (error) => console.error(`${what}:`, error));
main().then((code) => process.exit(code), (error) => {
  console.error(error);
  process.exit(2);
});
