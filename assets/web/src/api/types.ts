// The shapes that cross the wire, as the contract states them. Optional fields are those that may
// be absent.

export type Id = string;
export type Time = string;
export type Role = 'admin' | 'manager' | 'interviewer' | 'candidate' | 'observer' | 'service';
export const ROLES: readonly Role[] = [
  'candidate',
  'interviewer',
  'manager',
  'observer',
  'admin',
  'service',
];

export interface Page<T> {
  items: T[];
  next: string | null;
}

export interface Problem {
  type?: string;
  title?: string;
  status: number;
  detail: string;
  code: string;
  request_id?: string;
  errors?: FieldProblem[];
  retry_after_ms?: number;
}

export interface FieldProblem {
  field: string;
  detail: string;
}

export interface Me {
  id: Id;
  email: string;
  display_name: string;
  role: Role;
  tier?: string;
  organisation: string;
  second_factor?: boolean;
  // Whether a language model writes example answers here.
  model_answers?: boolean;
}

export interface Login {
  id: Id;
  created_at: Time;
  expires_at: Time;
  current: boolean;
}

export interface NewFactor {
  secret: string;
  uri: string;
}

// Somebody else whom people can sign in with; `start` is the address that leads there.
export interface SignInProvider {
  name: string;
  start: string;
}

export interface Invitation {
  email: string;
  display_name: string;
  organisation: string;
  expires_at: Time;
}

export interface Person {
  id: Id;
  email: string;
  display_name: string;
  role: Role;
  state: 'invited' | 'active' | 'disabled';
  created_at: Time;
}

export interface InviteLink {
  invite_url: string;
  invite_expires_at: Time;
}

export interface PracticeContext {
  cv_text: string;
  job_description: string;
  target_role: string;
  mode: string;
  assist_intensity: 1 | 2 | 3;
}

export interface Mode {
  id: string;
  kind: 'company' | 'role' | 'round' | 'purpose';
  label: string;
  changes: string[];
  why: string;
}

export interface Kit {
  id: string;
  version: number;
  title: string;
  role: string;
  description: string;
  built_in: boolean;
  competencies: { id: string; name: string; about: string; anchors: string[] }[];
  questions: KitQuestion[];
}

export interface KitQuestion {
  id: string;
  text: string;
  competency: string;
  looks_for: string[];
  focus: string[];
}

export type InterviewState = 'scheduled' | 'lobby' | 'live' | 'finished' | 'cancelled';

export interface InterviewSummary {
  id: Id;
  kind: 'practice' | 'live';
  state: InterviewState;
  title: string;
  role: string | null;
  mode: string | null;
  created_at: Time;
  started_at: Time | null;
  finished_at: Time | null;
  last_seq: number;
  report_ready: boolean;
  score?: number | null;
}

export interface Interview extends InterviewSummary {
  kit_id: string | null;
  auto_ask: boolean;
  owner: Id;
  scheduled_at: Time | null;
  questions: Question[];
  members: { person_id: Id; display_name: string; part: string; owner: boolean }[];
}

export interface Question {
  question_id: Id;
  text: string;
  competency: string | null;
  asked_seq: number | null;
  answer_id: Id | null;
  turn: 'planned' | 'asked' | 'answering' | 'analysed' | 'skipped';
  // From the event that asked it, in a practice that asked for its next question.
  because?: Because | undefined;
}

// The fixed names of the engine, in the order in which people read them.
export const SIGNALS = [
  'structure',
  'ownership',
  'quantified_evidence',
  'specificity',
  'trade_off',
  'causal',
  'relevance',
  'filler_rate',
  'words_per_minute',
  'pause_share',
  'length_words',
] as const;
export type SignalName = (typeof SIGNALS)[number];

export interface Evidence {
  from: number;
  to: number;
  rule: string;
}

export interface Signal {
  value: number | null;
  evidence: Evidence[];
  anchor?: string;
  next?: string;
}

export type Star = 'situation' | 'task' | 'action' | 'result' | 'reflection' | 'other';

export interface Sentence {
  from: number;
  to: number;
  star: Star;
  weak: string[];
}

export interface Driver {
  signal: string;
  points: number;
}

export interface Quote {
  source: string;
  index?: number;
  text: string;
  from: number;
  to: number;
}

export interface Conflict {
  a: Quote;
  b: Quote;
  rule: string;
  severity: 'minor' | 'material';
  state?: 'open' | 'explained' | 'resolved';
  // What would clear it up.
  probe?: string;
  // In a report: the later answer and, unless the CV was quoted, the earlier one.
  answer_id?: Id;
  earlier_answer_id?: Id | null;
}

export interface Hint {
  code: string;
  text: string;
  from?: number;
  to?: number;
}

export interface Calibration {
  version: string;
  sha256: string;
}

