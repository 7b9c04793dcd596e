// A mode is one id or several joined by "+", at most one of each kind.
import type { Mode } from './api/types.ts';

export const MODE_KINDS = ['company', 'role', 'round'] as const;

export type ModeKind = (typeof MODE_KINDS)[number];

export type ModeParts = Record<ModeKind, string>;

/** The mix of what was chosen; "general" where nothing was. */
export function mixOf(parts: ModeParts): string {
  const chosen = MODE_KINDS.map((kind) => parts[kind]).filter((id) => id !== '');
  return chosen.length === 0 ? 'general' : chosen.join('+');
}

/** What of a mix is of which kind; ids that this server does not know are left out. */
export function partsOf(mix: string, modes: readonly Mode[]): ModeParts {
  const parts: ModeParts = { company: '', role: '', round: '' };
  for (const id of mix.split('+')) {
    const mode = modes.find((one) => one.id === id);
    const kind = MODE_KINDS.find((one) => one === mode?.kind);
    if (mode && kind && mode.id !== 'general') parts[kind] = mode.id;
  }
  return parts;
}

/** The labels of a mix for people. */
export function mixLabel(mix: string, plain: (name: string) => string): string {
  return mix.split('+').map(plain).join(', ');
}
