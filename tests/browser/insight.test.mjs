// What insight shows outside of a practice: progress, facts, the interviewers' side, calibrations;
// and the ways into a practice without a kit.
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { after, before, test } from 'node:test';
import { Browser } from './browser.mjs';
import { Server } from './server.mjs';

const PASSWORD = 'a quiet river at dawn';
const ADMIN = 'amara@example.org';
const ANSWER =
  'Our shop was slow because every page asked the database forty times. I measured it for a week, ' +
  'then I led a team of seven people and moved the hot queries into one view. The page went from 900 ' +
  'to 200 milliseconds, and I learned to measure before I change anything.';
const CV =
  'Amara Osei\n\nExperience\n\nLighthouse Works, Backend engineer, 2019 to 2023\nLed a team of four people ' +
  'that moved the hot queries of the shop\n\nSkills\nRust, SQL, Redis\n';
const JOB =
  'Backend engineer\n\nRequirements:\n- Sound knowledge of SQL\n- Useful, but not required: Kubernetes\n';

const server = new Server();
let browser;
let admin;
let model;

async function call(method, path, body, token) {
  const headers = { 'Content-Type': 'application/json' };
  if (token) headers.Authorization = `Bearer ${token}`;
  const response = await fetch(server.url + path, {
    method,
    headers,
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  assert.ok(response.ok, `${method} ${path}: ${response.status}`);
  return response.status === 204 ? null : response.json();
}

// A server that speaks the protocol of language models, and writes one text.
async function startModel() {
  const text = 'I would begin with what I measured. I led a team of seven people.';
  const written = JSON.stringify({ text, quotes: ['I led a team of seven people', 'never said'] });
  const choices = [{ message: { role: 'assistant', content: written } }];
  model = createServer((request, response) => {
    request.resume();
    request.on('end', () => {
      response.setHeader('Content-Type', 'application/json');
      response.end(JSON.stringify({ choices }));
    });
  });
  await new Promise((done) => model.listen(0, '127.0.0.1', done));
  return `http://127.0.0.1:${model.address().port}/v1`;
}

async function practised(token, title) {
  const body = { kind: 'practice', title, questions: ['Tell me about something slow.'] };
  const practice = await call('POST', '/api/v1/interviews', body, token);
  const path = `/api/v1/interviews/${practice.id}`;
  const begun = await call('POST', `${path}/start`, {}, token);
  const answer = { question_id: begun.questions[0].question_id, text: ANSWER };
  await call('POST', `${path}/answers`, answer, token);
  await call('POST', `${path}/finish`, {}, token);
  return practice.id;
}

async function invited(role, name) {
  const email = `${name.toLowerCase()}@example.org`;
  const body = { email, display_name: name, role, password: PASSWORD };
  await call('POST', '/api/v1/people', body, admin);
  const login = { email, password: PASSWORD };
  return (await call('POST', '/api/v1/auth/login', login)).access_token;
}

async function signedIn(email, path) {
  const page = await browser.person();
  await page.goto(`${server.url}/signin?next=${path}`);
  await page.getByLabel('E-mail').fill(email);
  await page.getByLabel('Password', { exact: true }).fill(PASSWORD);
  await page.getByRole('button', { name: 'Sign in', exact: true }).click();
  return page;
}

before(async () => {
  const url = await startModel();
  Object.assign(server.settings, { GREENROOM_CHAT_URL: url, GREENROOM_CHAT_MODEL: 'small' });
  await server.start();
  browser = await Browser.open(server.url);
  const token = server.setupLink().split('#').at(-1);
  const body = { token, organisation: 'Lighthouse', display_name: 'Amara Osei', email: ADMIN };
  admin = (await call('POST', '/api/v1/setup', { ...body, password: PASSWORD })).access_token;
});

after(async () => {
  await browser?.close();
  await server.remove();
  model?.close();
});

test('progress is empty at first, then a line with a table and directions', async () => {
  const token = await invited('candidate', 'Noor');
  const page = await signedIn('noor@example.org', '/progress');
  await page.getByText('Nothing to show yet').waitFor();
  await browser.look(page, 'progress-empty');
  const ids = [];
  for (const title of ['One', 'Two', 'Three']) ids.push(await practised(token, title));
  const feedback = { accurate: false, note: 'My result was counted twice.' };
  let points = [];
  while (points.length < 3) {
    points = (await call('GET', '/api/v1/me/progress', undefined, token)).points;
  }
  await call('POST', `/api/v1/interviews/${ids[0]}/feedback`, feedback, token);
  await page.reload();
  await page.getByRole('img', { name: /Line of 3 scores/ }).waitFor();
  await page.getByRole('link', { name: 'Three' }).waitFor();
  const row = page.getByRole('row', { name: /Ownership/ }).first();
  assert.match(await row.textContent(), /steady/);
  await page.getByText('0 of 1 were fair.').waitFor();
  await page.getByText('My result was counted twice.').waitFor();
  await browser.look(page, 'progress');
  await page.getByRole('link', { name: 'Three' }).click();
  await page.waitForURL(`${server.url}/reports/${ids[2]}`);
});

test('facts show what does not fit together, the CV and the job', async () => {
  const token = await invited('candidate', 'Ines');
  const page = await signedIn('ines@example.org', '/facts');
  await page.getByText('There is no CV yet').waitFor();
  await browser.look(page, 'facts-empty');
  await call('PUT', '/api/v1/me/context', { cv_text: CV, job_description: JOB }, token);
  const id = await practised(token, 'One');
  await page.reload();
  await page.getByText('1 open contradiction').waitFor();
  await page.locator('blockquote', { hasText: 'a team of four people' }).waitFor();
  const answer = page.getByRole('link', { name: 'An answer of yours' });
  assert.equal(await answer.getAttribute('href'), `/reports/${id}`);
  await page.getByRole('cell', { name: 'Lighthouse Works' }).waitFor();
  const nice = page.getByRole('row', { name: /Kubernetes/ });
  assert.match(await nice.textContent(), /useful.*is not in your CV/s);
  await browser.look(page, 'facts');
});

test('a practice begins with own questions, or with the coach, and shows an example', async () => {
  await invited('candidate', 'Juno');
  const page = await signedIn('juno@example.org', '/');
  const start = page.getByRole('button', { name: 'Start practice' });
  await page.getByLabel('Your own questions').check();
  await start.click();
  await page.getByText('Write at least one question.').waitFor();
  await page.getByLabel('Questions, one on each line').fill('Why us?\n\n  Why now?\n');
  await browser.look(page, 'start-own');
  await start.click();
  await page.getByRole('heading', { name: 'Why us?' }).waitFor();
  await page.getByLabel('Your answer', { exact: true }).fill(ANSWER);
  await page.getByRole('button', { name: 'Submit answer' }).click();
  await page.getByRole('heading', { name: 'Why now?' }).waitFor();
  await page.getByRole('button', { name: 'Show an example answer' }).click();
  const example = page.locator('[data-model-answer]');
  await example.getByText('I would begin with what I measured.').waitFor();
  assert.equal(await example.locator('li').count(), 1, 'a quote that was never said is dropped');
  await example.getByText('Written by a language model').waitFor();
  await browser.look(page, 'model-answer');

  await page.goto(`${server.url}/`);
  await page.getByLabel('The coach chooses').check();
  await start.click();
  await page.locator('[data-because]').waitFor();
});

test('interviewers see their side of a live interview, with the questions to look at', async () => {
  const token = await invited('interviewer', 'Maya');
  const candidate = await invited('candidate', 'Sami');
  const me = await call('GET', '/api/v1/me', undefined, candidate);
  const body = { kind: 'live', title: 'Porter', questions: ['How old are you?', 'Why here?'] };
  const live = await call('POST', '/api/v1/interviews', body, token);
  const path = `/api/v1/interviews/${live.id}`;
  await call('POST', `${path}/members`, { person_id: me.id, part: 'candidate' }, token);
  await call('POST', `${path}/start`, {}, token);
  const asked = await call('POST', `${path}/questions`, { text: 'How old are you?' }, token);
  const answer = { question_id: asked.question_id, text: ANSWER };
  await call('POST', `${path}/answers`, answer, candidate);
  await call('POST', `${path}/finish`, {}, token);
  const side = await call('GET', `${path}/interviewer`, undefined, token);
  assert.ok(side.unlawful.length > 0);
  const page = await signedIn('maya@example.org', `/reports/${live.id}`);
  await page.getByRole('heading', { name: 'The interviewers’ side' }).waitFor();
  await page.getByText(/Interviewers said \d+% of the words/).waitFor();
  await page.getByText('Questions to look at again').waitFor();
  await page.getByText('Ask instead:').first().waitFor();
  await browser.look(page, 'interviewer');
});

test('an admin takes a calibration in, sees what it changes, and puts it in force', async () => {
  const page = await signedIn(ADMIN, '/calibrations');
  await page.getByText('In force').waitFor();
  await browser.look(page, 'calibrations');
  await page.getByRole('button', { name: 'Add a version' }).click();
  const dialog = page.getByRole('dialog');
  const text = dialog.getByLabel('Text (TOML)');
  const toml = await text.inputValue();
  await dialog.getByLabel('Version').fill('house-1');
  await text.fill(toml.replace('version = "core-1"', 'version = "house-1"').slice(0, -400));
  await dialog.getByRole('button', { name: 'Check and take in' }).click();
  await dialog.locator('[aria-invalid="true"]').waitFor();
  await text.fill(toml.replace('version = "core-1"', 'version = "house-1"'));
  await dialog.getByRole('button', { name: 'Check and take in' }).click();
  const row = page.locator('[data-version="house-1"]');
  await row.waitFor();
  await row.getByRole('button', { name: 'Show' }).click();
  await dialog.getByRole('cell').first().waitFor();
  await page.keyboard.press('Escape');
  await row.getByRole('button', { name: /What would change/ }).click();
  await dialog.getByRole('heading', { name: 'What house-1 would change' }).waitFor();
  await browser.look(page, 'drift');
  await dialog.getByRole('button', { name: 'Put house-1 in force' }).click();
  await row.getByText('In force').waitFor();
  await page.getByText('Put in force').first().waitFor();
  await browser.look(page, 'calibrations-two');
});
