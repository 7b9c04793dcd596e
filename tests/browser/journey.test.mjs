// The way of two people through Greenroom: an admin sets it up, a candidate practises, a reader
// gets the link.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { after, before, test } from 'node:test';
import { Browser } from './browser.mjs';
import { Server } from './server.mjs';

const ADMIN = { name: 'Amara Osei', email: 'amara@example.org', password: 'a quiet river at dawn' };
const CANDIDATE = {
  name: 'Jonas Lindqvist',
  email: 'jonas@example.org',
  password: 'nine maps and a kettle',
};
const CV = `Backend engineer, eight years. I lead a team of five people at a parcel service.
Built the routing service in Rust; halved its memory use. Before that, payments at a small bank.`;
const JOB = `We look for a backend engineer who owns services from design to the pager.
You know databases, queues and how to find out why something is slow.`;
const STRONG =
  `Last spring our checkout was down for forty minutes on a Friday evening, and I was on call.
My task was to bring it back and to make sure that it would not happen again.
I rolled the release back within six minutes, because the error rate had jumped right after it.
Then I wrote a replay of the traffic and found a lock that every order waited for.
I chose to split the table instead of adding a cache, since stale prices would have cost us trust.
As a result the median checkout time fell from 900 ms to 240 ms within two weeks, and the team of twelve
engineers had no such outage in the six months since. Next time I would have load-tested the migration first.`.replaceAll(
    '\n',
    ' ',
  );
const MIDDLING = `When we moved to the new queue I wrote the consumer and measured it for a week.
We saw various things go wrong and somehow fixed a lot of them. The delay dropped by 30 percent.
I think the cost was fair, and the team was happy with how it went in the end.`;

const server = new Server();
let browser;
let admin;
let candidate;
let inviteLink;
let shareLink;
let interview;

before(async () => {
  await server.start();
  browser = await Browser.open(server.url);
});

after(async () => {
  await browser?.close();
  await server.remove();
});

// Each step stands on those before it: after a fault the rest is not tried, and fails at once.
let broken = '';
function step(name, act) {
  test(name, async () => {
    assert.equal(broken, '', 'an earlier step failed');
    try {
      await act();
    } catch (error) {
      broken = name;
      throw error;
    }
  });
}

const button = (page, name) => page.getByRole('button', { name, exact: true });
const heading = (page, name) => page.getByRole('heading', { name, level: 1 });
const answerBox = (page) => page.getByLabel('Your answer', { exact: true });

step('a fresh server leads every page to setup', async () => {
  admin = await browser.person();
  await admin.goto(`${server.url}/people`);
  await admin.waitForURL('**/setup');
  await admin.getByLabel('Setup token').waitFor();
  await browser.look(admin, 'setup-without-token');
});

step('setup refuses a short password and focuses it, then makes the admin', async () => {
  await admin.goto(server.setupLink());
  await admin.reload();
  await heading(admin, 'Welcome to your Greenroom').waitFor();
  await admin.getByLabel('Organisation').fill('Harbour Lane');
  await admin.getByLabel('Your name').fill(ADMIN.name);
  await admin.getByLabel('E-mail').fill(ADMIN.email);
  await admin.getByLabel('Password', { exact: true }).fill('short');
  await button(admin, 'Create').click();
  await admin.getByRole('alert').waitFor();
  assert.equal(await admin.evaluate(() => document.activeElement.name), 'password');
  await browser.look(admin, 'setup');
  await admin.getByLabel('Password', { exact: true }).fill(ADMIN.password);
  await button(admin, 'Create').click();
  await heading(admin, 'People').waitFor();
  assert.equal(new URL(admin.url()).hash, '', 'the token must leave the address');
  await admin.getByRole('heading', { name: 'Your server is ready' }).waitFor();
  await browser.look(admin, 'people-first');
});

step('signing out and in again works, a wrong password is told calmly', async () => {
  await button(admin, `Account of ${ADMIN.name}`).click();
  await button(admin, 'Sign out').click();
  await heading(admin, 'Sign in').waitFor();
  await admin.getByLabel('E-mail').fill(ADMIN.email);
  await admin.getByLabel('Password', { exact: true }).fill('not the password');
  await button(admin, 'Sign in').click();
  await admin.getByRole('alert').waitFor();
  await browser.look(admin, 'signin');
  await admin.getByLabel('Password', { exact: true }).fill(ADMIN.password);
  await button(admin, 'Sign in').click();
  await heading(admin, 'Your practice').waitFor();
});

