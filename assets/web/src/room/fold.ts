// The room as a value: what the page knows after each event. Pure, so that a replay gives the same
// page.
import type {
  Analysis,
  Because,
  Id,
  Interview,
  InterviewState,
  Question,
  RoomEvent,
  Time,
} from '../api/types.ts';

export interface Line {
  seq: number;
  at: Time;
  kind: 'question' | 'answer' | 'said';
  text: string;
  question_id: Id | null;
}

export interface Answered {
  answer_id: Id;
  question_id: Id;
  text: string;
  at: Time;
  analysis: Analysis | null;
}

export interface RoomView {
  seq: number;
  kind: Interview['kind'];
  state: InterviewState;
  // Whether one asks the questions here: as an interviewer of a live interview.
  asks: boolean;
  // Whether one only looks on: an observer.
  watches: boolean;
  // Whether one starts it and ends it: its owner.
  leads: boolean;
  title: string;
  role: string | null;
  questions: Question[];
  answers: Answered[];
  lines: Line[];
  started_at: Time | null;
  report_ready: boolean;
}

export function empty(): RoomView {
  return {
    seq: 0,
    kind: 'practice',
    state: 'lobby',
    asks: false,
    watches: false,
    leads: false,
    title: '',
    role: null,
    questions: [],
    answers: [],
    lines: [],
    started_at: null,
    report_ready: false,
  };
}

// The interview as the server states it; what events have told already is newer and stays.
export function withInterview(view: RoomView, interview: Interview): RoomView {
  const questions = interview.questions.map((question) => {
    const known = view.questions.find((other) => other.question_id === question.question_id);
    return {
      ...question,
      because: known?.because,
      asked_seq: question.asked_seq ?? known?.asked_seq ?? null,
      answer_id: question.answer_id ?? known?.answer_id ?? null,
      turn: known && isClosed(known) ? known.turn : question.turn,
    };
  });
  const extra = view.questions.filter(
    (known) => !questions.some((question) => question.question_id === known.question_id),
  );
  return {
    ...view,
    kind: interview.kind,
    state: interview.state,
    title: interview.title,
    role: interview.role,
    started_at: interview.started_at ?? view.started_at,
    report_ready: view.report_ready || interview.report_ready,
    questions: [...questions, ...extra],
  };
}

// Null when an event is missing before this one: the caller must ask again from `view.seq`.
export function fold(view: RoomView, event: RoomEvent): RoomView | null {
  if (event.seq <= view.seq) return view;
  if (event.seq !== view.seq + 1) return null;
  const next = { ...view, seq: event.seq };
  switch (event.kind) {
    case 'interview.started':
      return { ...next, state: 'live', started_at: event.at };
    case 'question.asked':
      return asked(next, event.seq, event.at, event.data);
    case 'question.skipped':
      return {
        ...next,
        questions: view.questions.map((question) =>
          question.question_id === event.data.question_id
            ? { ...question, turn: 'skipped' }
            : question,
        ),
      };
    case 'transcript.final':
      return said(next, event.seq, event.at, event.data.text, event.data.question_id ?? null);
    case 'answer.analysed':
      return answered(next, event.seq, event.at, event.data);
    case 'interview.finished':
      return { ...next, state: 'finished' };
    case 'interview.cancelled':
      return { ...next, state: 'cancelled' };
    case 'report.ready':
      return { ...next, report_ready: true };
    default:
      return next;
  }
}

// Whether a question takes no answer any more.
export function isClosed(question: Question): boolean {
  return question.turn === 'analysed' || question.turn === 'skipped';
}

// The question that waits for an answer: a follow-up while its answer is fresh, else the earliest
// asked one.
export function open(view: RoomView): Question | null {
  const waiting = view.questions.filter((q) => q.asked_seq !== null && !isClosed(q));
  const late = (q: Question): number => (q.because?.about ? 0 : 1);
  waiting.sort((a, b) => late(a) - late(b) || (a.asked_seq ?? 0) - (b.asked_seq ?? 0));
  return waiting[0] ?? null;
}

// The newest answered question, if it can still be followed up: once, and not a follow-up itself.
export function followable(view: RoomView): Question | null {
  const last = view.answers.at(-1)?.question_id;
  const question = view.questions.find((q) => q.question_id === last);
  if (!question || question.because?.about) return null;
  const followed = view.questions.some((q) => q.because?.about === question.question_id);
  return followed ? null : question;
}

export function unanswered(view: RoomView): Question[] {
  return view.questions.filter((question) => question.answer_id === null);
}

function asked(
  view: RoomView,
  seq: number,
  at: Time,
  data: { question_id: Id; text: string; because?: Because },
): RoomView {
  const known = view.questions.some((question) => question.question_id === data.question_id);
  const fresh: Question = {
    question_id: data.question_id,
    text: data.text,
    because: data.because,
    competency: null,
    asked_seq: seq,
    answer_id: null,
    turn: 'asked',
  };
  const questions: Question[] = known
    ? view.questions.map((q) =>
        q.question_id === data.question_id
          ? { ...q, asked_seq: seq, turn: 'asked', because: data.because }
          : q,
      )
    : [...view.questions, fresh];
  const line: Line = { seq, at, kind: 'question', text: data.text, question_id: data.question_id };
  return { ...view, questions, lines: [...view.lines, line] };
}

function said(
  view: RoomView,
  seq: number,
  at: Time,
  text: string,
  question_id: Id | null,
): RoomView {
  return { ...view, lines: [...view.lines, { seq, at, kind: 'said', text, question_id }] };
}

function answered(
  view: RoomView,
  seq: number,
  at: Time,
  data: { answer_id: Id; question_id: Id; text: string; analysis: Analysis | null },
): RoomView {
  const questions: Question[] = view.questions.map((question) =>
    question.question_id === data.question_id
      ? { ...question, answer_id: data.answer_id, turn: 'analysed' }
      : question,
  );
  const line: Line = { seq, at, kind: 'answer', text: data.text, question_id: data.question_id };
  return {
    ...view,
    questions,
    answers: [...view.answers, { ...data, at }],
    lines: [...view.lines, line],
  };
}
