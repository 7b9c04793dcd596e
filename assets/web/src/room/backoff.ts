// How long to wait before the next try: full jitter, so that a thousand pages do not come back at
// once.

export const FIRST_MS = 500;
export const MAX_MS = 8000;
// Below this a countdown is only a flicker, and a dead server would be asked in a tight loop.
export const FLOOR_MS = 250;

// `attempt` counts from 0; `random` gives a number from 0 up to 1.
export function backoffMs(attempt: number, random: () => number): number {
  const ceiling = Math.min(MAX_MS, FIRST_MS * 2 ** Math.min(attempt, 10));
  return Math.max(FLOOR_MS, Math.round(random() * ceiling));
}
