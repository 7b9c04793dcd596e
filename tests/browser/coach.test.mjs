// The practice coach: a practice without a plan is led question by question, with hints while the
// answer is written and a follow-up where it lacked something.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Browser } from './browser.mjs';
import { Server } from './server.mjs';

const PERSON = { name: 'Amara Osei', email: 'amara@example.org', password: 'a quiet river at dawn' };
const GROUP =
  'We had a desk that was slow in the evening. We moved it to another room and we changed the order ' +
  'of the work and we watched it for some days, and then we told the others how it went and what we had ' +
  'changed, and we wrote a page about it for everybody in the team.';

const server = new Server();
let browser;
let page;

before(async () => {
  await server.start();
  browser = await Browser.open(server.url);
});

after(async () => {
  await browser?.close();
  await server.remove();
});

const button = (name) => page.getByRole('button', { name, exact: true });
const answerBox = () => page.getByLabel('Your answer', { exact: true });

async function call(method, path, body, token) {
  const headers = { 'Content-Type': 'application/json' };
  if (token) headers.Authorization = `Bearer ${token}`;
  const response = await fetch(server.url + path, { method, headers, body: JSON.stringify(body) });
  assert.ok(response.ok, `${path}: ${response.status}`);
  return response.json();
}

test('a practice is led by the coach', async () => {
  const token = server.setupLink().split('#').at(-1);
  const login = await call('POST', '/api/v1/setup', {
    token,
    organisation: 'Lighthouse',
    display_name: PERSON.name,
    email: PERSON.email,
    password: PERSON.password,
  });
  const key = login.access_token;
  await call('PUT', '/api/v1/me/context', { assist_intensity: 3 }, key);
  const practice = await call('POST', '/api/v1/interviews', { kind: 'practice', title: 'Open' }, key);

  page = await browser.person();
  await page.goto(`${server.url}/signin?next=/rooms/${practice.id}`);
  await page.getByLabel('E-mail').fill(PERSON.email);
  await page.getByLabel('Password', { exact: true }).fill(PERSON.password);
  await button('Sign in').click();
  await button('Start').click();

  // Nothing is planned: the person asks for the first question and reads why it is this one.
  await button('Next question').waitFor();
  await browser.look(page, 'coach-none-planned');
  await button('Next question').click();
  const because = page.locator('[data-because]');
  await because.waitFor();
  assert.equal(await because.getAttribute('data-because'), 'next.bank');
  const first = await page.locator('h2.question').textContent();

  // A hint comes while the answer is written, and moves nothing on the page.
  const place = page.locator('[data-hint-place]');
  assert.equal(await place.getAttribute('aria-live'), 'polite');
  const before = await button('Submit answer').boundingBox();
  await answerBox().fill(GROUP);
  const hint = place.locator('[data-rule]');
  await hint.waitFor();
  assert.equal(await hint.getAttribute('data-rule'), 'coach.no_own_action');
  const moved = (await button('Submit answer').boundingBox()).y - before.y;
  assert.equal(moved, 0, 'the hint moved the buttons');
  await browser.look(page, 'coach-hint');
  await button('Dismiss').click();
  await hint.waitFor({ state: 'detached' });
  await page.waitForFunction(() => document.activeElement?.name === 'answer');
  assert.equal(await answerBox().inputValue(), GROUP);

  // The answer told what the group did: the follow-up quotes it and asks for the own part.
  await button('Submit answer').click();
  await button('Next question').click();
  await page.locator('[data-because^="probe."]').waitFor();
  const probe = await page.locator('h2.question').textContent();
  assert.match(probe, /“.+”/);
  const quote = probe.match(/“(.+?)…?”/)[1];
  assert.ok(GROUP.includes(quote), `${quote} is not in the answer`);
  await browser.look(page, 'coach-follow-up');
  assert.equal(await button('Follow-up').count(), 0, 'a follow-up is not followed up');
  await answerBox().fill('I moved the desk myself, and the queue fell from 40 minutes to 15 minutes.');
  await button('Submit answer').click();
  await button('Next question').click();
  await page.locator('[data-because="next.bank"]').waitFor();
  assert.notEqual(await page.locator('h2.question').textContent(), first);

  // By address again: the reason is part of the room, not of this page.
  await page.reload();
  await page.locator('[data-because="next.bank"]').waitFor();
  assert.deepEqual(browser.trouble, []);
});
