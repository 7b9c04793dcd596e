// Who is signed in. The proof is a cookie that no script can read; here is only the name for it.
import { ApiError, onRefusals } from './api/client.ts';
import { api } from './api/routes.ts';
import type { Me } from './api/types.ts';
import { go } from './router.svelte.ts';

let me = $state<Me | null>(null);
let known = $state(false);
let trouble = $state<ApiError | null>(null);

export const session = {
  get me(): Me | null {
    return me;
  },
  // False until the server has said who this is.
  get known(): boolean {
    return known;
  },
  get trouble(): ApiError | null {
    return trouble;
  },
};

export async function load(): Promise<void> {
  trouble = null;
  try {
    me = await api.me();
  } catch (error) {
    me = null;
    const expected =
      error instanceof ApiError && (error.status === 401 || error.code === 'setup.needed');
    if (!expected && error instanceof ApiError) trouble = error;
  }
  known = true;
}

export async function signOut(): Promise<void> {
  try {
    await api.signOut();
  } finally {
    me = null;
    go('/signin');
  }
}

// Pages that people without an account may see.
const OPEN = ['/signin', '/setup', '/invite', '/shared'];

export function isOpen(path: string): boolean {
  return OPEN.includes(path);
}

export function watch(): void {
  onRefusals({
    signedOut: () => {
      me = null;
      known = true;
      if (isOpen(location.pathname)) return;
      const back = location.pathname;
      go(back === '/' ? '/signin' : `/signin?next=${encodeURIComponent(back)}`, { replace: true });
    },
    setupNeeded: () => {
      me = null;
      known = true;
      if (location.pathname !== '/setup') go('/setup', { replace: true });
    },
  });
}
