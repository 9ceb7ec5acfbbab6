// A worker alone in a process, for scenarios that kill one and for suites of other languages: node worker_process.ts BUNDLE QUEUE.
// Compiles the workflows into BUNDLE where that is not there. Tells `ready` on standard output.
import { existsSync, writeFileSync } from 'node:fs';
import { NativeConnection, Worker } from '@temporalio/worker';
import * as activities from './activities.ts';
import { bundle, quiet } from './harness.ts';

const [bundlePath, taskQueue] = process.argv.slice(2) as [string, string];
quiet();
if (!existsSync(bundlePath)) writeFileSync(bundlePath, (await bundle()).code);
const worker = await Worker.create({
  connection: await NativeConnection.connect({ address: process.env.CONFORMANCE_ADDRESS! }), namespace: process.env.CONFORMANCE_NAMESPACE!,
  taskQueue, activities, workflowBundle: { codePath: bundlePath }, workflowThreadPoolSize: 1,
  maxHeartbeatThrottleInterval: '200ms', defaultHeartbeatThrottleInterval: '200ms',
});
const running = worker.run();
process.stdout.write('ready\n');
await running;
