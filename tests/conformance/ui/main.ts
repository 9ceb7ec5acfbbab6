// Runs the scenarios one after another in one browser, and prints a JSON line for each. Environment: tests/conformance/README.md.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { openDoors } from './house.ts';
import { Bench, bundle, makeWorker, openHouse, quiet } from '../typescript/harness.ts';
import { tell } from '../typescript/telling.ts';
import { Sight, scenarios } from './sight.ts';
import './scenarios/dialogs.ts';
import './scenarios/lists.ts';
import './scenarios/runs.ts';
import './scenarios/schedules.ts';

const kScenarioSeconds = 60;

async function main(): Promise<number> {
  const chosen = scenarios.filter(({ name }) => name.includes(process.env.CONFORMANCE_ONLY ?? ''));
  if (chosen.length === 0) return 0;
  quiet();
  const bundlePath = join(process.env.CONFORMANCE_SCRATCH!, 'bundle.js');
  writeFileSync(bundlePath, (await bundle()).code);
  const house = await openHouse(bundlePath);
  const worker = await makeWorker(house, { taskQueue: house.queue });
  const { browser, base, close } = await openDoors();
  let good = true;
  try {
    await worker.runUntil(async () => {
      for (const { name, body } of chosen) {
        const sight = await Sight.open(browser, base);
        const passed = await tell({ suite: 'ui', name, seconds: kScenarioSeconds, oracle: '' }, async () => {
          await body(new Bench(house, name), sight);
          await sight.finish();
        });
        good = passed && good;
        await sight.close(passed ? undefined : join(process.env.CONFORMANCE_SCRATCH!, `${name.replace(/\W+/g, '-')}.png`));
      }
    });
  } finally {
    await close();
  }
  return good ? 0 : 1;
}

// What a failed scenario left behind must not end the others: its own end was told.
for (const what of ['unhandledRejection', 'uncaughtException']) process.on(what, (error) => console.error(`${what}:`, error));
main().then((code) => process.exit(code), (error) => {
  console.error(error);
  process.exit(2);
});
