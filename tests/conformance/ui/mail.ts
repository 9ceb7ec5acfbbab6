// Mails as Chromium shows them, for the mail suite: usage: node mail.ts FOLDER. Each .html of the folder is opened in light and
// in dark, as wide as a screen and as narrow as a phone. Nothing may be fetched, nothing may stick out, all text must be
// readable (WCAG 2.2, 1.4.3: 4.5 to 1).
import { readdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { chromium } from 'playwright-core';

const kContrastLeast = 4.5;

/** In the page: what is hard to read or too wide, as sentences. */
function look(least: number): string[] {
  type Colour = [number, number, number];
  const parse = (text: string): [Colour, number] => {
    const numbers = (text.match(/[\d.]+/g) ?? []).map(Number);
    return [[numbers[0] ?? 0, numbers[1] ?? 0, numbers[2] ?? 0], numbers[3] ?? 1];
  };
  const luminance = (colour: Colour): number => {
    const [r, g, b] = colour.map((value) => {
      const part = value / 255;
      return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * r! + 0.7152 * g! + 0.0722 * b!;
  };
  const behind = (element: Element | null): Colour => {
    for (let at = element; at; at = at.parentElement) {
      const [colour, alpha] = parse(getComputedStyle(at).backgroundColor);
      if (alpha > 0.99) return colour;
    }
    return [255, 255, 255];
  };
  const wrong: string[] = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    const element = node.parentElement!;
    if (!node.textContent!.trim() || getComputedStyle(element).display === 'none' || element.offsetParent === null) continue;
    const front = luminance(parse(getComputedStyle(element).color)[0]), back = luminance(behind(element));
    const contrast = (Math.max(front, back) + 0.05) / (Math.min(front, back) + 0.05);
    if (contrast < least) wrong.push(`contrast ${contrast.toFixed(1)}: ${node.textContent!.trim().slice(0, 60)}`);
  }
  if (document.documentElement.scrollWidth > document.documentElement.clientWidth) wrong.push('it sticks out of the window');
  if (!document.querySelector('h1')?.textContent?.trim()) wrong.push('no first line');
  return wrong;
}

const folder = resolve(process.argv[2]!);
const browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args: ['--no-sandbox', '--disable-gpu'] });
const complaints: string[] = [];
let opened = 0;
for (const colorScheme of ['light', 'dark'] as const) {
  for (const width of [1000, 320]) {
    const context = await browser.newContext({ colorScheme, viewport: { width, height: 800 } });
    const page = await context.newPage();
    let name = '';
    page.on('request', (request) => {
      if (request.url() !== pathToFileURL(join(folder, name)).href) complaints.push(`${name}: fetches ${request.url()}`);
    });
    for (name of readdirSync(folder).filter((file) => file.endsWith('.html'))) {
      await page.goto(pathToFileURL(join(folder, name)).href);
      for (const wrong of await page.evaluate(look, kContrastLeast)) complaints.push(`${name} (${colorScheme}, ${width}): ${wrong}`);
      ++opened;
    }
    await context.close();
  }
}
await browser.close();
if (opened === 0) complaints.push('there was nothing to open');
console.log(complaints.length > 0 ? complaints.slice(0, 10).join('\n') : `${opened} views`);
process.exit(complaints.length > 0 ? 1 : 0);
