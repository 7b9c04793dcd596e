// The bars must lead from the baseline to the score without a gap.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { waterfall } from '../src/report/waterfall.ts';

const CASES = [
  { baseline: 50, points: [10, -4.25, 3.5, 0] },
  { baseline: 50, points: [] },
  { baseline: 2, points: [-1.5] },
  { baseline: 60, points: [20, 19.9] },
];

test('each bar starts where the last one ended, and all are on the shown scale', () => {
  for (const { baseline, points } of CASES) {
    const drivers = points.map((value, i) => ({ signal: `s${i}`, points: value }));
    const score = baseline + points.reduce((sum, value) => sum + value, 0);
    const { bars, lo, hi } = waterfall(baseline, score, drivers);
    let at = baseline;
    for (const bar of bars) {
      assert.equal(bar.from, at);
      at = bar.to;
    }
    assert.ok(Math.abs(at - score) < 1e-9);
    for (const value of [baseline, score, ...bars.map((bar) => bar.to)]) {
      assert.ok(value >= lo && value <= hi, `${value} is outside ${lo} to ${hi}`);
    }
  }
});

test('a signal that moved nothing has no bar; the strongest help comes first', () => {
  const { bars } = waterfall(50, 51, [
    { signal: 'none', points: 0 },
    { signal: 'cost', points: -2 },
    { signal: 'small', points: 1 },
    { signal: 'big', points: 2 },
  ]);
  assert.deepEqual(
    bars.map((bar) => bar.signal),
    ['big', 'small', 'cost'],
  );
});