export interface Analysis {
  status: 'scored' | 'insufficient';
  score: number | null;
  baseline: number | null;
  calibration: Calibration;
  signals: Record<string, Signal>;
  sentences: Sentence[];
  drivers: Driver[];
  answered: { label: 'clear' | 'partial' | 'declined' | null; met?: string[]; missed?: string[] };
  conflicts: Conflict[];
  hints: Hint[];
  insufficient_because?: string;
}

export interface Finding {
  signal: string;
  text: string;
  answer_id: Id;
  from?: number;
  to?: number;
}

export interface ReportAnswer {
  question: { question_id: Id; text: string };
  answer: { answer_id: Id; text: string };
  analysis: Analysis | null;
}

export interface TimelineItem {
  seq: number | null;
  at: Time | null;
  kind: string;
  question_id?: Id;
  answer_id?: Id;
  score?: number | null;
  words?: number;
  label?: string;
}

// How far a competency of the kit or a requirement of the job is shown.
export interface Covered {
  of: 'kit' | 'job';
  name: string;
  weight?: 'must' | 'nice';
  status: 'met' | 'thin' | 'none';
  evidence: { answer_id: Id; from: number; to: number }[];
}

export interface Report {
  interview_id: Id;
  kind: string;
  title?: string;
  role: string | null;
  mode: string | null;
  finished_at: Time | null;
  // Null without answers.
  calibration: Calibration | null;
  // Says so if the answers were scored under different calibrations.
  calibration_note?: string;
  score: number | null;
  baseline: number | null;
  drivers: Driver[];
  summary: Record<string, number | null>;
  strengths: Finding[];
  risks: Finding[];
  answers: ReportAnswer[];
  timeline: TimelineItem[];
  conflicts: Conflict[];
  coverage?: Covered[];
  delivery: Record<string, number | null>;
  limits: string;
}

// Where one's practices stand; the index and the interval are null without a scored practice.
export interface Readiness {
  index: number | null;
  interval: [number, number] | null;
  baseline: number | null;
  drivers: Driver[];
  points: { interview_id: Id; finished_at: Time | null; score: number; index: number }[];
  change: number | null;
  fix_next: {
    signal: string;
    points: number;
    text: string;
    interview_id: Id;
    answer_id: Id;
    from?: number;
    to?: number;
  }[];
  about: string;
}

export interface Share {
  id: Id;
  created_at: Time;
  expires_at: Time;
  revoked_at: Time | null;
}

export interface NewShare {
  id: Id;
  token: string;
  url: string;
  expires_at: Time;
}

export interface Ticket {
  ticket: string;
  expires_in: number;
  socket: string;
}

export type Meters = Record<string, number | null>;

interface EventOf<K extends string, D> {
  seq: number;
  at: Time;
  kind: K;
  by: Id | null;
  data: D;
}

export type RoomEvent =
  | EventOf<'interview.started', object>
  | EventOf<'question.asked', { question_id: Id; text: string; auto: boolean; because?: Because }>
  | EventOf<'question.skipped', { question_id: Id }>
  | EventOf<'transcript.final', { question_id?: Id; text: string }>
  | EventOf<
      'answer.analysed',
      { answer_id: Id; question_id: Id; text: string; analysis: Analysis | null }
    >
  | EventOf<'member.added' | 'member.removed', { person_id: Id; part?: string }>
  | EventOf<'interview.finished' | 'interview.cancelled' | 'report.ready', object>;

// Why the coach chose a question; `about` is the one whose answer it follows up.
export interface Because {
  rule: string;
  text: string;
  about?: Id;
}

export interface NextQuestion {
  question_id: Id;
  seq: number;
  text: string;
  because: Because;
}

// A follow-up in other words; `reason` says why they are Greenroom's own after all.
export interface Rephrased {
  question_id: Id;
  text: string;
  source: 'local' | 'model';
  model?: string;
  reason?: string;
}

// The hints on one answer, each in other words or in Greenroom's own.
export interface RephrasedHints {
  answer_id: Id;
  hints: (Hint & Pick<Rephrased, 'source' | 'model' | 'reason'>)[];
}

// What an interviewer is told about a question before it is asked.
export interface Concerns {
  concerns: { rule: string; text: string; from: number; to: number; why: string; instead: string }[];
  about: string;
}

// Advice on an answer that is still being written.
export interface LiveHint {
  question_id?: Id;
  code: string;
  rule: string;
  text: string;
  severity: 'low' | 'medium' | 'high';
  priority: number;
  from?: number;
  to?: number;
}

export type ByeCode =
  | 'draining'
  | 'leader_changed'
  | 'slow_reader'
  | 'too_many_sockets'
  | 'ticket_invalid'
  | 'removed'
  | 'session_ended'
  | 'room_finished';

