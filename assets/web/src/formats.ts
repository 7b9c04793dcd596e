// Numbers and times for people, by the browser's own language rules.

const DATE_TIME = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'short' });
const DATE = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium' });
const DAY = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeZone: 'UTC' });
const CLOCK = new Intl.DateTimeFormat(undefined, { timeStyle: 'short' });
const ONE = new Intl.NumberFormat(undefined, { maximumFractionDigits: 1 });
const POINTS = new Intl.NumberFormat(undefined, {
  minimumFractionDigits: 1,
  maximumFractionDigits: 1,
  signDisplay: 'exceptZero',
});
const EXACT = new Intl.NumberFormat(undefined, {
  minimumFractionDigits: 3,
  maximumFractionDigits: 3,
});
const EXACT_SIGNED = new Intl.NumberFormat(undefined, {
  minimumFractionDigits: 3,
  maximumFractionDigits: 3,
  signDisplay: 'exceptZero',
});
const PERCENT = new Intl.NumberFormat(undefined, { style: 'percent', maximumFractionDigits: 0 });

export function dateTime(time: string | null | undefined): string {
  return time ? DATE_TIME.format(new Date(time)) : '–';
}

export function date(time: string | null | undefined): string {
  return time ? DATE.format(new Date(time)) : '–';
}

// A day by itself (`2026-11-24`): the same one wherever the browser is.
export function day(day: string): string {
  return DAY.format(new Date(day));
}

export function clock(time: string): string {
  return CLOCK.format(new Date(time));
}

export function number(value: number): string {
  return ONE.format(value);
}

export function points(value: number): string {
  return POINTS.format(value);
}

// Every place that is stored: for tables where the sum must be seen to be right.
export function exact(value: number, signed = false): string {
  return (signed ? EXACT_SIGNED : EXACT).format(value);
}

export function percent(share: number): string {
  return PERCENT.format(share);
}

export function shortHash(hash: string): string {
  return hash.slice(0, 10);
}
