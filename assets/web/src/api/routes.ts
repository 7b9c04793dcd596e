// Every call that the pages make, with its types: the one list of what the web app needs from the
// server.
import { del, get, patch, post, put, remove } from './client.ts';
import type {
  ApiToken,
  AuditRow,
  Calibrations,
  Concerns,
  Consent,
  Drift,
  Erased,
  Hold,
  Id,
  Interview,
  InterviewSummary,
  InterviewerSide,
  Invitation,
  InviteLink,
  Kit,
  Ledger,
  Login,
  Me,
  Mode,
  ModelAnswer,
  NewFactor,
  NewShare,
  NextQuestion,
  OwnFeedback,
  Page,
  Person,
  PracticeContext,
  Profile,
  Progress,
  Readiness,
  Rephrased,
  RephrasedHints,
  Report,
  Retention,
  Role,
  RoomEvent,
  Share,
  SignInProvider,
  Ticket,
  WholeCalibration,
} from './types.ts';

// A page of a list; more are asked for with `next`.
const PAGE = 50;
// Events are asked for in larger steps: a practice has a few dozen.
const EVENTS = 500;

const enc = encodeURIComponent;

export const api = {
  setupNeeded: () => get<{ needed: boolean }>('/setup'),
  setup: (body: {
    token: string;
    organisation: string;
    display_name: string;
    email: string;
    password: string;
  }) => post<object>('/setup', body),

  signIn: (email: string, password: string, code: string) =>
    post<object>('/auth/login', { email, password, ...(code ? { code } : {}) }),
  sessions: () => get<Page<Login>>('/me/sessions'),
  endSession: (id: Id) => del(`/me/sessions/${enc(id)}`),
  endOtherSessions: () => del('/me/sessions'),
  changePassword: (body: { current_password: string; new_password: string }) =>
    post<void>('/me/password', body),
  beginTotp: (password: string) => post<NewFactor>('/me/totp', { password }),
  confirmTotp: (code: string) => post<{ recovery_codes: string[] }>('/me/totp/confirm', { code }),
  removeTotp: (password: string) => remove<void>('/me/totp', { password }),
  providers: () => get<Page<SignInProvider>>('/auth/oidc'),
  signOut: () => post<void>('/auth/logout'),
  invitation: (token: string) => post<Invitation>('/auth/invite', { token }),
  accept: (body: { token: string; display_name: string; password: string }) =>
    post<object>('/auth/accept', body),

  me: () => get<Me>('/me'),
  context: () => get<PracticeContext>('/me/context'),
  saveContext: (context: PracticeContext) => put<PracticeContext>('/me/context', context),
  uploadCv: (file: File) => {
    const form = new FormData();
    form.append('file', file);
    return post<{ characters: number; pages?: number }>('/me/cv', form);
  },
  readiness: () => get<Readiness>('/me/readiness'),
  progress: () => get<Progress>('/me/progress'),
  ownFeedback: () => get<OwnFeedback>('/me/feedback'),
  ledger: () => get<Ledger>('/me/ledger'),
  profile: () => get<Profile>('/me/profile'),
  tokens: (of?: Id) => get<Page<ApiToken>>(tokensOf(of)),
  addToken: (body: { name: string; read_only: boolean; expires_in: number }, of?: Id) =>
    post<ApiToken & { token: string }>(tokensOf(of), body),
  removeToken: (id: Id, of?: Id) => del(`${tokensOf(of)}/${enc(id)}`),
  calibrations: () => get<Calibrations>('/calibrations'),
  calibration: (version: string) => get<WholeCalibration>(`/calibrations/${enc(version)}`),
  drift: (version: string) => get<Drift>(`/calibrations/${enc(version)}/drift`),
  addCalibration: (version: string, toml: string) =>
    post<WholeCalibration>('/calibrations', { version, toml }),
  activateCalibration: (version: string) =>
    post<WholeCalibration>(`/calibrations/${enc(version)}/activate`),
  audit: (action: string, after?: string) =>
    get<Page<AuditRow>>(`/admin/audit?${query(after)}${action ? `&action=${enc(action)}` : ''}`),

  eraseMe: () => remove<Erased>('/me'),
  consent: (id: Id) => get<Consent>(`/interviews/${enc(id)}/consent`),
  answerConsent: (id: Id, body: { given: boolean; sha256: string }) =>
    post<Consent>(`/interviews/${enc(id)}/consent`, body),
  retention: () => get<Retention>('/admin/retention'),
  setRetention: (rules: Retention['rules']) => put<Retention>('/admin/retention', { rules }),
  holds: () => get<Page<Hold>>('/admin/holds'),
  hold: (body: { person_id: Id; reason: string }) => post<object>('/admin/holds', body),
  release: (id: Id) => del(`/admin/holds/${enc(id)}`),
  erasures: () => get<Page<Erased>>('/admin/erasures'),

  people: (cursor?: string) => get<Page<Person>>(`/people?${query(cursor)}`),
  addPerson: (body: { email: string; display_name: string; role: Role }) =>
    post<Person & InviteLink>('/people', body),
  inviteAgain: (id: Id) => post<InviteLink>(`/people/${enc(id)}/invite`),
  setDisabled: (id: Id, disabled: boolean) => patch<Person>(`/people/${enc(id)}`, { disabled }),

  modes: () => get<{ items: Mode[] }>('/modes'),
  mix: async (mode: string): Promise<string[]> =>
    (await get<{ mix: { changes: string[] } }>(`/modes?mode=${encodeURIComponent(mode)}`)).mix
      .changes,
  kits: () => get<{ items: Kit[] }>('/kits'),

  interviews: (cursor?: string) => get<Page<InterviewSummary>>(`/interviews?${query(cursor)}`),
  interview: (id: Id) => get<Interview>(`/interviews/${enc(id)}`),
  startPractice: (kit: Kit, mode: string) =>
    post<Interview>('/interviews', {
      kind: 'practice',
      kit_id: kit.id,
      role: kit.role,
      mode,
      title: kit.title,
    }),
  // Without a kit: own questions, or with none the coach chooses each.
  startOwn: (questions: readonly string[], mode: string, title: string) =>
    post<Interview>('/interviews', {
      kind: 'practice',
      mode,
      title,
      ...(questions.length > 0 ? { questions } : {}),
    }),
  begin: (id: Id) => post<Interview>(`/interviews/${enc(id)}/start`),
  ticket: (id: Id) => post<Ticket>(`/interviews/${enc(id)}/ticket`),
  events: (id: Id, after: number) =>
    get<Page<RoomEvent>>(`/interviews/${enc(id)}/events?after=${after}&limit=${EVENTS}`),

  modelAnswer: (id: Id, answer: Id) =>
    post<ModelAnswer>(`/interviews/${enc(id)}/answers/${enc(answer)}/model-answer`),
  nextQuestion: (id: Id) => post<NextQuestion>(`/interviews/${enc(id)}/questions/next`),
  rephrase: (id: Id, question: Id) =>
    post<Rephrased>(`/interviews/${enc(id)}/questions/${enc(question)}/rephrase`),

  rephraseHints: (id: Id, answer: Id) =>
    post<RephrasedHints>(`/interviews/${enc(id)}/answers/${enc(answer)}/rephrase`),

  checkQuestion: (id: Id, text: string) =>
    post<Concerns>(`/interviews/${enc(id)}/questions/check`, { text }),
  interviewerSide: (id: Id) => get<InterviewerSide>(`/interviews/${enc(id)}/interviewer`),
  report: (id: Id) => get<Report>(`/interviews/${enc(id)}/report`),
  shared: (token: string) => get<Report>(`/shared/${enc(token)}`),
  exportUrl: (id: Id, format: string) => `/api/v1/interviews/${enc(id)}/export?format=${format}`,
  shares: (id: Id) => get<Page<Share>>(`/interviews/${enc(id)}/shares`),
  share: (id: Id, expires_in: number) =>
    post<NewShare>(`/interviews/${enc(id)}/shares`, { expires_in }),
  revoke: (id: Id, share: Id) => del(`/interviews/${enc(id)}/shares/${enc(share)}`),
  feedback: (id: Id, body: { accurate: boolean; note?: string }) =>
    post<object>(`/interviews/${enc(id)}/feedback`, body),
};

// The own ones, or those of a service account.
function tokensOf(person?: Id): string {
  return person ? `/people/${enc(person)}/tokens` : '/me/tokens';
}

function query(cursor?: string): string {
  return cursor ? `limit=${PAGE}&cursor=${enc(cursor)}` : `limit=${PAGE}`;
}