step('the admin adds a candidate and gets the invite link once', async () => {
  await admin.getByRole('link', { name: 'People' }).click();
  await button(admin, 'Add person').first().click();
  const dialog = admin.getByRole('dialog');
  await dialog.getByLabel('Name', { exact: true }).fill(CANDIDATE.name);
  await dialog.getByLabel('E-mail').fill(CANDIDATE.email);
  await browser.look(admin, 'people-add');
  await button(dialog, 'Add person').click();
  inviteLink = await admin.getByLabel('Invite link', { exact: true }).inputValue();
  assert.match(inviteLink, /\/invite#.+/);
  await browser.look(admin, 'people-link');
  await button(admin.getByRole('dialog'), 'Close').click();
  await admin
    .getByRole('row', { name: new RegExp(CANDIDATE.name) })
    .getByText('Invited')
    .waitFor();
  await browser.look(admin, 'people');
});

step('the candidate accepts the invitation', async () => {
  candidate = await browser.person();
  await candidate.goto(inviteLink);
  await candidate.getByText('Harbour Lane invites you').waitFor();
  await candidate.getByLabel('Password', { exact: true }).fill(CANDIDATE.password);
  await browser.look(candidate, 'invite');
  await button(candidate, 'Accept invitation').click();
  await heading(candidate, 'Your practice').waitFor();
  await candidate.getByText('No interview yet').waitFor();
  await browser.look(candidate, 'home-empty');
});

step('the context saves itself', async () => {
  await candidate.getByLabel('CV').fill(CV);
  await candidate.getByLabel('Job description').fill(JOB);
  await candidate.getByLabel('Target role').fill('Backend engineer');
  await candidate.locator('[data-save="saved"]').waitFor();
  await candidate.reload();
  await candidate.waitForFunction(
    (cv) => document.querySelector('[name="cv_text"]')?.value === cv,
    CV,
  );
});

step('a CV is taken from a file, and a file that is none is refused calmly', async () => {
  const documents = new URL('../documents/', import.meta.url).pathname;
  const file = candidate.getByLabel('Take it from a file');
  await file.setInputFiles(`${documents}one-column.pdf`);
  await candidate.getByText(/one-column.pdf: .* of 1 page taken/).waitFor();
  assert.match(await candidate.getByLabel('CV').inputValue(), /Harbour Freight/);
  await file.setInputFiles({ name: 'cv.pdf', mimeType: 'application/pdf', buffer: Buffer.from('%PDF-1.7') });
  await candidate.getByText(/damaged or not whole/).waitFor();
  await browser.look(candidate, 'home-cv-file');
  await candidate.getByLabel('CV').fill(CV);
  await candidate.locator('[data-save="saved"]').waitFor();
});

step('a practice starts from a kit', async () => {
  await candidate.getByRole('radio', { name: /Backend engineer/ }).check();
  await button(candidate, 'Start practice').click();
  await candidate.waitForURL('**/rooms/*');
  interview = new URL(candidate.url()).pathname.split('/').at(-1);
  await candidate
    .locator('[data-progress]')
    .getByText(/^Question 1 of \d+$/)
    .waitFor();
});

step('the meters move while typing', async () => {
  const structure = candidate.locator('[role="meter"][data-signal="structure"]');
  assert.equal(await structure.getAttribute('aria-valuetext'), 'not enough yet');
  await answerBox(candidate).fill(STRONG);
  await candidate.waitForFunction(
    () =>
      Number(document.querySelector('[data-signal="structure"]').getAttribute('aria-valuenow')) > 0,
  );
  assert.equal(await candidate.getByRole('meter').count(), 8);
  await browser.look(candidate, 'room-typing');
});

step('an answer goes out by keyboard alone and comes back with its reasons', async () => {
  await answerBox(candidate).focus();
  await tabTo(candidate, 'Submit answer');
  await candidate.keyboard.press('Enter');
  await candidate
    .locator('[data-progress]')
    .getByText(/^Question 2 of/)
    .waitFor();
  await candidate.waitForFunction(() => document.activeElement?.name === 'answer');
  const card = candidate.locator('[data-analysis]');
  await card.locator('[data-score]').waitFor();
  const bar = card.locator('[data-driver]').first();
  await bar.click();
  assert.equal(await bar.getAttribute('aria-pressed'), 'true');
  await browser.look(candidate, 'room-analysed');
});

step('a server killed in mid-typing costs no word', async () => {
  const half = MIDDLING.slice(0, 90);
  const rest = MIDDLING.slice(90);
  await answerBox(candidate).fill(half);
  await server.kill();
  await answerBox(candidate).pressSequentially(rest.slice(0, 40));
  await button(candidate, 'Retry now').waitFor();
  await browser.look(candidate, 'room-interrupted');
  await server.start();
  await candidate.getByText('Connected again').waitFor();
  assert.equal(await answerBox(candidate).inputValue(), half + rest.slice(0, 40));
  await candidate.reload();
  await candidate
    .locator('[data-progress]')
    .getByText(/^Question 2 of/)
    .waitFor();
  assert.equal(await answerBox(candidate).inputValue(), half + rest.slice(0, 40));
});

step('an answer submitted while the server is down arrives once', async () => {
  await answerBox(candidate).fill(MIDDLING);
  await server.kill();
  await button(candidate, 'Submit answer').click();
  await candidate.getByText('Your answer waits on this device').waitFor();
  await server.start();
  await candidate
    .locator('[data-progress]')
    .getByText(/^Question 3 of/)
    .waitFor();
  const events = await candidate.evaluate(async (id) => {
    const response = await fetch(`/api/v1/interviews/${id}/events?after=0`);
    return (await response.json()).items;
  }, interview);
  assert.deepEqual(
    events.map((event) => event.seq),
    events.map((_, index) => index + 1),
    'the events must have no gap',
  );
  const texts = events
    .filter((event) => event.kind === 'answer.analysed')
    .map((event) => event.data.text);
  assert.deepEqual(texts, [STRONG, MIDDLING]);
});

step('a short answer is not scored and says why', async () => {
  await answerBox(candidate).fill('I would ask somebody.');
  await button(candidate, 'Submit answer').click();
  await candidate.getByText('Not enough to score').first().waitFor();
});

step('a question is skipped by keyboard alone, and what was typed for it stays here', async () => {
  await candidate
    .locator('[data-progress]')
    .getByText(/^Question 4 of/)
    .waitFor();
  await answerBox(candidate).fill('I am not sure about this one');
  await tabTo(candidate, 'Skip question');
  await candidate.keyboard.press('Enter');
  await candidate
    .locator('[data-progress]')
    .getByText(/^Question 5 of/)
    .waitFor();
  await candidate.waitForFunction(() => document.activeElement?.name === 'answer');
  assert.equal(await answerBox(candidate).inputValue(), '');
  const seen = await candidate.evaluate(
    async (id) => (await fetch(`/api/v1/interviews/${id}`)).json(),
    interview,
  );
  const turns = seen.questions.map((question) => question.turn);
  assert.deepEqual(turns.slice(0, 5), ['analysed', 'analysed', 'analysed', 'skipped', 'asked']);
  await browser.look(candidate, 'room-skipped');
});

step('a server that stops is announced with a countdown, and the room comes back', async () => {
  await answerBox(candidate).fill('We had three weeks');
  const stopped = server.stop();
  const banner = candidate.locator('.banner');
  await banner.getByText(/second|again/i).first().waitFor();
  await button(candidate, 'Retry now').waitFor();
  await browser.look(candidate, 'room-drained');
  await stopped;
  await answerBox(candidate).pressSequentially(' and no tests.');
  await server.start();
  await candidate.getByText('Connected again').waitFor();
  assert.equal(await answerBox(candidate).inputValue(), 'We had three weeks and no tests.');
  await answerBox(candidate).fill('');
});

step('finishing names what is unanswered and leads to the report', async () => {
  await button(candidate, 'Finish').click();
  const dialog = candidate.getByRole('dialog');
  await dialog.getByText(/no answer yet/).waitFor();
  await browser.look(candidate, 'room-finish');
  await button(dialog, 'Finish').click();
  await candidate.waitForURL('**/reports/*');
  await heading(candidate, /^Report/).waitFor();
  await candidate.locator('[data-score]').first().waitFor();
});

step('the report adds up, and every bar opens its words', async () => {
  const sums = await candidate.evaluate(async (id) => {
    const report = await (await fetch(`/api/v1/interviews/${id}/report`)).json();
    const all = [report, ...report.answers.map((item) => item.analysis)].filter(
      (one) => one.score !== null,
    );
    return all.map(
      (one) =>
        one.baseline + one.drivers.reduce((sum, driver) => sum + driver.points, 0) - one.score,
    );
  }, interview);
  assert.ok(sums.length >= 3, 'the report and two answers have scores');
  for (const rest of sums) assert.ok(Math.abs(rest) < 1e-6, `off by ${rest}`);
  await browser.look(candidate, 'report');
  const bars = candidate.locator('section[aria-labelledby="reasons"] [data-driver]');
  assert.ok((await bars.count()) > 0, 'the waterfall has bars');
  await bars.first().click();
  await candidate.locator('article mark').first().waitFor();
  const focused = await candidate.evaluate(() => !!document.activeElement.closest('article'));
  assert.ok(focused, 'a bar must lead into an answer');
  await candidate.emulateMedia({ media: 'print' });
  await candidate.screenshot({
    path: new URL('./shots/report-print.png', import.meta.url).pathname,
    fullPage: true,
  });
  await candidate.emulateMedia({ media: 'screen' });
});

step('every export format downloads', async () => {
  for (const [name, format] of [
    ['JSON', 'json'],
    ['CSV', 'csv'],
    ['Markdown', 'md'],
    ['HTML', 'html'],
  ]) {
    await button(candidate, 'Download').click();
    const [download] = await Promise.all([
      candidate.waitForEvent('download'),
      candidate.getByRole('link', { name: new RegExp(`^${name}`) }).click(),
    ]);
    assert.ok(download.suggestedFilename().endsWith(`.${format}`), download.suggestedFilename());
    const body = await readFile(await download.path(), 'utf8');
    assert.ok(body.length > 200, `${format} is almost empty`);
  }
});

step('feedback is taken', async () => {
  await button(candidate, 'Yes').click();
  await candidate.getByLabel(/What was off, or right/).fill('The numbers were the ones I gave.');
  await button(candidate, 'Send').click();
  await candidate.getByText('Thank you').waitFor();
});

step('a share link opens signed out', async () => {
  await button(candidate, 'Share').click();
  await button(candidate, 'Create link').click();
  shareLink = await candidate.getByLabel('Share link', { exact: true }).inputValue();
  await browser.look(candidate, 'report-share');
  const reader = await browser.person();
  await reader.goto(shareLink);
  await reader.locator('[data-score]').first().waitFor();
  assert.equal(await button(reader, 'Share').count(), 0, 'a reader may not share on');
  await browser.look(reader, 'shared');
  await reader.context().close();
});

step('a revoked link opens nothing', async () => {
  await candidate.getByRole('button', { name: /^Revoke the link/ }).click();
  await candidate.getByText(/^revoked/).waitFor();
  const reader = await browser.person();
  await reader.goto(shareLink);
  await heading(reader, 'This link works no more').waitFor();
  await browser.look(reader, 'shared-gone');
  const status = await reader.evaluate(async (url) => {
    const token = new URL(url).hash.slice(1);
    return (await fetch(`/api/v1/shared/${token}`)).status;
  }, shareLink);
  assert.equal(status, 404);
  await reader.context().close();
});

step('the start page draws where the practices stand and what to work on', async () => {
  await candidate.goto(server.url);
  const readiness = candidate.locator('[data-readiness]');
  await readiness.waitFor();
  const before = Number(await readiness.getAttribute('data-readiness'));
  // Two more practices by way of a program, each with one answer.
  await candidate.evaluate(
    async (texts) => {
      const csrf = /csrf=([^;]+)/.exec(document.cookie)[1];
      const call = async (path, body) => {
        const headers = { 'Content-Type': 'application/json', 'X-CSRF-Token': csrf };
        const init = { method: body ? 'POST' : 'GET', headers, body: body && JSON.stringify(body) };
        const response = await fetch(`/api/v1${path}`, init);
        if (!response.ok && response.status !== 409) throw new Error(`${path}: ${response.status}`);
        return response.json();
      };
      for (const text of texts) {
        const practice = { kind: 'practice', questions: ['What did you improve?'] };
        const made = await call('/interviews', practice);
        const path = `/interviews/${made.id}`;
        await call(`${path}/start`, {});
        await call(`${path}/answers`, { question_id: made.questions[0].question_id, text });
        await call(`${path}/finish`, {});
        for (let ready = false; !ready; ) ready = (await call(path)).report_ready;
      }
    },
    [MIDDLING, STRONG],
  );
  await candidate.reload();
  await candidate.getByRole('img', { name: /Readiness over 3 practices/ }).waitFor();
  const after = Number(await readiness.getAttribute('data-readiness'));
  assert.notEqual(after, before);
  await candidate.getByText('What to work on next').waitFor();
  await candidate.getByText('As a table').click();
  assert.equal(await readiness.locator('tbody tr').count(), 3);
  await browser.look(candidate, 'home-readiness');
});

step('the list shows the score; keys, palette and unknown pages work', async () => {
  await candidate.goto(server.url);
  await candidate
    .getByRole('link', { name: /^Report of/ })
    .first()
    .waitFor();
  await browser.look(candidate, 'home');
  await heading(candidate, 'Your practice').focus();
  await candidate.keyboard.press('?');
  await candidate.getByRole('dialog', { name: 'Keyboard' }).waitFor();
  await browser.look(candidate, 'keyboard');
  await candidate.keyboard.press('Escape');
  await candidate.keyboard.press('Control+k');
  await candidate.getByRole('combobox', { name: 'Find a command' }).fill('sign');
  await browser.look(candidate, 'palette');
  await candidate.keyboard.press('Escape');
  await candidate.goto(`${server.url}/no/such/page`);
  await heading(candidate, 'There is no such page').waitFor();
  await browser.look(candidate, 'missing');
});

step('the choice of colours outlives a reload', async () => {
  await candidate.goto(server.url);
  await button(candidate, 'Colours: As the system').click();
  await button(candidate, 'Dark').click();
  await candidate.reload();
  await heading(candidate, 'Your practice').waitFor();
  const colour = await candidate.evaluate(() => getComputedStyle(document.body).backgroundColor);
  assert.equal(colour, 'rgb(16, 21, 19)');
});

step('a practice that a program made waits in its lobby', async () => {
  const id = await candidate.evaluate(async () => {
    const csrf = document.cookie.match(/(?:^|; )csrf=([^;]*)/)[1];
    const response = await fetch('/api/v1/interviews', {
      method: 'POST',
      headers: { 'Content-Type': 'application/json', 'X-CSRF-Token': csrf },
      body: JSON.stringify({ kind: 'practice', questions: ['What did you build last?'] }),
    });
    return (await response.json()).id;
  });
  await candidate.goto(`${server.url}/rooms/${id}`);
  await button(candidate, 'Start').waitFor();
  await browser.look(candidate, 'room-lobby');
  await button(candidate, 'Start').click();
  await candidate
    .locator('[data-progress]')
    .getByText(/^Question 1 of 1$/)
    .waitFor();
});

step('a practice is invisible to the admin, by its address too', async () => {
  await admin.goto(`${server.url}/reports/${interview}`);
  await admin.getByRole('alert').waitFor();
  assert.equal(await admin.locator('[data-score]').count(), 0);
});

step('a disabled person is signed out and named', async () => {
  await admin.goto(`${server.url}/people`);
  await button(admin, `Disable ${CANDIDATE.name}`).click();
  await button(admin.getByRole('dialog'), `Disable ${CANDIDATE.name}`).click();
  await button(admin, `Enable ${CANDIDATE.name}`).waitFor();
  await candidate.goto(server.url);
  await heading(candidate, 'Sign in').waitFor();
});

step('nothing left the origin, nothing broke the policy', () => {
  assert.deepEqual(browser.trouble, []);
});

// Tab until the control with this name has the focus, as somebody without a mouse would.
async function tabTo(page, name) {
  for (let presses = 0; presses < 40; presses += 1) {
    await page.keyboard.press('Tab');
    const text = await page.evaluate(() => document.activeElement?.textContent?.trim());
    if (text === name) return;
  }
  assert.fail(`${name} cannot be reached with the Tab key`);
}