export type ServerFrame =
  | {
      type: 'welcome';
      connection_id: string;
      you: { person_id: Id; part: string };
      interview: Interview;
      seq: number;
      epoch: number;
      missed: boolean;
    }
  | ({ type: 'event' } & RoomEvent)
  | { type: 'ack'; id: string; seq?: number; question_id?: Id; answer_id?: Id; note_id?: Id }
  | { type: 'refused'; id?: string; code: string; detail: string; retry_after_ms?: number }
  | { type: 'meters'; question_id?: Id; signals: Meters }
  | ({ type: 'hint' } & LiveHint)
  | { type: 'pong'; at: unknown }
  | { type: 'bye'; code: ByeCode; detail: string; retry_after_ms?: number }
  | { type: 'note' | 'partial' | 'presence' | 'signal' };

// Frames that want an acknowledgement: they are kept until it comes and sent again with the same
// id.
export type DurableFrame =
  | { type: 'start' | 'finish'; id: string }
  | { type: 'skip'; id: string; question_id: Id }
  | { type: 'ask'; id: string; text: string }
  | { type: 'answer'; id: string; question_id: Id; text: string; duration_s?: number };

export interface Erased {
  receipt_id: Id;
  erased_at: Time;
  counts: Record<string, number>;
  person_id?: Id | null;
}

export type RetentionKind = 'practice' | 'live' | 'cv';

export interface Retention {
  rules: { kind: RetentionKind; days: number }[];
  due: { interviews: number; contexts: number };
}

export interface Hold {
  id: Id;
  person_id: Id | null;
  interview_id: Id | null;
  reason: string;
  created_at: Time;
  released_at: Time | null;
}

export interface Consent {
  asked: boolean;
  text: string;
  sha256: string;
  now: { person_id: Id; given: boolean }[];
}

// One practice on the way, oldest first; `summary` has the report's numbers by name.
export interface ProgressPoint {
  interview_id: Id;
  title: string | null;
  role: string | null;
  finished_at: Time | null;
  score: number | null;
  summary: Record<string, number | null>;
}

export interface Trend {
  name: string;
  practices: number;
  first: number | null;
  latest: number | null;
  change: number | null;
  // Told from three practices on.
  direction: 'up' | 'down' | 'stable' | null;
}

export interface Progress {
  points: ProgressPoint[];
  trends: Trend[];
  mixed_calibrations: boolean;
  about: string;
}

export interface OwnFeedback {
  items: { id: Id; interview_id: Id; at: Time; accurate: boolean; note: string | null }[];
  total: number;
  accurate: number;
  accurate_share: number | null;
}

export interface LedgerEntry extends Conflict {
  answer: { answer_id: Id; interview_id: Id } | null;
  // Null where the CV is quoted.
  earlier_answer: { answer_id: Id; interview_id: Id } | null;
}

export interface Ledger {
  items: LedgerEntry[];
  answers: number;
}

interface Span {
  from: number;
  to: number;
}

export interface Profile {
  cv: {
    years: number | null;
    // Whether the newest stage has no end: its years are not counted.
    goes_on: boolean;
    stages: (Span & {
      begun: string | null;
      ended: string | null;
      employer: (Span & { text: string }) | null;
      role: (Span & { text: string }) | null;
    })[];
    skills: (Span & { name: string; years: number | null })[];
  };
  job: {
    title: string | null;
    years: number | null;
    requirements: (Span & { text: string; weight: string; skills: string[] })[];
  };
}

export interface ApiToken {
  id: Id;
  name: string;
  read_only: boolean;
  created_at: Time;
  expires_at: Time;
  last_used_on: string | null;
}

export interface AuditRow {
  seq: number;
  at: Time;
  by: Id | null;
  from: string | null;
  action: string;
  subject: string;
  request_id: string | null;
  hash: string;
}

export interface InterviewerSide {
  talk_share: number | null;
  open: number;
  closed: number;
  leading: number;
  kit: {
    share: number | null;
    asked: { question_id: Id; text: string }[];
    missed: { question_id: Id; text: string }[];
  } | null;
  unlawful: { seq: number; from: number; text: string; why: string; instead: string }[];
  complete: boolean;
  about: string;
}

export interface CalibrationRow {
  version: string;
  sha256: string;
  active: boolean;
  built_in: boolean;
  usable: boolean;
  at: Time | null;
}

export interface Calibrations {
  active: string;
  items: CalibrationRow[];
  activations: { version: string; at: Time }[];
}

export interface WholeCalibration extends CalibrationRow {
  toml: string;
  weights?: Record<string, number>;
}

interface Shift {
  mean: number | null;
  p05: number | null;
  p50: number | null;
  p95: number | null;
  largest: number | null;
}

// What another calibration would change over the stored answers.
export interface Drift {
  answers: number;
  scored: number;
  truncated: boolean;
  score: Shift;
  rank_correlation: number | null;
  changed_bands: number;
  signals: { signal: string; weight_from: number; weight_to: number; points: Shift }[];
  golden: object[];
}

// An example by a language model; its quotes were checked word for word.
export interface ModelAnswer {
  answer_id: Id;
  text: string;
  quotes: { source: string; text: string }[];
  about: string;
}
