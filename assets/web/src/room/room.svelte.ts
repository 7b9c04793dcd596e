// The room as a page sees it: the connection's facts as reactive values, and the acts of the
// person.
import { api } from '../api/routes.ts';
import { freshId } from '../api/id.ts';
import type {
  DurableFrame,
  Id,
  LiveHint,
  Meters,
  Rephrased,
  RephrasedHints,
} from '../api/types.ts';
import { announce } from '../parts/announce.svelte.ts';
import { t } from '../strings.ts';
import { Connection, type Link, type World } from './connection.ts';
import { empty, followable, open, type RoomView, unanswered } from './fold.ts';
import { Drafts, Outbox, type Shelf } from './outbox.ts';
import { browserSocket } from './socket.ts';

// Two repaints a second: faster numbers cannot be read and only distract from writing.
const REPAINT_MS = 500;
// The server's own bound for an answer, in UTF-8.
const ANSWER_BYTES_MAX = 32_768;
const QUESTION_BYTES_MAX = 2_000;
// After the room says goodbye the report follows within seconds; this is asked while it does not.
const REPORT_POLL_MS = 1000;
const REPORT_POLLS_MAX = 30;

// Whether a language model may put texts into other words; known when the server says no.
let rephrases = true;

export class Room {
  view = $state.raw<RoomView>(empty());
  link = $state.raw<Link>({ state: 'connecting', again: false });
  meters = $state.raw<Meters>({});
  waiting = $state.raw<readonly DurableFrame[]>([]);
  hint = $state.raw<LiveHint | null>(null);
  // The open follow-up in a language model's words.
  rephrased = $state.raw<Rephrased | null>(null);
  // The hints on the last answer in a language model's words.
  reworded = $state.raw<RephrasedHints | null>(null);
  // Whether this person wants hints at all.
  hinted = true;
  // The coach is choosing the next question.
  choosing = $state(false);
  refusal = $state('');
  resumed = $state<number | null>(null);
  draft = $state('');
  draftKept = $state(true);
  // False while the page catches up: a replay after loading is not news.
  fresh = $state(false);

  question = $derived(open(this.view));
  left = $derived(unanswered(this.view));
  followable = $derived(followable(this.view));
  starting = $derived(this.waiting.some((frame) => frame.type === 'start'));
  skipping = $derived(this.waiting.some((frame) => frame.type === 'skip'));
  finishing = $derived(this.waiting.some((frame) => frame.type === 'finish'));
  // The open question's answer is on its way: submitted, not yet acknowledged or analysed.
  sending = $derived(
    this.waiting.some(
      (frame) => frame.type === 'answer' && frame.question_id === this.question?.question_id,
    ),
  );

  readonly id: Id;
  private readonly outbox: Outbox;
  private readonly drafts: Drafts;
  private readonly connection: Connection;
  private draftOf: Id | null = null;
  private metersOf: Id | null = null;
  private metersNext: Meters | null = null;
  private repaint: ReturnType<typeof setTimeout> | null = null;

  constructor(id: Id) {
    this.id = id;
    const shelf = browserShelf();
    this.outbox = new Outbox(id, shelf);
    this.drafts = new Drafts(id, shelf);
    this.waiting = this.outbox.waiting();
    this.connection = new Connection(world(id), this.outbox, {
      link: (link) => (this.link = link),
      view: (view, fresh) => this.take(view, fresh),
      meters: (question, signals) => this.measure(question, signals),
      hint: (hint) => this.advise(hint),
      refused: (frame, code, detail) => this.refuse(frame, code, detail),
      resumed: (missed) => (this.resumed = missed),
    });
  }

  open(): () => void {
    this.connection.start();
    const online = (): void => this.connection.retry();
    window.addEventListener('online', online);
    return () => {
      window.removeEventListener('online', online);
      if (this.repaint) clearTimeout(this.repaint);
      this.connection.stop();
    };
  }

  retry(): void {
    this.connection.retry();
  }

  start(): void {
    this.queue({ type: 'start', id: freshId() });
  }

  finish(): void {
    this.queue({ type: 'finish', id: freshId() });
  }

  // Puts a question to the candidate of a live interview; empty on success, else why not.
  ask(text: string): string {
    if (bytes(text) > QUESTION_BYTES_MAX) return t.room.questionTooLong;
    return this.queue({ type: 'ask', id: freshId(), text }) ? '' : t.room.full;
  }

  // Leaves the open question without an answer; what was typed for it stays on this device.
  skip(): void {
    const question = this.question;
    if (!question || this.sending || this.skipping) return;
    this.queue({ type: 'skip', id: freshId(), question_id: question.question_id });
  }

  // Asks the coach: a follow-up on the last answer, or the next question.
  async next(): Promise<void> {
    if (this.choosing) return;
    this.choosing = true;
    this.refusal = '';
    try {
      // The question itself comes as an event of the room.
      const chosen = await api.nextQuestion(this.id);
      if (chosen.because.about) void this.rephrase(chosen.question_id);
    } catch (error) {
      this.refusal = error instanceof Error ? error.message : t.errors.unknown;
    }
    this.choosing = false;
  }

  // The question is there already: other words come beside it, or they do not come.
  private async rephrase(question: Id): Promise<void> {
    if (!rephrases) return;
    const told = await api.rephrase(this.id, question).catch(() => null);
    if (told?.reason === 'off') rephrases = false;
    if (told?.source === 'model') this.rephrased = told;
  }

