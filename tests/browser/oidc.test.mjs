// Signing in with a real OpenID provider, which this test runs on a free port of this machine.
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import Provider from 'oidc-provider';
import { Browser } from './browser.mjs';
import { Server } from './server.mjs';

const SECRET = 'a secret with a & and a %';
const ADMIN = {
  organisation: 'Lighthouse',
  email: 'ada@example.org',
  display_name: 'Ada',
  password: 'a long sentence that nobody guesses',
};
// What the provider knows of its people.
const GROUPS = { tove: ['hiring'], odd: ['unheard-of'] };

const folder = mkdtempSync(join(tmpdir(), 'greenroom-oidc-'));
const web = createServer((request, response) => provider.callback()(request, response));
let provider;
let server;
let browser;

async function listen() {
  await new Promise((done) => web.listen(0, '127.0.0.1', done));
  return `http://127.0.0.1:${web.address().port}`;
}

function open(issuer, redirect) {
  const made = new Provider(issuer, {
    clients: [{ client_id: 'greenroom', client_secret: SECRET, redirect_uris: [redirect] }],
    scopes: ['openid', 'email', 'profile', 'groups'],
    claims: {
      openid: ['sub'],
      email: ['email', 'email_verified'],
      profile: ['name'],
      groups: ['groups'],
    },
    pkce: { required: () => true },
    cookies: { keys: ['a key of the test'] },
    findAccount: (_context, id) => ({
      accountId: id,
      claims: () => ({
        sub: id,
        name: `${id} of the provider`,
        email: `${id}@id.example.org`,
        email_verified: true,
        groups: GROUPS[id] ?? [],
      }),
    }),
  });
  // On this machine it may speak plain HTTP.
  made.proxy = false;
  return made;
}

async function setUp() {
  const [, token] = /\/setup#(\S+)/.exec(server.stderr);
  const answer = await fetch(`${server.url}/api/v1/setup`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ token, ...ADMIN }),
  });
  assert.equal(answer.status, 201, await answer.text());
}

before(async () => {
  const issuer = await listen();
  const secret = join(folder, 'secret');
  writeFileSync(secret, `${SECRET}\n`);
  const settings = [
    {
      name: 'Acme ID',
      issuer,
      client_id: 'greenroom',
      client_secret_file: secret,
      scopes: ['openid', 'email', 'profile', 'groups'],
      role_claim: 'groups',
      roles: { hiring: 'interviewer' },
    },
  ];
  server = new Server({ GREENROOM_AUTH_OIDC: JSON.stringify(settings) });
  await server.start();
  provider = open(issuer, `${server.url}/api/v1/auth/oidc/acme-id/callback`);
  await setUp();
  browser = await Browser.open(server.url);
});

after(async () => {
  await browser?.close();
  await server?.remove();
  web.closeAllConnections();
  web.close();
  rmSync(folder, { recursive: true, force: true });
});

// Goes to the provider from the page and signs in there as this person.
async function there(page, name) {
  await page.goto(`${server.url}/signin`);
  await page.getByRole('button', { name: 'Sign in with Acme ID' }).click();
  await page.getByPlaceholder('Enter any login').fill(name);
  await page.getByPlaceholder('and password').fill('any');
  await page.getByRole('button', { name: 'Sign-in' }).click();
}

async function me(page) {
  return page.evaluate(async () => (await fetch('/api/v1/me')).json());
}

test('the page to sign in has a button for the provider', async () => {
  const page = await browser.person();
  await page.goto(`${server.url}/signin`);
  await page.getByRole('button', { name: 'Sign in with Acme ID' }).waitFor();
  await browser.look(page, 'sign-in-with-provider');
  await page.goto(`${server.url}/signin?trouble=failed`);
  await page.getByText('What your provider said does not hold.').waitFor();
  await page.context().close();
});

test('a person comes in through the provider and is the same the next time', async () => {
  const ids = [];
  for (let visit = 0; visit < 2; visit += 1) {
    const page = await browser.person();
    await there(page, 'tove');
    await page.getByRole('button', { name: 'Continue' }).click();
    await page.waitForURL(`${server.url}/`);
    await page.getByRole('heading', { level: 1 }).waitFor();
    const found = await me(page);
    assert.equal(found.email, 'tove@id.example.org');
    assert.equal(found.display_name, 'tove of the provider');
    assert.equal(found.role, 'interviewer', 'the group makes the role');
    ids.push(found.id);
    await page.context().close();
  }
  assert.equal(ids[0], ids[1]);
});

test('a group that nobody mapped makes a candidate', async () => {
  const page = await browser.person();
  await there(page, 'odd');
  await page.getByRole('button', { name: 'Continue' }).click();
  await page.waitForURL(`${server.url}/`);
  assert.equal((await me(page)).role, 'candidate');
  await page.context().close();
});

test('whoever turns back at the provider is told so and stays outside', async () => {
  const page = await browser.person();
  await there(page, 'tove');
  await page.getByRole('link', { name: 'Cancel' }).click();
  await page.waitForURL(`${server.url}/signin?trouble=denied`);
  await page.getByText('Your provider did not let you in.').waitFor();
  assert.equal((await me(page)).code, 'auth.missing');
  await page.context().close();
});

test('a way back that was overheard is of no use in another browser', async () => {
  const page = await browser.person();
  await there(page, 'tove');
  let overheard;
  page.on('request', (request) => {
    if (request.url().includes('/callback?')) overheard = request.url();
  });
  await page.getByRole('button', { name: 'Continue' }).click();
  await page.waitForURL(`${server.url}/`);
  assert.ok(overheard, 'the browser came back with a code');
  const thief = await browser.person();
  await thief.goto(overheard);
  assert.equal(thief.url(), `${server.url}/signin?trouble=stale`);
  assert.equal((await me(thief)).code, 'auth.missing');
  // Nor a second time in the same one.
  await page.goto(overheard);
  assert.equal(page.url(), `${server.url}/signin?trouble=stale`);
  await page.context().close();
});
