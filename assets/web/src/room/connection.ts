// One room over one WebSocket after another: hello, resume by `after`, queue, back-off. It knows no
// page and no browser: the socket, the clock and the server's calls come in from outside, so that
// tests can hold them.
import type {
  DurableFrame,
  Id,
  Interview,
  LiveHint,
  Meters,
  Page,
  RoomEvent,
  ServerFrame,
  Ticket,
} from '../api/types.ts';
import { backoffMs } from './backoff.ts';
import { empty, fold, type RoomView, withInterview } from './fold.ts';
import type { Outbox } from './outbox.ts';

// The server promises a welcome or a refusal; silence this long means that the way there is dead.
const WELCOME_MS = 10_000;
const PING_MS = 15_000;
const SILENCE_MS = 35_000;
// A connection that stood this long was a good one: the next trouble starts with short waits again.
const GOOD_MS = 5_000;
// At most four partial texts a second: more would cost the server without a visible difference.
const PARTIAL_MS = 250;
// Events fetched over HTTP after a gap come in pages; more pages than this would be a loop.
const PAGES_MAX = 200;

export type EndReason = 'finished' | 'removed' | 'session_ended' | 'not_found';

export type Link =
  | { state: 'connecting'; again: boolean }
  | { state: 'open' }
  | { state: 'waiting'; until: number; again: boolean }
  | { state: 'ended'; why: EndReason; detail: string };

export interface Socket {
  send(text: string): void;
  close(): void;
  onopen: (() => void) | null;
  onmessage: ((text: string) => void) | null;
  onclose: ((code: number, reason: string) => void) | null;
}

export interface World {
  ticket(): Promise<Ticket>;
  events(after: number): Promise<Page<RoomEvent>>;
  socket(path: string): Socket;
  now(): number;
  random(): number;
  later(ms: number, act: () => void): () => void;
}

export interface Listeners {
  link(link: Link): void;
  // `fresh`: what is shown is news, not the replay after a hello.
  view(view: RoomView, fresh: boolean): void;
  meters(question: Id | null, signals: Meters): void;
  hint(hint: LiveHint): void;
  refused(frame: DurableFrame | null, code: string, detail: string): void;
  resumed(missed: number): void;
}

export class Connection {
  private view: RoomView = empty();
  // The last event at the time of the welcome; up to it everything is a replay.
  private replayed = 0;
  private link: Link = { state: 'connecting', again: false };
  private socket: Socket | null = null;
  private attempt = 0;
  private openedAt = 0;
  private heardAt = 0;
  private welcomed = false;
  private everWelcomed = false;
  private badTickets = 0;
  private waitMs: number | null = null;
  // Events that came while a gap is being filled over HTTP.
  private held: RoomEvent[] | null = null;
  private cancelTimer: () => void = () => undefined;
  private cancelPartial: (() => void) | null = null;
  private partialText: { question_id: Id; text: string } | null = null;
  private stopped = false;
  private readonly world: World;
  private readonly outbox: Outbox;
  private readonly on: Listeners;

  constructor(world: World, outbox: Outbox, listeners: Listeners) {
    this.world = world;
    this.outbox = outbox;
    this.on = listeners;
  }

  start(): void {
    void this.connect();
  }

  stop(): void {
    this.stopped = true;
    this.cancelTimer();
    this.cancelPartial?.();
    this.drop();
  }

  // "Retry now", and what the browser's `online` event calls.
  retry(): void {
    if (this.link.state !== 'waiting') return;
    this.cancelTimer();
    void this.connect();
  }

  // Keeps the frame until it is acknowledged. False when the queue is full.
  send(frame: DurableFrame): boolean {
    if (!this.outbox.put(frame)) return false;
    if (this.welcomed) this.write(frame);
    return true;
  }

  partial(question_id: Id, text: string): void {
    this.partialText = { question_id, text };
    if (this.cancelPartial) return;
    this.writePartial();
    this.cancelPartial = this.world.later(PARTIAL_MS, () => {
      this.cancelPartial = null;
      if (this.partialText) this.partial(this.partialText.question_id, this.partialText.text);
    });
  }

  private async connect(): Promise<void> {
    this.tell({ state: 'connecting', again: this.everWelcomed });
    let ticket: Ticket;
    try {
      ticket = await this.world.ticket();
    } catch (error) {
      if (!this.stopped) this.noTicket(error);
      return;
    }
    if (this.stopped) return;
    const socket = this.world.socket(ticket.socket);
    this.socket = socket;
    this.openedAt = this.heardAt = this.world.now();
    // Listening from 0 the first time gives every event; later only what came since.
    const hello = { type: 'hello', ticket: ticket.ticket, after: this.view.seq };
    socket.onopen = () => this.write(hello);
    socket.onmessage = (text) => {
      if (this.socket === socket) this.receive(text);
    };
    socket.onclose = () => {
      if (this.socket === socket) this.closed();
    };
    this.watch();
  }

  private noTicket(error: unknown): void {
    const {
      status = 0,
      message = '',
      retryAfterMs = null,
    } = error as {
      status?: number;
      message?: string;
      retryAfterMs?: number | null;
    };
    if (status === 401) this.end('session_ended', message);
    else if (status === 404 || status === 403) this.end('not_found', message);
    else {
      this.waitMs = retryAfterMs;
      this.wait();
    }
  }

