// The promises of the page: no event twice or missing, no word lost, no server hammered.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { DurableFrame, Interview, RoomEvent } from '../src/api/types.ts';
import { Connection, type Link } from '../src/room/connection.ts';
import type { RoomView } from '../src/room/fold.ts';
import { Outbox } from '../src/room/outbox.ts';
import { FakeWorld, settle, shelf } from './world.ts';

const AT = '2026-01-01T00:00:00.000Z';
const INTERVIEW = {
  id: 'i',
  kind: 'practice',
  state: 'live',
  title: 'Practice',
  role: null,
  mode: null,
  kit_id: null,
  auto_ask: true,
  owner: 'me',
  created_at: AT,
  scheduled_at: null,
  started_at: AT,
  finished_at: null,
  last_seq: 0,
  report_ready: false,
  questions: [],
  members: [],
} satisfies Interview;
const ANSWER: DurableFrame = { type: 'answer', id: 'f1', question_id: 'q1', text: 'all my words' };

function welcome(seq: number, missed = false): object {
  return {
    type: 'welcome',
    connection_id: 'c',
    you: {},
    interview: INTERVIEW,
    seq,
    epoch: 1,
    missed,
  };
}
function asked(seq: number): RoomEvent {
  const data = { question_id: `q${seq}`, text: 'why?', auto: true };
  return { seq, at: AT, by: null, kind: 'question.asked', data };
}
function event(seq: number): object {
  return { type: 'event', ...asked(seq) };
}

function room(store = shelf()) {
  const world = new FakeWorld();
  const seen = {
    view: null as RoomView | null,
    refused: [] as string[],
    resumed: [] as number[],
    meters: 0,
    fresh: false,
  };
  const outbox = new Outbox('i', store);
  const connection = new Connection(world, outbox, {
    link: (link) => world.links.push(link),
    view: (view, fresh) => {
      seen.view = view;
      seen.fresh = fresh;
    },
    meters: () => (seen.meters += 1),
    hint: () => undefined,
    refused: (_frame, code) => seen.refused.push(code),
    resumed: (missed) => seen.resumed.push(missed),
  });
  connection.start();
  const state = (): Link['state'] | undefined => world.links.at(-1)?.state;
  return { world, seen, outbox, connection, state };
}

async function opened() {
  const one = room();
  await settle();
  one.world.last.onopen?.();
  one.world.last.hear(welcome(0));
  return one;
}

test('the first hello asks for everything, the next for what is new', async () => {
  const { world, seen } = await opened();
  assert.deepEqual(world.last.sent[0], { type: 'hello', ticket: 't1', after: 0 });
  world.last.hear(event(1));
  world.last.hear(event(2));
  world.last.die();
  await world.pass(8000);
  world.last.onopen?.();
  assert.deepEqual(world.last.sent[0], { type: 'hello', ticket: 't2', after: 2 });
  world.last.hear(welcome(3));
  world.last.hear(event(3));
  assert.equal(seen.view?.seq, 3);
  assert.deepEqual(seen.resumed, [1]);
});

test('a replay is told from news', async () => {
  const { world, seen } = room();
  await settle();
  world.last.onopen?.();
  world.last.hear(welcome(2));
  world.last.hear(event(1));
  world.last.hear(event(2));
  assert.equal(seen.fresh, false);
  world.last.hear(event(3));
  assert.equal(seen.fresh, true);
});

test('what is not acknowledged goes again with the same id, also after a reload', async () => {
  const store = shelf();
  const first = room(store);
  await settle();
  first.world.last.onopen?.();
  first.world.last.hear(welcome(0));
  first.connection.send(ANSWER);
  assert.deepEqual(first.world.last.sent.at(-1), ANSWER);
  first.world.last.die();
  first.connection.stop();

  const second = room(store);
  await settle();
  second.world.last.onopen?.();
  second.world.last.hear(welcome(0));
  assert.deepEqual(second.world.last.sent.at(-1), ANSWER);
  second.world.last.hear({ type: 'ack', id: 'f1', seq: 4 });
  assert.equal(second.outbox.waiting().length, 0);
});

