// A live interview from the interviewer's side: a question that should not be asked is shown to the
// interviewer alone, before it is sent; it can be sent all the same, and nobody else hears of it.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Browser } from './browser.mjs';
import { Server } from './server.mjs';

const PASSWORD = 'a quiet river at dawn';
const ADMIN = 'amara@example.org';
const FLAGGED = 'You look tired. Do you have children?';

const server = new Server();
let browser;
let admin;

before(async () => {
  await server.start();
  const token = server.setupLink().split('#').at(-1);
  const body = { token, organisation: 'O', display_name: 'Amara', email: ADMIN, password: PASSWORD };
  admin = (await call('POST', '/api/v1/setup', body)).access_token;
  browser = await Browser.open(server.url);
});

after(async () => {
  await browser?.close();
  await server.remove();
});

async function call(method, path, body, token) {
  const headers = { 'Content-Type': 'application/json' };
  if (token) headers.Authorization = `Bearer ${token}`;
  const init = { method, headers, ...(body ? { body: JSON.stringify(body) } : {}) };
  const response = await fetch(server.url + path, init);
  assert.ok(response.ok, `${method} ${path}: ${response.status}`);
  return response.json();
}

async function account(role, name) {
  const email = `${name.toLowerCase()}@example.org`;
  const body = { email, display_name: name, role, password: PASSWORD };
  const { id } = await call('POST', '/api/v1/people', body, admin);
  const login = await call('POST', '/api/v1/auth/login', { email, password: PASSWORD });
  return { id, email, token: login.access_token };
}

// A page in the room, and every frame that its socket hears.
async function inRoom(person, room) {
  const page = await browser.person();
  page.heard = [];
  page.on('websocket', (socket) =>
    socket.on('framereceived', ({ payload }) => page.heard.push(String(payload))),
  );
  await page.goto(`${server.url}/signin?next=/rooms/${room}`);
  await page.getByLabel('E-mail').fill(person.email);
  await page.getByLabel('Password', { exact: true }).fill(PASSWORD);
  await page.getByRole('button', { name: 'Sign in', exact: true }).click();
  return page;
}

test('an interviewer alone sees what is wrong with a question, and may ask it', async () => {
  const maya = await account('interviewer', 'Maya');
  const sam = await account('candidate', 'Sam');
  const live = await call('POST', '/api/v1/interviews', { kind: 'live', title: 'Porter' }, maya.token);
  const path = `/api/v1/interviews/${live.id}`;
  await call('POST', `${path}/members`, { person_id: sam.id, part: 'candidate' }, maya.token);
  await call('POST', `${path}/start`, {}, maya.token);
  const asks = await inRoom(maya, live.id);
  const hears = await inRoom(sam, live.id);
  await hears.getByRole('heading', { name: 'So far' }).waitFor();

  const box = asks.getByLabel('Your question');
  const concern = asks.locator('[data-rule="interviewer.unlawful.family"]');
  const place = asks.locator('[data-concerns]');
  await box.fill(FLAGGED);
  await concern.waitFor();
  const told = await place.textContent();
  for (const part of ['before you ask', 'Only you see it', 'Do you have children', 'these hours']) {
    assert.ok(told.includes(part), `${part}: ${told}`);
  }
  await browser.look(asks, 'asking');
  await box.fill('Which hours can you work?');
  await concern.waitFor({ state: 'detached' });
  assert.ok(!asks.heard.join().includes('children'), 'a draft is nothing that the room hears of');

  // Quicker than any hint: the question goes out, and the hint on it comes after.
  await box.fill(FLAGGED);
  await asks.getByRole('button', { name: 'Ask', exact: true }).click();
  await hears.getByText(FLAGGED).first().waitFor();
  await concern.waitFor();
  assert.equal(await place.getAttribute('data-concerns'), 'asked');
  assert.ok((await place.textContent()).includes('About the question you asked'));
  await asks.getByRole('log').getByText(FLAGGED).waitFor();
  assert.equal(await box.inputValue(), '');

  await box.fill('How did the night shift go?');
  await concern.waitFor({ state: 'detached' });
  await asks.keyboard.press('Control+Enter');
  await hears.getByText('How did the night shift go?').first().waitFor();
  for (const page of [hears, asks]) {
    const frames = page.heard.join();
    assert.ok(frames.includes('Do you have children'), 'the question itself');
    assert.ok(!frames.includes('must not decide'), frames);
  }
  assert.equal(await hears.locator('[data-concerns]').count(), 0);
  assert.ok(!(await hears.locator('body').textContent()).includes('must not decide'));
  assert.deepEqual(browser.trouble, []);
});

test('the owner starts and asks what was planned; the others wait, and an observer looks on', async () => {
  const kim = await account('interviewer', 'Kim');
  const lee = await account('candidate', 'Lee');
  const ola = await account('observer', 'Ola');
  const planned = 'What woke you last?';
  const body = { kind: 'live', title: 'Porter, again', questions: [planned, 'Why nights?'] };
  const live = await call('POST', '/api/v1/interviews', body, kim.token);
  for (const [{ id }, part] of [
    [lee, 'candidate'],
    [ola, 'observer'],
  ]) {
    const member = { person_id: id, part };
    await call('POST', `/api/v1/interviews/${live.id}/members`, member, kim.token);
  }
  const [asks, hears, looks] = [
    await inRoom(kim, live.id),
    await inRoom(lee, live.id),
    await inRoom(ola, live.id),
  ];
  for (const page of [hears, looks]) {
    await page.getByText('Its owner starts it').waitFor();
    assert.equal(await page.getByRole('button', { name: 'Start' }).count(), 0);
    assert.ok(!(await page.locator('body').textContent()).includes(planned), 'not asked yet');
  }
  await asks.getByRole('button', { name: 'Start' }).click();
  await looks.getByText('You look on').waitFor();
  assert.equal(await looks.getByRole('textbox').count(), 0, 'an observer writes nothing');

  const list = asks.getByRole('list', { name: 'Planned, and not asked yet' });
  await list.getByRole('button', { name: planned }).click();
  await browser.look(asks, 'asking-planned');
  await asks.getByRole('button', { name: 'Ask', exact: true }).click();
  for (const page of [hears, looks]) await page.getByText(planned).first().waitFor();
  await list.getByRole('button', { name: planned }).waitFor({ state: 'detached' });
  assert.equal(await list.getByRole('button').count(), 1);
  await browser.look(looks, 'looking-on');
  assert.deepEqual(browser.trouble, []);
});
