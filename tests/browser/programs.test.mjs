// Tokens of programs on the account page, service accounts, and the audit log that tells of them.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Browser } from './browser.mjs';
import { Server } from './server.mjs';

const PERSON = { name: 'Amara Osei', email: 'amara@example.org', password: 'a quiet river at dawn' };

const server = new Server();
let browser;
let page;

before(async () => {
  await server.start();
  browser = await Browser.open(server.url);
  const token = server.setupLink().split('#').at(-1);
  const response = await fetch(`${server.url}/api/v1/setup`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({
      token,
      organisation: 'Lighthouse',
      display_name: PERSON.name,
      email: PERSON.email,
      password: PERSON.password,
    }),
  });
  assert.equal(response.status, 201);
  page = await browser.person();
  await page.goto(`${server.url}/signin?next=/account`);
  await page.getByLabel('E-mail').fill(PERSON.email);
  await page.getByLabel('Password', { exact: true }).fill(PERSON.password);
  await page.getByRole('button', { name: 'Sign in', exact: true }).click();
});

after(async () => {
  await browser?.close();
  await server.remove();
});

const status = async (token, path = '/api/v1/me', method = 'GET') => {
  const headers = { Authorization: `Bearer ${token}`, 'Content-Type': 'application/json' };
  return (await fetch(server.url + path, { method, headers })).status;
};

test('an own token is made, shown once, and taken back', async () => {
  await page.getByRole('heading', { name: 'Tokens of programs' }).waitFor();
  await page.getByRole('button', { name: 'Make a token' }).click();
  await page.getByText('Fill this in.').first().waitFor();
  await page.getByLabel('What it is for').fill('Nightly report');
  await page.getByRole('button', { name: 'Make a token' }).click();
  const token = await page.getByLabel('Token', { exact: true }).inputValue();
  assert.match(token, /^grt_/);
  assert.equal(await status(token), 200);
  assert.equal(await status(token, '/api/v1/me', 'PATCH'), 403, 'it may only read');
  await browser.look(page, 'tokens');
  // The note is written after the request, and told to whoever looks.
  const used = page.getByText(/last used \d+ \w+ \d+/);
  for (let looks = 0; looks < 50 && !(await used.isVisible()); looks += 1) {
    await page.reload();
    await page.getByText('Nightly report').waitFor();
  }
  await used.waitFor();
  await browser.look(page, 'tokens-used');
  const back = page.getByRole('button', { name: 'Take back the token for Nightly report' });
  await back.click();
  await back.waitFor({ state: 'detached' });
  assert.equal(await status(token), 401);
});

test('a service account gets its token from an admin', async () => {
  await page.goto(`${server.url}/people`);
  await page.getByRole('button', { name: 'Add person', exact: true }).first().click();
  const dialog = page.getByRole('dialog');
  await dialog.getByLabel('Name').fill('Applicant system');
  await dialog.getByLabel('E-mail').fill('applicants@example.org');
  await dialog.getByLabel('Role').selectOption({ label: 'Service account' });
  await dialog.getByRole('button', { name: /^Add/ }).click();
  await dialog.getByRole('heading', { name: 'Tokens of Applicant system' }).waitFor();
  await dialog.getByLabel('What it is for').fill('Applicants');
  await dialog.getByLabel('It may only read').uncheck();
  await dialog.getByRole('button', { name: 'Make a token' }).click();
  const token = await dialog.getByLabel('Token', { exact: true }).inputValue();
  await browser.look(page, 'service-token');
  await page.keyboard.press('Escape');
  assert.equal(await status(token), 200);
  assert.equal(await status(token, '/api/v1/people'), 403);
  await page.getByRole('button', { name: 'Tokens of Applicant system' }).waitFor();
});

test('the audit log tells who did what and can be narrowed', async () => {
  await page.goto(`${server.url}/audit`);
  const rows = page.locator('[data-seq]');
  await rows.first().waitFor();
  await page.getByRole('cell', { name: 'Token remove' }).waitFor();
  await browser.look(page, 'audit');
  const all = await rows.count();
  await page.getByLabel('Only').selectOption({ label: 'Person add' });
  await page.waitForFunction((all) => document.querySelectorAll('[data-seq]').length < all, all);
  assert.match(await rows.first().textContent(), /Person add.*Amara Osei.*Applicant system/s);
});
