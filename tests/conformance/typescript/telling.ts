// How one scenario is run and told: a JSON line on standard output, by tests/conformance/README.md.

export interface Told { suite: string; name: string; seconds: number; oracle: string }

/** Runs `body` within the scenario's time and tells its end; true if it passed. */
export async function tell({ suite, name, seconds, oracle }: Told, body: () => Promise<void>): Promise<boolean> {
  const began = Date.now();
  let clock: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    clock = setTimeout(() => reject(new Error(`no end after ${seconds} s`)), seconds * 1000);
  });
  const error = await Promise.race([body(), late]).then(() => undefined, (thrown) => thrown ?? new Error('thrown'));
  clearTimeout(clock);
  const told = { suite, name, status: error ? 'failed' : 'passed', ms: Date.now() - began, reason: reason(error), oracle };
  process.stdout.write(`${JSON.stringify(told)}\n`);
  if (error) console.error(`${name}:`, error);
  return !error;
}

function reason(error: any): string {
  if (!error) return '';
  const causes: string[] = [];
  for (let at = error; at && causes.length < 4; at = at.cause) causes.push(`${at.name ?? 'Error'}: ${at.message}`);
  return causes.join(' <- ').replace(/\s+/g, ' ').slice(0, 600);
}
