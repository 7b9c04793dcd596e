// HTTPS with the authority that a site without one of its own gets from Greenroom: a browser that
// has installed it signs in and sits in a room; one that has not is stopped before the page.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { Browser } from './browser.mjs';
import { Server } from './server.mjs';

const NAME = 'rooms.greenroom.test';
const EMAIL = 'amara@example.org';
const PASSWORD = 'a quiet river at dawn';
// The names are in no directory of names; certificates are checked all the same.
const OTHER = 'bank.example.org';
const FLAGS = [`--host-resolver-rules=MAP ${NAME} 127.0.0.1,MAP ${OTHER} 127.0.0.1`];

const server = new Server({
  GREENROOM_TLS_LOCAL_AUTHORITY: 'true',
  GREENROOM_TLS_NAMES: NAME,
});
const homes = [];
const browsers = [];
let origin;

before(async () => {
  await server.start();
  assert.match(server.url, /^https:/);
  origin = `https://${NAME}:${new URL(server.url).port}`;
});

after(async () => {
  for (const browser of browsers) await browser.close();
  for (const home of homes) rmSync(home, { recursive: true, force: true });
  await server.remove();
});

// A person's home directory, in which the system's browsers look for authorities.
function home() {
  const made = mkdtempSync(join(tmpdir(), 'greenroom-home-'));
  homes.push(made);
  const database = join(made, '.pki/nssdb');
  mkdirSync(database, { recursive: true });
  certutil(['-N', '-d', `sql:${database}`, '--empty-password']);
  return { made, database: `sql:${database}` };
}

function certutil(args) {
  try {
    execFileSync('certutil', args, { stdio: 'pipe' });
  } catch (error) {
    throw new Error(`certutil (Debian: libnss3-tools) is needed: ${error.message}`);
  }
}

async function browserAt({ made }) {
  const browser = await Browser.open(origin, { flags: FLAGS, env: { HOME: made } });
  browsers.push(browser);
  return browser;
}

test('without the authority no page is shown', async () => {
  const page = await (await browserAt(home())).person();
  for (const address of [origin, server.url]) {
    await assert.rejects(page.goto(`${address}/signin`), /ERR_CERT_AUTHORITY_INVALID/);
  }
});

test('with it one signs in, and the cookies and the socket are safe', async () => {
  const trusting = home();
  const authority = join(server.data, 'local-authority.pem');
  certutil(['-A', '-d', trusting.database, '-t', 'C,,', '-n', 'greenroom', '-i', authority]);
  const browser = await browserAt(trusting);
  const page = await browser.person();
  const sockets = [];
  page.on('websocket', (socket) => sockets.push(socket.url()));

  const first = await page.goto(`${origin}/signin`);
  assert.equal(first.headers()['strict-transport-security'], 'max-age=31536000');
  const security = await first.securityDetails();
  assert.match(security.protocol, /^TLS 1\.3/);
  assert.ok(security.issuer, 'somebody signed it');

  const token = server.setupLink().split('#').at(-1);
  const setup = { token, organisation: 'O', email: EMAIL, display_name: 'Amara', password: PASSWORD };
  const questions = ['Tell me about a process that you improved.'];
  const room = await page.evaluate(
    async ([body, interview]) => {
      const post = async (path, sent, headers = {}) => {
        const init = { method: 'POST', body: JSON.stringify(sent) };
        init.headers = { 'Content-Type': 'application/json', ...headers };
        const answer = await fetch(path, init);
        if (!answer.ok) throw new Error(`${path}: ${await answer.text()}`);
        return answer.json();
      };
      const { access_token } = await post('/api/v1/setup', body);
      const bearer = { Authorization: `Bearer ${access_token}` };
      return (await post('/api/v1/interviews', interview, bearer)).id;
    },
    [setup, { kind: 'practice', questions }],
  );
  await page.context().clearCookies();

  await page.goto(`${origin}/signin?next=/rooms/${room}`);
  await page.getByLabel('E-mail').fill(EMAIL);
  await page.getByLabel('Password', { exact: true }).fill(PASSWORD);
  await page.getByRole('button', { name: 'Sign in', exact: true }).click();
  await page.getByRole('button', { name: 'Start', exact: true }).click();
  await page.getByRole('heading', { name: questions[0] }).waitFor();
  assert.deepEqual(sockets, [`${origin.replace('https', 'wss')}/api/v1/rooms/${room}/socket`]);

  const cookies = await page.context().cookies();
  assert.ok(cookies.length >= 2, JSON.stringify(cookies));
  for (const cookie of cookies) {
    assert.ok(cookie.secure && cookie.sameSite === 'Strict', JSON.stringify(cookie));
  }
  assert.ok(cookies.some((cookie) => cookie.httpOnly), 'the session is out of reach of scripts');

  assert.deepEqual(browser.trouble, []);

  // Who trusts it has not trusted this machine with every other name.
  const other = await browser.person();
  await assert.rejects(other.goto(origin.replace(NAME, OTHER)), /ERR_CERT_COMMON_NAME_INVALID/);
});