  private receive(text: string): void {
    this.heardAt = this.world.now();
    let frame: ServerFrame;
    try {
      frame = JSON.parse(text) as ServerFrame;
    } catch {
      return this.fail();
    }
    switch (frame.type) {
      case 'welcome':
        return this.welcome(frame);
      case 'event':
        return this.event(frame);
      case 'ack':
        this.outbox.settle(frame.id);
        return this.show();
      case 'refused':
        return this.refused(frame);
      case 'meters':
        return this.on.meters(frame.question_id ?? null, frame.signals);
      case 'hint':
        return this.on.hint(frame);
      case 'bye':
        return this.bye(frame);
      default:
        // Presence, notes and what later versions add: nothing to do on this page.
        return;
    }
  }

  private welcome(frame: {
    interview: Interview;
    you: { person_id: string; part: string };
    seq: number;
    missed: boolean;
  }): void {
    const missed = Math.max(0, frame.seq - this.view.seq);
    const again = this.everWelcomed;
    this.welcomed = this.everWelcomed = true;
    this.badTickets = 0;
    this.replayed = frame.seq;
    const { interview, you } = frame;
    const asks = interview.kind === 'live' && you.part === 'interviewer';
    const [watches, leads] = [you.part === 'observer', interview.owner === you.person_id];
    const view = withInterview(frame.missed ? empty() : this.view, interview);
    this.view = { ...view, asks, watches, leads };
    this.show();
    this.tell({ state: 'open' });
    if (frame.missed) void this.fill();
    for (const waiting of this.outbox.waiting()) this.write(waiting);
    if (again) this.on.resumed(missed);
  }

  private event(event: RoomEvent): void {
    if (this.held) {
      this.held.push(event);
      return;
    }
    const next = fold(this.view, event);
    // A gap must not happen; asking again from the last known event mends it whatever the reason.
    if (next === null) return this.fail();
    this.view = next;
    this.show();
  }

  // The server could not serve `after`: read all events over HTTP, then go on with those that came
  // meanwhile.
  private async fill(): Promise<void> {
    this.held = [];
    try {
      for (let page = 0; page < PAGES_MAX; page += 1) {
        const { items, next } = await this.world.events(this.view.seq);
        for (const event of items) this.view = fold(this.view, event) ?? this.view;
        if (items.length === 0 || next === null) break;
      }
    } catch {
      this.held = null;
      return this.fail();
    }
    const held = this.held;
    this.held = null;
    this.show();
    for (const event of held) this.event(event);
  }

  private refused(frame: {
    id?: string;
    code: string;
    detail: string;
    retry_after_ms?: number;
  }): void {
    const known = this.outbox.waiting().find((waiting) => waiting.id === frame.id);
    const later = frame.code === 'rate.limited' || frame.code === 'cluster.no_leader';
    if (known && later) {
      // Not a no, only a not now: the frame stays queued and goes again with the same id.
      this.world.later(frame.retry_after_ms ?? 1000, () => {
        const still = this.outbox.waiting().includes(known);
        if (still && this.welcomed && !this.stopped) this.write(known);
      });
      return;
    }
    if (frame.id) this.outbox.settle(frame.id);
    if (known || !frame.id) this.on.refused(known ?? null, frame.code, frame.detail);
  }

  private bye(frame: { code: string; detail: string; retry_after_ms?: number }): void {
    switch (frame.code) {
      case 'room_finished':
        this.outbox.clear();
        return this.end('finished', frame.detail);
      case 'removed':
        return this.end('removed', frame.detail);
      case 'session_ended':
        return this.end('session_ended', frame.detail);
      case 'ticket_invalid':
        this.badTickets += 1;
        // Once is a slow network (a ticket lives 30 s); a fresh one is asked for at once, then with
        // waits.
        this.waitMs = this.badTickets === 1 ? 0 : null;
        break;
      default:
        this.waitMs = frame.retry_after_ms ?? null;
    }
    this.drop();
    this.wait();
  }

  private closed(): void {
    this.drop();
    if (!this.stopped && this.link.state !== 'ended') this.wait();
  }

  private fail(): void {
    this.drop();
    this.wait();
  }

  private drop(): void {
    const socket = this.socket;
    this.socket = null;
    if (this.welcomed && this.world.now() - this.openedAt > GOOD_MS) this.attempt = 0;
    this.welcomed = false;
    this.cancelTimer();
    socket?.close();
  }

  private wait(): void {
    if (this.stopped) return;
    const ms = this.waitMs ?? backoffMs(this.attempt, () => this.world.random());
    this.attempt += 1;
    this.waitMs = null;
    this.tell({ state: 'waiting', until: this.world.now() + ms, again: this.everWelcomed });
    this.cancelTimer();
    this.cancelTimer = this.world.later(ms, () => void this.connect());
  }

  private end(why: EndReason, detail: string): void {
    this.drop();
    this.tell({ state: 'ended', why, detail });
  }

  // Looks after the open socket: a ping now and then, and an end when nothing is heard.
  private watch(): void {
    this.cancelTimer();
    const step = this.welcomed ? PING_MS : WELCOME_MS;
    this.cancelTimer = this.world.later(step, () => {
      const silent = this.world.now() - this.heardAt;
      if (!this.welcomed || silent > SILENCE_MS) return this.fail();
      this.write({ type: 'ping', at: this.world.now() });
      this.watch();
    });
  }

  private writePartial(): void {
    if (!this.welcomed || !this.partialText) return;
    this.write({ type: 'partial', ...this.partialText });
    this.partialText = null;
  }

  private write(frame: object): void {
    this.socket?.send(JSON.stringify(frame));
  }

  private show(): void {
    this.on.view(this.view, this.view.seq > this.replayed);
  }

  private tell(link: Link): void {
    this.link = link;
    this.on.link(link);
  }
}
