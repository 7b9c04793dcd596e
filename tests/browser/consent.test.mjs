// Consent on the pages of a live interview: the sentence, a no that is obeyed, a yes, and a change of
// mind; and what the interviewer sees of it.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Browser } from './browser.mjs';
import { Server } from './server.mjs';

const PASSWORD = 'a quiet river at dawn';
// To the letter: what somebody agrees to is what they read.
const SENTENCE =
  'I agree that what I say and write in this interview is kept as text and analysed on this ' +
  'organisation\'s own machine, so that the interviewers can assess my answers. If I decline, only the ' +
  'interviewers\' notes are kept. I can change my mind any time.';
const ANSWER = 'I measured where the night shift lost its time, and moved the handover by an hour.';

const server = new Server();
let browser;
const people = {};

async function call(method, path, body, token, status = 'ok') {
  const headers = { 'Content-Type': 'application/json' };
  if (token) headers.Authorization = `Bearer ${token}`;
  const response = await fetch(server.url + path, {
    method,
    headers,
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  if (status === 'ok') assert.ok(response.ok, `${method} ${path}: ${response.status}`);
  else assert.equal(response.status, status, `${method} ${path}`);
  return response.status === 204 ? null : response.json();
}

before(async () => {
  await server.start();
  browser = await Browser.open(server.url);
  const token = server.setupLink().split('#').at(-1);
  const account = { display_name: 'Amara Osei', email: 'amara@example.org', password: PASSWORD };
  const body = { token, organisation: 'Lighthouse', ...account };
  const admin = (await call('POST', '/api/v1/setup', body)).access_token;
  for (const [name, role] of [
    ['Ines', 'interviewer'],
    ['Sam', 'candidate'],
    ['Noor', 'candidate'],
  ]) {
    const email = `${name.toLowerCase()}@example.org`;
    const person = { email, display_name: name, role, password: PASSWORD };
    const { id } = await call('POST', '/api/v1/people', person, admin);
    const login = await call('POST', '/api/v1/auth/login', { email, password: PASSWORD });
    people[name] = { id, email, token: login.access_token };
  }
});

after(async () => {
  await browser?.close();
  await server.remove();
});

async function inRoom(name, id) {
  const page = await browser.person();
  await page.goto(`${server.url}/signin?next=/rooms/${id}`);
  await page.getByLabel('E-mail').fill(people[name].email);
  await page.getByLabel('Password', { exact: true }).fill(PASSWORD);
  await page.getByRole('button', { name: 'Sign in', exact: true }).click();
  await page.getByText(SENTENCE, { exact: true }).waitFor();
  return page;
}

// An interviewer's note goes over the room's socket.
async function note(page, id, text) {
  const ticket = await call('POST', `/api/v1/interviews/${id}/ticket`, {}, people.Ines.token);
  await page.evaluate(
    async ([ticket, socket, text]) => {
      const room = new WebSocket(new URL(socket, location.href.replace('http', 'ws')), 'greenroom.v1');
      await new Promise((done, failed) => {
        room.onerror = failed;
        room.onopen = () => {
          room.send(JSON.stringify({ type: 'hello', ticket }));
          room.send(JSON.stringify({ type: 'note', id: 'n1', text }));
        };
        room.onmessage = ({ data }) => JSON.parse(data).type === 'ack' && done();
      });
      room.close();
    },
    [ticket.ticket, ticket.socket, text],
  );
}

test('of whoever declines only notes are kept, and whoever agrees is heard', async () => {
  const { Ines, Sam, Noor } = people;
  const plan = { kind: 'live', title: 'Night shift', questions: ['What did you change?'] };
  const live = await call('POST', '/api/v1/interviews', plan, Ines.token);
  const path = `/api/v1/interviews/${live.id}`;
  for (const { id } of [Sam, Noor]) {
    await call('POST', `${path}/members`, { person_id: id, part: 'candidate' }, Ines.token);
  }
  const ines = await inRoom('Ines', live.id);
  const said = (name) => ines.getByRole('listitem').filter({ hasText: name });
  await said('Sam').getByText('has not answered.').waitFor();
  await browser.look(ines, 'consent-interviewer');

  const sam = await inRoom('Sam', live.id);
  await sam.getByRole('heading', { name: 'May your words be kept?' }).waitFor();
  await browser.look(sam, 'consent-asked');
  await sam.getByRole('button', { name: 'Decline' }).click();
  await sam.getByText('You have declined: only the interviewers’ notes are kept.').first().waitFor();
  await said('Sam').getByText('has declined: write notes').waitFor();
  const noor = await inRoom('Noor', live.id);
  await noor.getByRole('button', { name: 'I agree' }).click();
  await said('Noor').getByText('has agreed.').waitFor();

  const question = { text: 'What did you change?' };
  await ines.getByRole('button', { name: 'Start', exact: true }).click();
  await noor.getByText('So far').waitFor();
  const asked = await call('POST', `${path}/questions`, question, Ines.token);

  // There is no place to write in, and whoever writes past the page is refused.
  await sam.getByRole('heading', { name: question.text }).waitFor();
  await sam.getByText('Nothing that you write here would be taken').waitFor();
  assert.equal(await sam.getByRole('textbox').count(), 0);
  await browser.look(sam, 'consent-declined');
  const answer = { question_id: asked.question_id, text: 'Said by Sam.' };
  const refused = await call('POST', `${path}/answers`, answer, Sam.token, 403);
  assert.equal(refused.code, 'access.denied');
  await note(ines, live.id, 'Sam tells of the handover.');
  const notes = await call('GET', `${path}/notes`, undefined, Ines.token);
  assert.deepEqual(notes.items.map(({ text }) => text), ['Sam tells of the handover.']);

  await noor.getByLabel('Your answer', { exact: true }).fill(ANSWER);
  await noor.getByRole('button', { name: 'Submit answer' }).click();
  await ines.getByText(ANSWER).first().waitFor();
  // Meters and scores are for practices, and an answer is not everybody's own.
  assert.equal(await ines.getByText('While you write').count(), 0);
  assert.equal(await ines.getByText(/^You\b|^Your answer/).count(), 0);
  await browser.look(ines, 'consent-answered');
  const events = await call('GET', `${path}/events`, undefined, Ines.token);
  const words = JSON.stringify(events);
  assert.ok(words.includes(ANSWER) && !words.includes('Said by Sam.'), words);

  // Both change their minds.
  await sam.getByRole('button', { name: 'I agree' }).click();
  await sam.getByText('You have agreed. You can withdraw at any time.').first().waitFor();
  await call('POST', `${path}/questions`, { text: 'And then?' }, Ines.token);
  await sam.getByLabel('Your answer', { exact: true }).fill('Then it was quiet at five.');
  await sam.getByRole('button', { name: 'Submit answer' }).click();
  await ines.getByText('Then it was quiet at five.').first().waitFor();
  await noor.getByRole('button', { name: 'Withdraw' }).click();
  await noor.getByText('Nothing that you write here would be taken').waitFor();
  await said('Noor').getByText('has declined: write notes').waitFor();
  const kept = await call('GET', `${path}/consent`, undefined, Ines.token);
  const answers = kept.answers.map(({ person_id, given, text }) => [person_id, given, text]);
  const of = ({ id }) => answers.filter(([person]) => person === id);
  assert.equal(answers.length, 4);
  assert.deepEqual(of(Sam), [[Sam.id, false, SENTENCE], [Sam.id, true, SENTENCE]]);
  assert.deepEqual(of(Noor), [[Noor.id, true, SENTENCE], [Noor.id, false, SENTENCE]]);
});
