// A world that tests hold in their hands: clock, timers, sockets and storage without a browser.
import type { Page, RoomEvent, Ticket } from '../src/api/types.ts';
import type { Link, Socket, World } from '../src/room/connection.ts';
import type { Shelf } from '../src/room/outbox.ts';

export interface TestShelf extends Shelf {
  full: boolean;
  size(): number;
}

export function shelf(): TestShelf {
  const kept = new Map<string, string>();
  return {
    full: false,
    size: () => kept.size,
    getItem: (key) => kept.get(key) ?? null,
    setItem(key, value) {
      if (this.full) throw new Error('full');
      kept.set(key, value);
    },
    removeItem: (key) => void kept.delete(key),
  };
}

export class FakeSocket implements Socket {
  readonly sent: Record<string, unknown>[] = [];
  closed = false;
  onopen: (() => void) | null = null;
  onmessage: ((text: string) => void) | null = null;
  onclose: ((code: number, reason: string) => void) | null = null;

  send(text: string): void {
    this.sent.push(JSON.parse(text) as Record<string, unknown>);
  }
  close(): void {
    this.closed = true;
  }
  hear(frame: object): void {
    this.onmessage?.(JSON.stringify(frame));
  }
  die(): void {
    this.onclose?.(1006, '');
  }
}

export class FakeWorld implements World {
  time = 1_000_000;
  sockets: FakeSocket[] = [];
  links: Link[] = [];
  stored: RoomEvent[] = [];
  tickets = 0;
  refuse: (() => Error) | null = null;
  private timers: { at: number; act: () => void }[] = [];

  async ticket(): Promise<Ticket> {
    this.tickets += 1;
    if (this.refuse) throw this.refuse();
    return { ticket: `t${this.tickets}`, expires_in: 30, socket: '/socket' };
  }
  async events(after: number): Promise<Page<RoomEvent>> {
    return { items: this.stored.filter((event) => event.seq > after), next: null };
  }
  socket(): Socket {
    const socket = new FakeSocket();
    this.sockets.push(socket);
    return socket;
  }
  now(): number {
    return this.time;
  }
  random(): number {
    return 0.5;
  }
  later(ms: number, act: () => void): () => void {
    const timer = { at: this.time + ms, act };
    this.timers.push(timer);
    return () => {
      this.timers = this.timers.filter((other) => other !== timer);
    };
  }

  get last(): FakeSocket {
    const socket = this.sockets.at(-1);
    if (!socket) throw new Error('no socket was opened');
    return socket;
  }

  // Moves the clock, runs what is due in order, and lets promises settle.
  async pass(ms: number): Promise<void> {
    const end = this.time + ms;
    for (;;) {
      await settle();
      const due = this.timers.filter((timer) => timer.at <= end).sort((a, b) => a.at - b.at)[0];
      if (!due) break;
      this.timers = this.timers.filter((other) => other !== due);
      this.time = Math.max(this.time, due.at);
      due.act();
    }
    this.time = end;
    await settle();
  }
}

export function settle(): Promise<void> {
  return new Promise((done) => setImmediate(done));
}
