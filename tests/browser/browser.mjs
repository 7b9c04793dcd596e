// A real headless Chromium that tells of every request to elsewhere and every breach of the content
// policy.
import assert from 'node:assert/strict';
import { mkdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { chromium } from 'playwright-core';

const SHOTS = new URL('./shots/', import.meta.url).pathname;
const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const FLAGS = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];
const DESKTOP = { width: 1280, height: 900 };
const PHONE = { width: 390, height: 844 };
// The narrowest screen that must do without scrolling sideways (WCAG 2.2, 1.4.10).
const NARROW = { width: 320, height: 640 };

export class Browser {
  // `flags` and `env` are for a browser that trusts or finds what others do not.
  static async open(origin, { flags = [], env = {} } = {}) {
    mkdirSync(SHOTS, { recursive: true });
    const browser = new Browser();
    browser.origin = origin;
    browser.trouble = [];
    browser.chromium = await chromium.launch({
      executablePath: process.env.CHROMIUM_BIN ?? '/usr/bin/chromium',
      args: [...FLAGS, ...flags],
      env: { ...process.env, ...env },
    });
    return browser;
  }

  // A fresh person: no cookies, no storage.
  async person() {
    // Without motion no picture and no contrast is taken in the middle of a change of colours.
    const context = await this.chromium.newContext({
      viewport: DESKTOP,
      locale: 'en-GB',
      timezoneId: 'UTC',
      reducedMotion: 'reduce',
    });
    context.setDefaultTimeout(15_000);
    await context.addInitScript(() => {
      window.__breaches = [];
      document.addEventListener('securitypolicyviolation', (event) => {
        window.__breaches.push(
          `${event.violatedDirective} ${event.blockedURI} ${event.sourceFile}`,
        );
      });
    });
    const page = await context.newPage();
    page.on('request', (request) => {
      const url = new URL(request.url());
      const own = url.host === new URL(this.origin).host;
      if (!own && !['data:', 'blob:', 'about:'].includes(url.protocol)) {
        this.trouble.push(`request to ${url.href}`);
      }
    });
    page.on('pageerror', (error) =>
      this.trouble.push(`error on the page: ${error.stack ?? error}`),
    );
    page.on('console', (message) => {
      if (/Content Security Policy/i.test(message.text())) this.trouble.push(message.text());
    });
    return page;
  }

  // Looks at a page in light, dark and on a phone: pictures, accessibility, no sideways scrolling.
  async look(page, name) {
    await page.evaluate(() => window.scrollTo(0, 0));
    // A dialog covers the window, not the page behind it.
    const fullPage = (await page.locator('dialog[open]').count()) === 0;
    for (const colorScheme of ['light', 'dark']) {
      await page.emulateMedia({ colorScheme });
      await page.screenshot({ path: join(SHOTS, `${name}-${colorScheme}.png`), fullPage });
      await this.accessible(page, `${name}, ${colorScheme}`);
    }
    await page.emulateMedia({ colorScheme: 'light' });
    await page.setViewportSize(PHONE);
    await page.screenshot({ path: join(SHOTS, `${name}-phone.png`), fullPage });
    await page.setViewportSize(NARROW);
    const widths = await page.evaluate(() => ({
      page: document.documentElement.scrollWidth,
      window: window.innerWidth,
      wide: [...document.querySelectorAll('body *')]
        .filter((element) => element.getBoundingClientRect().right > window.innerWidth + 1)
        .map((element) => `${element.tagName}.${element.className?.baseVal ?? element.className}`)
        .slice(0, 5),
    }));
    assert.ok(widths.page <= widths.window, `${name} scrolls sideways: ${JSON.stringify(widths)}`);
    await page.setViewportSize(DESKTOP);
    const breaches = await page.evaluate(() => window.__breaches);
    assert.deepEqual(breaches, [], `${name} breaks the content policy`);
    assert.deepEqual(this.trouble, [], `${name}: faults on the page or requests to elsewhere`);
  }

  async accessible(page, name) {
    await page.evaluate(AXE);
    const found = await page.evaluate(async () => {
      const { violations } = await window.axe.run(document, {
        runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'],
      });
      return violations
        .filter(({ impact }) => impact === 'serious' || impact === 'critical')
        .map(
          ({ id, nodes }) => `${id}: ${nodes.map((node) => node.html.slice(0, 160)).join(' | ')}`,
        );
    });
    assert.deepEqual(found, [], `${name}: serious accessibility faults`);
  }

  async close() {
    await this.chromium.close();
  }
}
