// People's own data: taken away, erased; and for the admin rules, holds and receipts.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Browser } from './browser.mjs';
import { Server } from './server.mjs';

const ADMIN = { name: 'Amara Osei', email: 'amara@example.org', password: 'a quiet river at dawn' };
const SAM = { name: 'Sam Reyes', email: 'sam@example.org', password: 'seven lanterns by the sea' };

const server = new Server();
let browser;
let key;
let sam;

before(async () => {
  await server.start();
  browser = await Browser.open(server.url);
  const token = server.setupLink().split('#').at(-1);
  const login = await call('POST', '/api/v1/setup', {
    token,
    organisation: 'Lighthouse',
    display_name: ADMIN.name,
    email: ADMIN.email,
    password: ADMIN.password,
  });
  key = login.access_token;
  const { name, ...rest } = SAM;
  sam = await call('POST', '/api/v1/people', { ...rest, display_name: name, role: 'candidate' }, key);
});

after(async () => {
  await browser?.close();
  await server.remove();
});

async function call(method, path, body, token) {
  const headers = { 'Content-Type': 'application/json' };
  if (token) headers.Authorization = `Bearer ${token}`;
  const response = await fetch(server.url + path, { method, headers, body: body && JSON.stringify(body) });
  assert.ok(response.ok, `${path}: ${response.status}`);
  return response.json();
}

async function signedIn({ email, password }, next) {
  const page = await browser.person();
  await page.goto(`${server.url}/signin?next=${next}`);
  await page.getByLabel('E-mail').fill(email);
  await page.getByLabel('Password', { exact: true }).fill(password);
  await page.getByRole('button', { name: 'Sign in', exact: true }).click();
  return page;
}

test('an admin sets rules and holds what must stay', async () => {
  const page = await signedIn(ADMIN, '/privacy');
  await page.getByText('Nothing is held.').waitFor();
  await browser.look(page, 'privacy-empty');
  await page.getByLabel('Practices').fill('1x');
  await page.getByRole('button', { name: 'Save rules' }).click();
  await page.getByText('A whole number of days, or nothing.').waitFor();
  await page.getByLabel('Practices').fill('365');
  await page.getByRole('button', { name: 'Save rules' }).click();
  await page.getByText('The rules hold from now on.').first().waitFor();
  await page.getByRole('button', { name: 'Hold a person’s data' }).click();
  await page.getByLabel('E-mail address of the person').fill(SAM.email);
  await page.getByLabel('Why').fill('Case 7');
  await page.getByRole('dialog').getByRole('button', { name: 'Hold a person’s data' }).click();
  await page.getByText('Case 7').waitFor();
  await browser.look(page, 'privacy');
});

test('somebody who is not held takes their data and goes', async () => {
  const page = await signedIn(SAM, '/data');
  const [download] = await Promise.all([
    page.waitForEvent('download'),
    page.getByRole('link', { name: 'Download my data' }).click(),
  ]);
  assert.match(download.suggestedFilename(), /^greenroom-.*\.zip$/);
  await browser.look(page, 'data');
  await page.getByRole('button', { name: 'Erase my account' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByRole('button', { name: 'Erase everything' }).click();
  await dialog.getByText(`Type ${SAM.email}, exactly.`).waitFor();
  await dialog.getByLabel(`Type ${SAM.email} to go on`).fill(SAM.email);
  await dialog.getByRole('button', { name: 'Erase everything' }).click();
  await dialog.getByText('a legal hold keeps').waitFor();
  await browser.look(page, 'data-held');

  const holds = await call('GET', '/api/v1/admin/holds', undefined, key);
  await fetch(`${server.url}/api/v1/admin/holds/${holds.items[0].id}`, {
    method: 'DELETE',
    headers: { Authorization: `Bearer ${key}` },
  });
  await dialog.getByRole('button', { name: 'Erase everything' }).click();
  await page.getByText('Everything about you is erased').waitFor();
  await browser.look(page, 'data-erased');
  await page.getByRole('button', { name: 'Leave' }).click();
  await page.getByRole('button', { name: 'Sign in', exact: true }).waitFor();
  const people = await call('GET', '/api/v1/people', undefined, key);
  assert.ok(!people.items.some((person) => person.id === sam.id));
});
