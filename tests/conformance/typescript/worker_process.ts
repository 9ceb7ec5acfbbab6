// A worker alone in a process, for scenarios that kill one: node worker_process.ts BUNDLE QUEUE. Tells `ready` on standard output.
import { NativeConnection, Runtime, DefaultLogger, Worker } from '@temporalio/worker';
import * as activities from './activities.ts';

const [bundlePath, taskQueue] = process.argv.slice(2) as [string, string];
Runtime.install({ logger: new DefaultLogger('ERROR'), telemetryOptions: { logging: { filter: 'ERROR', forward: {} } } });
const worker = await Worker.create({
  connection: await NativeConnection.connect({ address: process.env.CONFORMANCE_ADDRESS! }), namespace: process.env.CONFORMANCE_NAMESPACE!,
  taskQueue, activities, workflowBundle: { codePath: bundlePath }, workflowThreadPoolSize: 1,
  maxHeartbeatThrottleInterval: '200ms', defaultHeartbeatThrottleInterval: '200ms',
});
const running = worker.run();
process.stdout.write('ready\n');
await running;