test('an old event is not counted twice, a gap asks again', async () => {
  const { world, seen, state } = await opened();
  world.last.hear(event(1));
  world.last.hear(event(1));
  assert.equal(seen.view?.lines.length, 1);
  world.last.hear(event(3));
  assert.equal(state(), 'waiting');
  assert.ok(world.last.closed);
});

test('a snapshot instead of events is filled up over HTTP', async () => {
  const { world, seen } = await opened();
  world.last.hear(event(1));
  world.last.die();
  await world.pass(8000);
  world.stored = [asked(1), asked(2), asked(3)];
  world.last.onopen?.();
  world.last.hear(welcome(3, true));
  world.last.hear(event(4));
  await settle();
  assert.equal(seen.view?.seq, 4);
  assert.equal(seen.view?.lines.length, 4);
});

test('a dead server is asked with growing waits, never in a loop', async () => {
  const { world } = room();
  world.refuse = () => new Error('offline');
  await world.pass(60_000);
  // Half of the ceiling each time: 0.25, 0.5, 1, 2, then 4 s.
  assert.ok(world.tickets >= 15 && world.tickets <= 22, `${world.tickets} tries in a minute`);
});

test('goodbyes: draining waits as told, a bad ticket gets one new one at once', async () => {
  const { world, state } = await opened();
  world.last.hear({ type: 'bye', code: 'draining', detail: '', retry_after_ms: 1234 });
  const link = world.links.at(-1);
  assert.ok(link?.state === 'waiting' && link.until === world.time + 1234);
  await world.pass(1234);
  assert.equal(world.tickets, 2);
  world.last.hear({ type: 'bye', code: 'ticket_invalid', detail: '' });
  await world.pass(0);
  assert.equal(world.tickets, 3);
  world.last.hear({ type: 'bye', code: 'ticket_invalid', detail: '' });
  await world.pass(0);
  assert.equal(world.tickets, 3);
  assert.equal(state(), 'waiting');
});

test('the end of the room, of the membership and of the session are ends', async () => {
  for (const [code, why] of [
    ['room_finished', 'finished'],
    ['removed', 'removed'],
    ['session_ended', 'session_ended'],
  ]) {
    const { world } = await opened();
    world.last.hear({ type: 'bye', code, detail: '' });
    await world.pass(60_000);
    const link = world.links.at(-1);
    assert.ok(link?.state === 'ended' && link.why === why, code);
    assert.equal(world.tickets, 1);
  }
});

test('a final no leaves the queue, a not-now stays in it and goes again', async () => {
  const { world, outbox, connection, seen } = await opened();
  connection.send(ANSWER);
  world.last.hear({
    type: 'refused',
    id: 'f1',
    code: 'rate.limited',
    detail: '',
    retry_after_ms: 400,
  });
  assert.equal(outbox.waiting().length, 1);
  const before = world.last.sent.length;
  await world.pass(400);
  assert.deepEqual(world.last.sent.slice(before), [ANSWER]);
  world.last.hear({ type: 'refused', id: 'f1', code: 'conflict.state', detail: 'answered' });
  assert.equal(outbox.waiting().length, 0);
  assert.deepEqual(seen.refused, ['conflict.state']);
});

test('partial texts go out at most four times a second, the last one always', async () => {
  const { world, connection } = await opened();
  for (let n = 1; n <= 100; n += 1) {
    connection.partial('q1', `text ${n}`);
    await world.pass(10);
  }
  await world.pass(1000);
  const partials = world.last.sent.filter((frame) => frame['type'] === 'partial');
  assert.ok(partials.length <= 6, `${partials.length} in a second`);
  assert.equal(partials.at(-1)?.['text'], 'text 100');
});

test('a silent connection is given up, a talking one is kept', async () => {
  const { world, state } = await opened();
  for (let n = 0; n < 10; n += 1) {
    await world.pass(15_000);
    world.last.hear({ type: 'pong', at: 0 });
  }
  assert.equal(state(), 'open');
  assert.equal(world.sockets.length, 1);
  await world.pass(60_000);
  assert.ok(world.sockets.length > 1 || state() === 'waiting');
});
