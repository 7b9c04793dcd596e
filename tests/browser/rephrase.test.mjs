// A follow-up in a language model's words: marked, beside the question, and never in the way of it.
// A small server of our own stands for the model.
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { after, before, test } from 'node:test';
import { Browser } from './browser.mjs';
import { Server } from './server.mjs';

const PERSON = { name: 'Amara Osei', email: 'amara@example.org', password: 'a quiet river at dawn' };
const ANSWER =
  'Our returns desk lost two parcels in ten. I mapped every step with the night shift, and then I ' +
  'removed the second scan and taught nine colleagues at the desk the new order before the summer began.';
const THEIRS = 'You “removed the second scan”. What was different afterwards, and who could tell?';

let written = THEIRS;
let asked = 0;
const model = createServer((request, response) => {
  request.resume().on('end', () => {
    asked += 1;
    const content = JSON.stringify({ texts: [written] });
    const body = { choices: [{ message: { role: 'assistant', content } }] };
    response.writeHead(200, { 'Content-Type': 'application/json' }).end(JSON.stringify(body));
  });
});

let server;
let browser;
let page;

before(async () => {
  await new Promise((ready) => model.listen(0, '127.0.0.1', ready));
  server = new Server({
    GREENROOM_CHAT_URL: `http://127.0.0.1:${model.address().port}/v1`,
    GREENROOM_CHAT_MODEL: 'tiny',
    GREENROOM_CHAT_REPHRASE: 'true',
  });
  await server.start();
  browser = await Browser.open(server.url);
});

after(async () => {
  await browser?.close();
  await server?.remove();
  model.close();
});

const button = (name) => page.getByRole('button', { name, exact: true });

async function call(method, path, body, token) {
  const headers = { 'Content-Type': 'application/json' };
  if (token) headers.Authorization = `Bearer ${token}`;
  const response = await fetch(server.url + path, { method, headers, body: JSON.stringify(body) });
  assert.ok(response.ok, `${path}: ${response.status}`);
  return response.json();
}

// A practice whose one question is answered.
async function answered(key) {
  const questions = ['Tell me about a process that you improved.'];
  const practice = await call('POST', '/api/v1/interviews', { kind: 'practice', questions }, key);
  const path = `/api/v1/interviews/${practice.id}`;
  await call('POST', `${path}/start`, {}, key);
  const { question_id } = practice.questions[0];
  await call('POST', `${path}/answers`, { question_id, text: ANSWER }, key);
  return practice;
}

test('a follow-up comes in other words too, and only if they hold', async () => {
  const token = server.setupLink().split('#').at(-1);
  const login = await call('POST', '/api/v1/setup', {
    token,
    organisation: 'Lighthouse',
    display_name: PERSON.name,
    email: PERSON.email,
    password: PERSON.password,
  });
  const key = login.access_token;
  const practice = await answered(key);
  page = await browser.person();
  await page.goto(`${server.url}/signin?next=/rooms/${practice.id}`);
  await page.getByLabel('E-mail').fill(PERSON.email);
  await page.getByLabel('Password', { exact: true }).fill(PERSON.password);
  await button('Sign in').click();
  await button('Next question').click();

  const words = page.locator('[data-hint-place] [data-source="model"]');
  await words.waitFor();
  const told = await words.textContent();
  assert.ok(told.includes(THEIRS) && told.includes('language model (tiny)'), told);
  const ours = await page.locator('h2.question').textContent();
  assert.ok(ours.startsWith('You said “') && !ours.includes(THEIRS), ours);
  await browser.look(page, 'rephrased');
  const before = await button('Submit answer').boundingBox();
  await button('Dismiss').click();
  await words.waitFor({ state: 'detached' });
  assert.equal((await button('Submit answer').boundingBox()).y, before.y, 'it moved the buttons');

  // A figure that nobody gave: the page shows our own words alone.
  written = 'Did it save 40 parcels a day? And who could tell?';
  const other = await answered(key);
  await page.goto(`${server.url}/rooms/${other.id}`);
  const answer = page.waitForResponse((response) => response.url().endsWith('/rephrase'));
  await button('Next question').click();
  const refused = await (await answer).json();
  assert.deepEqual([refused.source, refused.reason], ['local', 'number']);
  await page.locator('[data-because="probe.result"]').waitFor();
  assert.equal(await words.count(), 0);
  assert.equal(asked, 2);
  assert.deepEqual(browser.trouble, []);
});
