// Addresses to pages, with the History API. The server answers the same page for all of them.

export type Route =
  | { page: 'home' | 'setup' | 'signin' | 'invite' | 'people' | 'shared' | 'missing' }
  | { page: 'account' | 'data' | 'privacy' | 'progress' | 'facts' | 'audit' | 'calibrations' }
  | { page: 'room' | 'report'; id: string };

const PAGES = [
  'setup',
  'signin',
  'invite',
  'people',
  'shared',
  'account',
  'data',
  'privacy',
  'progress',
  'facts',
  'audit',
  'calibrations',
] as const;

let path = $state(location.pathname);
let visit = $state(0);

export const router = {
  get path(): string {
    return path;
  },
  // Counts navigations, so that the shell knows when to move the focus.
  get visit(): number {
    return visit;
  },
  get route(): Route {
    return routeOf(path);
  },
};

export function routeOf(pathname: string): Route {
  const parts = pathname.split('/').filter((part) => part !== '');
  const [first, second] = parts;
  if (first === undefined) return { page: 'home' };
  if (parts.length === 2 && second !== undefined) {
    if (first === 'rooms') return { page: 'room', id: second };
    if (first === 'reports') return { page: 'report', id: second };
  }
  const page = PAGES.find((name) => name === first);
  return page && parts.length === 1 ? { page } : { page: 'missing' };
}

export function go(to: string, options: { replace?: boolean } = {}): void {
  const url = new URL(to, location.origin);
  if (options.replace) history.replaceState(null, '', url);
  else history.pushState(null, '', url);
  arrive();
  window.scrollTo(0, 0);
}

// The token that a link carries behind the #: it reaches no server log and no Referer.
export function hashToken(): string {
  return decodeURIComponent(location.hash.slice(1));
}

// Takes a used token out of the address and the history.
export function forgetHash(): void {
  history.replaceState(null, '', location.pathname + location.search);
}

export function listen(): () => void {
  const onPop = (): void => arrive();
  const onClick = (event: MouseEvent): void => {
    if (event.defaultPrevented || event.button !== 0) return;
    if (event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
    const link = (event.target as Element).closest('a');
    if (!link || link.target || link.hasAttribute('download')) return;
    if (link.origin !== location.origin || link.pathname.startsWith('/api/')) return;
    event.preventDefault();
    go(link.pathname + link.search + link.hash);
  };
  window.addEventListener('popstate', onPop);
  document.addEventListener('click', onClick);
  return () => {
    window.removeEventListener('popstate', onPop);
    document.removeEventListener('click', onClick);
  };
}

function arrive(): void {
  path = location.pathname;
  visit += 1;
}
