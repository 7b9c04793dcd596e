// QR codes: dark modules as a path, with light ones all around.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { modules } from '../src/parts/qr.ts';

test('every row is drawn inside of a quiet zone', () => {
  const code = modules('otpauth://totp/Lighthouse:ada?secret=GEZDGNBV');
  assert.ok(code);
  const runs = [...code.path.matchAll(/M(\d+) (\d+)h(\d+)v1h-(\d+)z/g)].map((run) =>
    run.slice(1).map(Number),
  );
  assert.equal(runs.length, code.path.split('M').length - 1);
  const rows = new Set(runs.map(([, y]) => y));
  assert.equal(rows.size, code.size - 8);
  for (const [x = 0, y = 0, width = 0, back] of runs) {
    assert.equal(width, back);
    assert.ok(x >= 4 && x + width <= code.size - 4 && y >= 4 && y < code.size - 4);
  }
});

test('what no QR code can hold is left to be typed', () => {
  assert.equal(modules('x'.repeat(10_000)), null);
});
