// How somebody signs in: another password, a second factor, and where they are signed in.
import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { after, before, test } from 'node:test';
import jsQR from 'jsqr';
import { Browser } from './browser.mjs';
import { Server } from './server.mjs';

const PERSON = { name: 'Amara Osei', email: 'amara@example.org', password: 'a quiet river at dawn' };
const FRESH = 'seven lanterns by the sea';

const server = new Server();
let browser;

before(async () => {
  await server.start();
  browser = await Browser.open(server.url);
  const token = server.setupLink().split('#').at(-1);
  const response = await fetch(`${server.url}/api/v1/setup`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({
      token,
      organisation: 'Lighthouse',
      display_name: PERSON.name,
      email: PERSON.email,
      password: PERSON.password,
    }),
  });
  assert.equal(response.status, 201);
});

after(async () => {
  await browser?.close();
  await server.remove();
});

// An app for one-time codes, written from the standard.
function codeOf(secret, steps = 0) {
  const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';
  const bits = [...secret].map((c) => letters.indexOf(c).toString(2).padStart(5, '0')).join('');
  const key = Buffer.from(bits.match(/.{8}/g).map((byte) => Number.parseInt(byte, 2)));
  const step = Buffer.alloc(8);
  step.writeBigUInt64BE(BigInt(Math.floor(Date.now() / 30_000) + steps));
  const tag = createHmac('sha1', key).update(step).digest();
  const word = tag.readUInt32BE(tag[19] & 0xf) & 0x7fffffff;
  return String(word % 1_000_000).padStart(6, '0');
}

// What a camera sees in a picture of the page. Not inverted: many cameras do not try that.
async function scanned(locator) {
  const png = (await locator.screenshot()).toString('base64');
  const blank = await browser.chromium.newPage();
  const image = await blank.evaluate(async (png) => {
    const bytes = Uint8Array.from(atob(png), (char) => char.codePointAt(0));
    const bitmap = await createImageBitmap(new Blob([bytes], { type: 'image/png' }));
    const context = new OffscreenCanvas(bitmap.width, bitmap.height).getContext('2d');
    context.drawImage(bitmap, 0, 0);
    const { data, width, height } = context.getImageData(0, 0, bitmap.width, bitmap.height);
    return { data: [...data], width, height };
  }, png);
  await blank.close();
  const data = Uint8ClampedArray.from(image.data);
  return jsQR(data, image.width, image.height, { inversionAttempts: 'dontInvert' })?.data;
}

async function signIn(page, password) {
  await page.goto(`${server.url}/signin?next=/account`);
  await page.getByLabel('E-mail').fill(PERSON.email);
  await page.getByLabel('Password', { exact: true }).fill(password);
  await page.getByRole('button', { name: 'Sign in', exact: true }).click();
}

test('another password, a second factor, and the other browser is signed out', async () => {
  const other = await browser.person();
  await signIn(other, PERSON.password);
  await other.getByRole('heading', { name: 'Where you are signed in' }).waitFor();

  const page = await browser.person();
  await signIn(page, PERSON.password);
  await page.getByText('this browser').waitFor();
  await browser.look(page, 'account');
  await page.getByLabel('Current password', { exact: true }).fill('not this one');
  await page.getByLabel('New password', { exact: true }).fill(FRESH);
  await page.getByRole('button', { name: 'Change password' }).click();
  await page.getByText('this is not the password of this account').waitFor();
  await page.getByLabel('Current password', { exact: true }).fill(PERSON.password);
  await page.getByRole('button', { name: 'Change password' }).click();
  await page.getByText('You are signed out everywhere else.').first().waitFor();
  await other.reload();
  await other.getByRole('button', { name: 'Sign in', exact: true }).waitFor();

  await page.getByRole('button', { name: 'Set up' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByLabel('Password', { exact: true }).fill(FRESH);
  await dialog.getByRole('button', { name: 'Next' }).click();
  const secret = await dialog.getByLabel('Key').inputValue();
  const link = dialog.getByRole('link', { name: 'Open in an app on this device' });
  const uri = await link.getAttribute('href');
  assert.ok(uri.startsWith('otpauth://totp/Lighthouse:') && uri.includes(`secret=${secret}&`), uri);
  const code = dialog.getByRole('img', { name: 'QR code for the app' });
  for (const colorScheme of ['dark', 'light']) {
    await page.emulateMedia({ colorScheme });
    assert.equal(await scanned(code), uri, colorScheme);
  }
  await browser.look(page, 'account-factor');
  await dialog.getByLabel('Code', { exact: true }).fill(codeOf(secret, -1));
  await dialog.getByRole('button', { name: 'Switch on' }).click();
  await dialog.getByText('They are shown only now').waitFor();
  assert.equal(await dialog.locator('code').count(), 10);
  await browser.look(page, 'account-codes');
  await dialog.getByRole('button', { name: 'I have kept them' }).click();
  await page.getByText('You sign in with your password and a code.').waitFor();

  // The password alone opens nothing now.
  await signIn(other, FRESH);
  const field = other.getByLabel('Code', { exact: true });
  await field.waitFor();
  await other.waitForFunction(() => document.activeElement?.name === 'code');
  await browser.look(other, 'sign-in-code');
  await field.fill('000000x');
  await other.getByRole('button', { name: 'Sign in', exact: true }).click();
  await other.getByText('This code is wrong').waitFor();
  await field.fill(codeOf(secret));
  await other.getByRole('button', { name: 'Sign in', exact: true }).click();
  await other.getByText('this browser').waitFor();

  // One login ends the other.
  await page.reload();
  await page.getByRole('button', { name: 'Sign out everywhere else' }).click();
  await page.getByRole('button', { name: 'Sign out everywhere else' }).waitFor({ state: 'detached' });
  await other.reload();
  await other.getByRole('button', { name: 'Sign in', exact: true }).waitFor();

  await page.getByRole('button', { name: 'Switch off' }).click();
  await dialog.getByLabel('Password', { exact: true }).fill(FRESH);
  await dialog.getByRole('button', { name: 'Switch off' }).click();
  await page.getByText('You sign in with your password alone.').waitFor();
});
