// What stands between a scenario and the server: Temporal's UI server, and a browser.
import { spawn } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import { join } from 'node:path';
import { chromium, type Browser } from 'playwright-core';

const kStartMs = 30_000;

async function freePort(): Promise<number> {
  return await new Promise((resolve, reject) => {
    const listener = net.createServer().on('error', reject);
    listener.listen(0, '127.0.0.1', () => {
      const { port } = listener.address() as net.AddressInfo;
      listener.close(() => resolve(port));
    });
  });
}

async function answers(url: string): Promise<boolean> {
  return await fetch(url).then((response) => response.ok, () => false);
}

/** Starts the UI server over the suite's server, and Chromium. `base` is the UI's address. */
export async function openDoors(): Promise<{ browser: Browser; base: string; close: () => Promise<void> }> {
  const port = await freePort();
  const base = `http://127.0.0.1:${port}`;
  const root = process.env.CONFORMANCE_SCRATCH!;
  mkdirSync(join(root, 'config'), { recursive: true });
  const config = {
    temporalGrpcAddress: process.env.CONFORMANCE_ADDRESS, host: '127.0.0.1', port, enableUi: true, defaultNamespace: 'default',
    hideLogs: true, cors: { cookieInsecure: true, allowOrigins: [base] },
  };
  writeFileSync(join(root, 'config', 'conformance.yaml'), JSON.stringify(config)); // JSON is YAML
  const words = ['--root', root, '--config', 'config', '--env', 'conformance', 'start'];
  const server = spawn('ui-server', words, { stdio: ['ignore', 'ignore', 'inherit'] });
  for (const began = Date.now(); !(await answers(`${base}/api/v1/settings`)); ) {
    if (server.exitCode !== null || Date.now() - began > kStartMs) throw new Error(`the UI server did not start: ${server.exitCode}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  // Without a sandbox: it needs privileges that a container does not give; the pages are our own.
  const browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args: ['--no-sandbox', '--disable-gpu'] });
  return {
    browser, base,
    close: async () => {
      await browser.close();
      server.kill();
    },
  };
}
