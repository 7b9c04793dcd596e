// Follow-ups and hints in a language model's words: marked, beside our own, never in the way of them.
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
// What stands for all the texts that a request asks for, and what they were.
let texts = (ours) => ours.map(() => written);
const model = createServer((request, response) => {
  let body = '';
  request.on('data', (chunk) => (body += chunk));
  request.on('end', () => {
    asked += 1;
    const content = JSON.stringify({ texts: texts(oursIn(body)) });
    const reply = { choices: [{ message: { role: 'assistant', content } }] };
    response.writeHead(200, { 'Content-Type': 'application/json' }).end(JSON.stringify(reply));
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

// The texts that a request wants in other words.
function oursIn(body) {
  const material = JSON.parse(body).messages[1].content;
  return JSON.parse(material.split('\nTEXTS:\n')[1]);
}

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

test('so do the hints after an answer, each for itself', async () => {
  const fine = (ours) =>
    ours.includes('?')
      ? 'What would somebody else at the desk have seen?'
      : 'Tell how the desk worked once the new order was there.';
  // The first one holds; a figure that nobody gave is in the second.
  texts = (ours) => ours.map((one, n) => fine(one) + (n === 1 ? ' It fell by 30 percent.' : ''));
  await page.getByRole('textbox', { name: 'Your answer' }).fill(ANSWER);
  const answer = page.waitForResponse((response) =>
    /\/answers\/[^/]+\/rephrase$/.test(response.url()),
  );
  await button('Submit answer').click();
  const { hints } = await (await answer).json();
  assert.deepEqual(hints.slice(0, 2).map((hint) => hint.source), ['model', 'local']);
  const shown = page.locator('[data-analysis] .hints > li');
  const words = shown.locator('[data-source="model"]');
  await words.first().waitFor();
  // As many as this person wants, each in our own words first.
  const seen = await shown.count();
  assert.ok(seen >= 1 && seen <= hints.length, `${seen} of ${hints.length}`);
  const marked = hints.slice(0, seen).filter((hint) => hint.source === 'model').length;
  assert.equal(await words.count(), marked);
  const told = await shown.first().textContent();
  assert.ok(told.includes(hints[0].text) && told.includes('language model (tiny)'), told);
  assert.ok(!told.trim().startsWith(hints[0].text), 'our own words come first');
  await browser.look(page, 'rephrased-hints');
  // Nothing of it comes again after a reload: only our own words are kept.
  await page.reload();
  await shown.first().waitFor();
  assert.equal(await words.count(), 0);
  assert.equal(asked, 3);
  assert.deepEqual(browser.trouble, []);
});
