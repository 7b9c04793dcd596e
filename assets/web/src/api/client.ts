// One door to the server: cookies, CSRF, idempotency keys, retries and problem documents in one
// place.
import type { FieldProblem, Problem } from './types.ts';
import { freshId } from './id.ts';
import { t } from '../strings.ts';

// Two retries bridge a leader change or a dropped packet; a person should not wait longer unasked.
const RETRIES = 2;
const RETRY_FIRST_MS = 400;
const RETRY_MAX_MS = 4000;
const TIMEOUT_MS = 20_000;

type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';

// What the server refused, or that it could not be reached (`status` 0, `code` 'offline').
export class ApiError extends Error {
  readonly status: number;
  readonly code: string;
  readonly requestId: string | undefined;
  readonly fields: FieldProblem[];
  readonly retryAfterMs: number | undefined;

  constructor(problem: Problem) {
    super(problem.detail);
    this.status = problem.status;
    this.code = problem.code;
    this.requestId = problem.request_id;
    this.fields = problem.errors ?? [];
    this.retryAfterMs = problem.retry_after_ms;
  }
}

let onSignedOut: () => void = () => undefined;
let onSetupNeeded: () => void = () => undefined;

// The session store hangs itself in here; the client knows nothing of pages.
export function onRefusals(handlers: { signedOut: () => void; setupNeeded: () => void }): void {
  onSignedOut = handlers.signedOut;
  onSetupNeeded = handlers.setupNeeded;
}

export function get<T>(path: string): Promise<T> {
  return send<T>('GET', path);
}

export function post<T>(path: string, body: unknown = {}): Promise<T> {
  return send<T>('POST', path, body);
}

export function put<T>(path: string, body: unknown): Promise<T> {
  return send<T>('PUT', path, body);
}

export function patch<T>(path: string, body: unknown): Promise<T> {
  return send<T>('PATCH', path, body);
}

export function del(path: string): Promise<void> {
  return send<void>('DELETE', path);
}

// The same where the answer says what went.
export function remove<T>(path: string, body?: unknown): Promise<T> {
  return send<T>('DELETE', path, body);
}

// Text for a person, whatever was thrown.
export function saying(error: unknown): string {
  return error instanceof Error && error.message ? error.message : t.errors.unknown;
}

async function send<T>(method: Method, path: string, body?: unknown): Promise<T> {
  const headers: Record<string, string> = { Accept: 'application/json' };
  if (method !== 'GET') headers['X-CSRF-Token'] = cookie('csrf') ?? '';
  // One key per act of the person: its retries below carry the same one, so that it happens once.
  if (method === 'POST') headers['Idempotency-Key'] = freshId();
  const init: RequestInit = { method, headers, credentials: 'same-origin', cache: 'no-store' };
  if (body instanceof FormData) {
    // The browser writes the type with the boundary that it chose.
    init.body = body;
  } else if (body !== undefined) {
    headers['Content-Type'] = 'application/json';
    init.body = JSON.stringify(body);
  }
  // PATCH and DELETE carry no key; repeating a PUT or a DELETE changes nothing more.
  const repeatable = method !== 'PATCH';
  for (let attempt = 0; ; attempt += 1) {
    try {
      return await once<T>(path, init);
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      if (!repeatable || attempt >= RETRIES || !worthRetrying(error)) throw settled(error, path);
      const wait = error.retryAfterMs ?? RETRY_FIRST_MS * 2 ** attempt;
      await sleep(Math.min(wait, RETRY_MAX_MS));
    }
  }
}

async function once<T>(path: string, init: RequestInit): Promise<T> {
  let response: Response;
  try {
    response = await fetch(`/api/v1${path}`, { ...init, signal: AbortSignal.timeout(TIMEOUT_MS) });
  } catch {
    throw new ApiError({ status: 0, code: 'offline', detail: t.errors.offline });
  }
  if (response.ok) {
    const text = await response.text().catch(() => {
      throw new ApiError({ status: 0, code: 'offline', detail: t.errors.offline });
    });
    return (text ? JSON.parse(text) : undefined) as T;
  }
  throw new ApiError(await problemOf(response));
}

async function problemOf(response: Response): Promise<Problem> {
  const problem = (await response.json().catch(() => ({}))) as Partial<Problem>;
  const after = Number(response.headers.get('Retry-After'));
  const full: Problem = {
    status: response.status,
    code: problem.code ?? 'fault',
    detail: problem.detail ?? problem.title ?? t.errors.status(response.status),
  };
  const id = problem.request_id ?? response.headers.get('X-Request-Id');
  if (id) full.request_id = id;
  if (problem.errors) full.errors = problem.errors;
  if (problem.retry_after_ms !== undefined) full.retry_after_ms = problem.retry_after_ms;
  else if (after > 0) full.retry_after_ms = after * 1000;
  return full;
}

function worthRetrying(error: ApiError): boolean {
  return (
    error.status === 0 ||
    error.code === 'cluster.no_leader' ||
    error.code === 'idempotency.in_flight'
  );
}

// The last word on an act: those refusals that concern the whole page are told to it.
function settled(error: ApiError, path: string): ApiError {
  if (error.code === 'setup.needed') onSetupNeeded();
  // At the door a 401 only means a wrong password.
  if (error.status === 401 && path !== '/auth/login') onSignedOut();
  return error;
}

function cookie(name: string): string | undefined {
  const pair = document.cookie.split('; ').find((entry) => entry.startsWith(`${name}=`));
  return pair ? decodeURIComponent(pair.slice(name.length + 1)) : undefined;
}

function sleep(ms: number): Promise<void> {
  return new Promise((done) => setTimeout(done, ms));
}
