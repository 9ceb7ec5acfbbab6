// What a scenario is, and what it is given. Scenarios register themselves by family; main.ts runs them.
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import net from 'node:net';
import { fileURLToPath } from 'node:url';
import { Client, Connection, type WorkflowHandle, type WorkflowStartOptions } from '@temporalio/client';
import type { DataConverter } from '@temporalio/common';
import protos, { type temporal as api } from '@temporalio/proto';
import { DefaultLogger, NativeConnection, Runtime, Worker, bundleWorkflowCode, type BundleOptions, type WorkerOptions } from '@temporalio/worker';
import * as activities from './activities.ts';

export type Event = api.api.history.v1.IHistoryEvent;

/** together: with all others at once; alone: after them, one at a time; last: kills the server or moves its clock. */
export type Phase = 'together' | 'alone' | 'last';
export interface Options { phase?: Phase; seconds?: number; oracle?: string }
export interface Scenario { name: string; body: (t: Bench) => Promise<void>; phase: Phase; seconds: number; oracle: string }

export const scenarios: Scenario[] = [];
const kSeconds = 180; // for one scenario, on a machine that does other things

export function family(prefix: string) {
  return (name: string, body: (t: Bench) => Promise<void>, options: Options = {}) =>
    void scenarios.push({
      name: `${prefix}/${name}`, body, phase: options.phase ?? 'together', seconds: options.seconds ?? kSeconds, oracle: options.oracle ?? '',
    });
}

/** What all scenarios share: connections, and the compiled workflows. */
export interface House {
  address: string;
  namespace: string;
  connection: Connection;
  native: NativeConnection;
  bundlePath: string;
  queue: string;
  mark: string;
}

export async function openHouse(bundlePath: string): Promise<House> {
  const address = process.env.CONFORMANCE_ADDRESS!;
  const mark = randomBytes(3).toString('hex');
  return {
    address, mark, bundlePath, queue: `shared-${mark}`, namespace: process.env.CONFORMANCE_NAMESPACE!,
    connection: await Connection.connect({ address }), native: await NativeConnection.connect({ address }),
  };
}

/** The SDK's own words are told only where something is wrong. Before the first connection. */
export function quiet(): void {
  Runtime.install({ logger: new DefaultLogger('ERROR'), telemetryOptions: { logging: { filter: 'ERROR', forward: {} } } });
}

/** Compiles the suite's workflows. */
export async function bundle(options: Partial<BundleOptions> = {}): Promise<{ code: string }> {
  const workflowsPath = fileURLToPath(new URL('workflows/all.ts', import.meta.url));
  return await bundleWorkflowCode({ workflowsPath, logger: new DefaultLogger('ERROR'), ...options });
}

/** A worker on `queue` over all workflows and activities of the suite. */
export async function makeWorker(house: House, options: Partial<WorkerOptions> & { taskQueue: string }): Promise<Worker> {
  return await Worker.create({
    connection: house.native, namespace: house.namespace, activities, workflowBundle: { codePath: house.bundlePath },
    shutdownGraceTime: '2s', shutdownForceTime: '10s', workflowThreadPoolSize: 1,
    maxHeartbeatThrottleInterval: '200ms', defaultHeartbeatThrottleInterval: '200ms', ...options,
  });
}

/** One scenario's hands: a client, ids of its own, the shared queue. */
export class Bench {
  readonly house: House;
  readonly client: Client;
  readonly queue: string;
  readonly #name: string;
  #serial = 0;

  constructor(house: House, name: string) {
    this.house = house;
    this.client = new Client({ connection: house.connection, namespace: house.namespace });
    this.queue = house.queue;
    this.#name = `${name.replace(/[^a-z0-9]+/gi, '-')}-${house.mark}`;
  }

  get service() {
    return this.client.workflowService;
  }

  get operator() {
    return this.house.connection.operatorService;
  }

  get namespace() {
    return this.house.namespace;
  }

  /** A name nobody else uses: for workflow ids, queues, schedules. */
  id(suffix = ''): string {
    this.#serial += 1;
    return `${this.#name}-${this.#serial}${suffix ? `-${suffix}` : ''}`;
  }

