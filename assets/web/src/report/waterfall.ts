// From the baseline to the score, one bar per signal: where each bar starts and ends on the axis.
import type { Driver } from '../api/types.ts';

export interface Bar {
  signal: string;
  points: number;
  from: number;
  to: number;
}

export interface Waterfall {
  bars: Bar[];
  // The shown part of the scale; it always holds the baseline, the score and every bar.
  lo: number;
  hi: number;
  ticks: number[];
}

// Points below this are nothing that a person could see or should read.
const NOTHING = 0.0005;

export function waterfall(baseline: number, score: number, drivers: readonly Driver[]): Waterfall {
  let at = baseline;
  const bars: Bar[] = [];
  const shown = drivers.filter((driver) => Math.abs(driver.points) >= NOTHING);
  // What helped comes first, the strongest on top; then what cost most.
  shown.sort(
    (a, b) =>
      Number(b.points > 0) - Number(a.points > 0) || Math.abs(b.points) - Math.abs(a.points),
  );
  for (const driver of shown) {
    bars.push({ signal: driver.signal, points: driver.points, from: at, to: at + driver.points });
    at += driver.points;
  }
  const all = [baseline, score, ...bars.map((bar) => bar.to)];
  const lo = Math.max(0, Math.floor((Math.min(...all) - 2) / 10) * 10);
  const hi = Math.min(100, Math.max(lo + 20, Math.ceil((Math.max(...all) + 2) / 10) * 10));
  const step = hi - lo > 50 ? 20 : 10;
  const ticks: number[] = [];
  for (let tick = Math.ceil(lo / step) * step; tick <= hi; tick += step) ticks.push(tick);
  return { bars, lo: Math.min(lo, hi - 20), hi, ticks };
}
