// Where a number stands on its signal's scale. The words are for orientation on the page; points
// come from the calibration alone.

export type Level = 'low' | 'fair' | 'good';

export interface Scale {
  max: number;
  // From here on (or down to here, where less is better) the word changes.
  fair: number;
  good: number;
  lessIsBetter?: true;
}

// The edges are those of the engine's own anchors.
const SHARE: Scale = { max: 100, fair: 40, good: 70 };

const SCALES: Record<string, Scale> = {
  structure: { max: 100, fair: 40, good: 60 },
  ownership: { max: 100, fair: 38, good: 58 },
  specificity: { max: 100, fair: 30, good: 45 },
  relevance: SHARE,
  consistency: SHARE,
  trade_off: { max: 5, fair: 1, good: 3 },
  quantified_evidence: { max: 10, fair: 1, good: 3 },
  causal: { max: 6, fair: 1, good: 3 },
  filler_rate: { max: 12, fair: 6, good: 2, lessIsBetter: true },
};

// The meters of the room, in reading order.
export const METERS = [
  'structure',
  'ownership',
  'quantified_evidence',
  'specificity',
  'trade_off',
  'causal',
  'relevance',
  'filler_rate',
] as const;

// Evidence that takes from its signal; it is marked differently, because it is no strength.
const AGAINST = new Set([
  'ownership.limited',
  'ownership.given_to_others',
  'ownership.negated_action',
  'ownership.passive_action',
  'quantified.implausible',
  'specificity.vague',
  'specificity.hedge',
  'filler_rate.sound',
]);

// Only signals with a scale of their own get a track and a word; other counts are shown as counts.
export function hasScale(signal: string): boolean {
  return signal in SCALES;
}

export function countsAgainst(rule: string): boolean {
  return AGAINST.has(rule);
}

export function scaleOf(signal: string): Scale {
  return SCALES[signal] ?? SHARE;
}

export function levelOf(signal: string, value: number): Level {
  const scale = scaleOf(signal);
  if (scale.lessIsBetter) {
    if (value <= scale.good) return 'good';
    return value <= scale.fair ? 'fair' : 'low';
  }
  if (value >= scale.good) return 'good';
  return value >= scale.fair ? 'fair' : 'low';
}

// Position on the track from 0 to 1; what is beyond the end stays at the end.
export function share(signal: string, value: number): number {
  return Math.min(1, Math.max(0, value / scaleOf(signal).max));
}

// The part of the track that counts as good, from 0 to 1.
export function target(signal: string): { from: number; to: number } {
  const scale = scaleOf(signal);
  const edge = scale.good / scale.max;
  return scale.lessIsBetter ? { from: 0, to: edge } : { from: edge, to: 1 };
}
