// The one registry of what can be done from the keyboard: the palette, the list and the keys all
// read it.

import { untrack } from 'svelte';

export interface Command {
  id: string;
  label: string;
  // Keys in order, for instance ['g', 'h']; none for commands of the palette only.
  keys?: readonly string[];
  // Shown in the list, handled elsewhere (in a text field).
  shownOnly?: boolean;
  run: () => void;
}

// After the first key of a pair the second must follow within this time.
const PAIR_MS = 1000;
const KEY = 'greenroom.keys';

let groups = $state.raw<readonly (readonly Command[])[]>([]);
let single = $state(stored());

export const commands = {
  get all(): Command[] {
    return groups.flat();
  },
  // Single keys can be switched off, for people who dictate or touch keys by accident.
  get singleKeys(): boolean {
    return single;
  },
  set singleKeys(on: boolean) {
    single = on;
    try {
      if (on) localStorage.removeItem(KEY);
      else localStorage.setItem(KEY, 'off');
    } catch {
      // Not kept, but obeyed until the page closes.
    }
  },
};

// Adds commands for as long as a page stands; call the result when it goes.
export function register(group: readonly Command[]): () => void {
  // Effects call this: reading the list here must not make them depend on it.
  groups = [...untrack(() => groups), group];
  return () => {
    groups = untrack(() => groups).filter((other) => other !== group);
  };
}

let first: { key: string; at: number } | null = null;

export function onKey(event: KeyboardEvent): void {
  if (!single || event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
  if (inField(event.target) || document.querySelector('dialog[open]')) return;
  const before = first && event.timeStamp - first.at < PAIR_MS ? first.key : null;
  first = null;
  for (const command of commands.all) {
    const keys = command.keys;
    if (!keys || command.shownOnly) continue;
    const pair = keys.length === 2 && keys[0] === before && keys[1] === event.key;
    const alone = keys.length === 1 && keys[0] === event.key;
    if (pair || alone) {
      event.preventDefault();
      command.run();
      return;
    }
    if (keys.length === 2 && keys[0] === event.key) first = { key: event.key, at: event.timeStamp };
  }
}

function inField(target: EventTarget | null): boolean {
  const element = target as HTMLElement | null;
  return !!element?.closest?.('input, textarea, select, [contenteditable]');
}

function stored(): boolean {
  try {
    return localStorage.getItem(KEY) !== 'off';
  } catch {
    return true;
  }
}