  start(type: string, args: unknown[] = [], options: Partial<WorkflowStartOptions> = {}) {
    return this.client.workflow.start(type, { taskQueue: this.queue, workflowId: this.id(), args: args as any, ...options });
  }

  async execute(type: string, args: unknown[] = [], options: Partial<WorkflowStartOptions> = {}): Promise<any> {
    return await (await this.start(type, args, options)).result();
  }

  /** Runs `body` while a worker of its own polls `options.taskQueue`; gives the body's result once the worker is shut down. */
  async withWorker<T>(options: Partial<WorkerOptions> & { taskQueue: string }, body: () => Promise<T>): Promise<T> {
    const worker = await makeWorker(this.house, options);
    return await worker.runUntil(body());
  }

  /** The compiled workflows, with the release that they say they are replaced. */
  release(name: 'one' | 'two' | 'three' | 'wrong') {
    return { code: readFileSync(this.house.bundlePath, 'utf8').replaceAll('release one', `release ${name}`) };
  }

  clientWith(dataConverter: DataConverter): Client {
    return new Client({ connection: this.house.connection, namespace: this.namespace, dataConverter });
  }

  /** A client that tries each call once. */
  async impatient<T>(body: (client: Client) => Promise<T>): Promise<T> {
    const connection = await Connection.connect({ address: this.house.address, interceptors: [] });
    try {
      return await body(new Client({ connection, namespace: this.namespace }));
    } finally {
      await connection.close();
    }
  }

  async events(handle: WorkflowHandle): Promise<Event[]> {
    return (await handle.fetchHistory()).events ?? [];
  }

  /** Asks the control port of the runner; gives what its answer tells besides `ok`. */
  async server(verb: 'kill' | 'start' | 'restart' | 'time-skipping'): Promise<string> {
    const [host, port] = process.env.CONFORMANCE_RESTART!.split(':');
    const answer = await new Promise<string>((resolve, reject) => {
      const socket = net.connect(Number(port), host, () => socket.write(`${verb}\n`));
      let text = '';
      socket.on('data', (data) => (text += data)).on('end', () => resolve(text.trim())).on('error', reject);
    });
    if (!/^ok\b/.test(answer)) throw new Error(`the control port says: ${answer}`);
    return answer.slice('ok '.length);
  }
}

/** Temporal's messages. */
export const { temporal } = protos;
export const EventType = temporal.api.enums.v1.EventType;

/** The names of the events, without the long prefix: what a history reads like. */
export function kinds(events: Event[]): string[] {
  return events.map((event) => camel(EventType[event.eventType!]));
}

function camel(name: string): string {
  return name.replace(/^EVENT_TYPE_/, '').toLowerCase().replace(/(^|_)([a-z])/g, (_, __, letter) => letter.toUpperCase());
}

/** Asks until `met` holds for what `ask` tells: for what the server does in its own time. Ends by the scenario's clock. */
export async function until<T>(ask: () => Promise<T>, met: (value: T) => boolean, everyMs = 50): Promise<T> {
  for (;;) {
    const value = await ask();
    if (met(value)) return value;
    await new Promise((resolve) => setTimeout(resolve, everyMs));
  }
}

/** The error that `promise` ends with; it is a failure of the scenario when it ends well. */
export async function refused(promise: Promise<unknown>): Promise<any> {
  const told = await promise.then((value) => ({ value }), (error) => ({ error }));
  if ('error' in told) return told.error;
  throw new Error(`expected a refusal, came ${JSON.stringify(told.value)}`);
}

/** Registers a namespace of the scenario's own, and waits until the server knows it. */
export async function makeNamespace(t: Bench): Promise<string> {
  const name = t.id('space');
  await t.service.registerNamespace({ namespace: name, workflowExecutionRetentionPeriod: { seconds: 86_400 as any } });
  await until(() => t.service.describeNamespace({ namespace: name }).then(() => true, () => false), Boolean, 100);
  // The real server's caches learn of a namespace within a second or two.
  await until(() => t.service.countWorkflowExecutions({ namespace: name }).then(() => true, () => false), Boolean, 100);
  return name;
}
