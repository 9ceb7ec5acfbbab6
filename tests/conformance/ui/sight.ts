// What a scenario sees: a page of the Web UI, and all that went wrong in it.
import type { Browser, Locator, Page, Request } from 'playwright-core';
import type { Bench } from '../typescript/harness.ts';

export interface Scenario { name: string; body: (t: Bench, sight: Sight) => Promise<void> }
export const scenarios: Scenario[] = [];

export function family(prefix: string) {
  return (name: string, body: Scenario['body']) => void scenarios.push({ name: `${prefix}/${name}`, body });
}

const kStepMs = 15_000; // for a text to appear or a button to be ready
const kComplaint = /\b(error|failed|unable|unknown method|not implemented)\b/i;

/** A request that stays open while nothing happens: the run's page waiting for its next event. */
const isLongPoll = (request: Request) => request.url().includes('waitNewEvent=true');

export class Sight {
  readonly page: Page;
  readonly base: string;
  readonly #wrong: string[] = [];
  readonly #open = new Set<Request>();

  private constructor(page: Page, base: string) {
    this.page = page;
    this.base = base;
    page.setDefaultTimeout(kStepMs);
    page.on('request', (request) => {
      if (request.isNavigationRequest() && request.frame() === page.mainFrame()) this.#open.clear(); // what the page that is left asked is nobody's
      this.#open.add(request);
    });
    page.on('requestfinished', (request) => void this.#open.delete(request));
    page.on('requestfailed', (request) => {
      this.#open.delete(request);
      const why = request.failure()?.errorText ?? '';
      if (!why.includes('ERR_ABORTED')) this.#wrong.push(`${request.method()} ${this.#short(request)}: ${why}`); // aborted: the page was left
    });
    page.on('response', (response) => {
      if (response.status() >= 400) this.#wrong.push(`${response.status()} to ${response.request().method()} ${this.#short(response.request())}`);
    });
    page.on('pageerror', (error) => void this.#wrong.push(`the page's code failed: ${error.message ?? error}`));
    page.on('console', (message) => {
      if (message.type() === 'error') this.#wrong.push(`the console says: ${message.text()}`);
    });
  }

  static async open(browser: Browser, base: string): Promise<Sight> {
    return new Sight(await browser.newPage({ viewport: { width: 1500, height: 1200 }, acceptDownloads: true }), base);
  }

  #short(request: Request): string {
    return decodeURIComponent(request.url().replace(this.base, '')).slice(0, 200);
  }

  /** Goes to a page of the namespace, or to one from the root where the path begins with a slash. */
  async visit(path: string): Promise<void> {
    await this.page.goto(this.base + (path.startsWith('/') ? path : `/namespaces/default/${path}`));
  }

  /** The page of a run: `tab` is history, pending-activities, workers, ... */
  async visitRun(run: { workflowId: string; firstExecutionRunId?: string }, tab: string): Promise<void> {
    await this.visit(`workflows/${encodeURIComponent(run.workflowId)}/${run.firstExecutionRunId}/${tab}`);
    await this.page.getByRole('tab', { name: 'History' }).waitFor();
    await this.settled(); // what comes late draws the page anew, and takes open menus with it
  }

  /** Waits until each of the texts is to be seen. */
  async sees(...texts: (string | RegExp)[]): Promise<void> {
    for (const text of texts) await this.page.getByText(text).filter({ visible: true }).first().waitFor();
  }

  button(name: string | RegExp, within: Page | Locator = this.page): Locator {
    return within.getByRole('button', { name, exact: typeof name === 'string' }).filter({ visible: true }).last();
  }

  /** Chooses an option of the list with the given id, which stands in a button. */
  async pick(id: string, option: string | RegExp): Promise<void> {
    await this.page.locator('button', { has: this.page.locator(`#${id}`) }).filter({ visible: true }).first().click();
    await this.page.getByRole('option', { name: option }).filter({ visible: true }).first().click();
  }

  dialog(): Locator {
    return this.page.locator('dialog[open]');
  }

  /** Opens an entry of the run's menu. */
  async choose(entry: string): Promise<Locator> {
    await this.button('More Actions').click();
    await this.page.getByRole('menuitem', { name: entry, exact: true }).click();
    return this.dialog();
  }

  /** Whatever the page asked for has been answered. */
  async settled(): Promise<void> {
    const asked = () => [...this.#open].filter((request) => !isLongPoll(request));
    for (const deadline = Date.now() + kStepMs; asked().length > 0; ) {
      if (Date.now() > deadline) throw new Error(`still asked: ${asked().map((request) => this.#short(request)).join(', ')}`);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  /** Settled, and nothing was wrong since the page was opened. */
  async finish(): Promise<void> {
    await this.settled();
    for (const toast of await this.page.getByRole('log').allInnerTexts()) {
      if (kComplaint.test(toast)) this.#wrong.push(`a toast says: ${toast}`);
    }
    if (this.#wrong.length > 0) throw new Error([...new Set(this.#wrong)].join('; '));
  }

  /** `picture`: where to keep what was to be seen. */
  async close(picture?: string): Promise<void> {
    if (picture) {
      await this.page.screenshot({ path: picture }).catch(() => undefined);
      console.error(`${picture}: ${(await this.page.locator('body').innerText().catch(() => '')).replace(/\s+/g, ' ').slice(0, 1500)}; ${this.#wrong.join('; ')}`);
    }
    await this.page.close();
  }
}