  // The same for the hints on an answer, which stand there in our own words already.
  private async reword(answer: Id): Promise<void> {
    if (!rephrases || !this.hinted) return;
    const told = await api.rephraseHints(this.id, answer).catch(() => null);
    if (told?.hints.some((hint) => hint.reason === 'off')) rephrases = false;
    if (told?.hints.some((hint) => hint.source === 'model')) this.reworded = told;
  }

  dismissHint(): void {
    if (this.hint) this.hint = null;
    else this.rephrased = null;
  }

  type(text: string): void {
    this.draft = text;
    const question = this.question;
    if (!question) return;
    this.draftKept = this.drafts.write(question.question_id, text);
    // What is too long to be an answer would be refused as a partial one too.
    if (bytes(text) <= ANSWER_BYTES_MAX) this.connection.partial(question.question_id, text);
  }

  // Empty on success, else why not.
  submit(): string {
    const question = this.question;
    const text = this.draft.trim();
    if (!question || this.sending) return '';
    if (text === '') return t.room.empty;
    if (bytes(text) > ANSWER_BYTES_MAX) return t.room.tooLong;
    // No duration goes along: the time of typing says nothing about how somebody speaks.
    const frame: DurableFrame = {
      type: 'answer',
      id: freshId(),
      question_id: question.question_id,
      text,
    };
    return this.queue(frame) ? '' : t.room.full;
  }

  private queue(frame: DurableFrame): boolean {
    this.refusal = '';
    const taken = this.connection.send(frame);
    this.waiting = this.outbox.waiting();
    return taken;
  }

  private take(view: RoomView, fresh: boolean): void {
    const before = this.view;
    this.view = view;
    this.fresh = fresh;
    this.waiting = this.outbox.waiting();
    const answer = view.answers.at(-1);
    if (answer && view.answers.length > before.answers.length) {
      // Only now, with the answer in the durable record, may the draft go.
      this.drafts.write(answer.question_id, '');
      this.hint = null;
      // In a live interview nobody is shown what the engine sees.
      if (fresh && view.kind === 'practice') {
        this.tellAnswer(view);
        if (answer.analysis?.hints.length) void this.reword(answer.answer_id);
      }
    }
    const question = open(view);
    if ((question?.question_id ?? null) !== this.draftOf) {
      this.draftOf = question?.question_id ?? null;
      this.hint = null;
      this.draft = question ? this.drafts.read(question.question_id) : '';
      this.meters = {};
      this.metersNext = null;
      // A draft from before a reload moves the meters again as soon as the room is open.
      if (question && this.draft) this.connection.partial(question.question_id, this.draft);
      if (question && fresh) this.tellQuestion(view, question.text);
    }
  }

  private tellAnswer(view: RoomView): void {
    const score = view.answers.at(-1)?.analysis?.score;
    const words =
      score == null ? t.analysis.insufficient : `${t.analysis.score} ${Math.round(score)}`;
    announce(t.room.analysedLive(view.answers.length, words));
  }

  private tellQuestion(view: RoomView, text: string): void {
    const asked = view.questions.filter((question) => question.asked_seq !== null).length;
    announce(t.room.questionLive(asked, view.questions.length, text));
  }

  private advise(hint: LiveHint): void {
    // A hint on a question that was left meanwhile would puzzle.
    if (hint.question_id === undefined || hint.question_id === this.draftOf) this.hint = hint;
  }

  private measure(question: Id | null, signals: Meters): void {
    if (question !== null && question !== this.draftOf) return;
    this.metersOf = this.draftOf;
    if (this.repaint) {
      this.metersNext = signals;
      return;
    }
    this.meters = signals;
    this.repaint = setTimeout(() => {
      this.repaint = null;
      const next = this.metersNext;
      this.metersNext = null;
      if (next && this.metersOf === this.draftOf) this.measure(this.draftOf, next);
    }, REPAINT_MS);
  }

  private refuse(frame: DurableFrame | null, _code: string, detail: string): void {
    this.waiting = this.outbox.waiting();
    // The draft was kept, so that the words are still in the box.
    this.refusal = detail;
    if (frame?.type === 'answer' && frame.question_id === this.draftOf && this.draft === '') {
      this.draft = frame.text;
    }
  }
}

// True when the report is there; false when it did not come in time.
export async function reportReady(id: Id, alive: () => boolean): Promise<boolean> {
  for (let poll = 0; poll < REPORT_POLLS_MAX && alive(); poll += 1) {
    const ready = await api.interview(id).then(
      (interview) => interview.report_ready,
      () => false,
    );
    if (ready) return true;
    await new Promise((done) => setTimeout(done, REPORT_POLL_MS));
  }
  return false;
}

function bytes(text: string): number {
  return new TextEncoder().encode(text).length;
}

function world(id: Id): World {
  return {
    ticket: () => api.ticket(id),
    events: (after) => api.events(id, after),
    socket: browserSocket,
    now: () => Date.now(),
    random: () => Math.random(),
    later: (ms, act) => {
      const timer = setTimeout(act, ms);
      return () => clearTimeout(timer);
    },
  };
}

// Where the browser keeps things; one that keeps nothing gets a shelf that says so by throwing.
function browserShelf(): Shelf {
  try {
    return window.localStorage;
  } catch {
    const none = (): never => {
      throw new Error('no storage');
    };
    return { getItem: none, setItem: none, removeItem: none };
  }
}
