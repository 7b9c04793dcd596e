// What the page knows of a room: fold, queue, drafts, waiting times.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { RoomEvent } from '../src/api/types.ts';
import { backoffMs, FLOOR_MS, MAX_MS } from '../src/room/backoff.ts';
import { empty, fold, followable, open, unanswered } from '../src/room/fold.ts';
import { Drafts, Outbox, OUTBOX_MAX } from '../src/room/outbox.ts';
import { shelf } from './world.ts';

const AT = '2026-01-01T00:00:00.000Z';

function ask(seq: number, id: string): RoomEvent {
  return {
    seq,
    at: AT,
    by: null,
    kind: 'question.asked',
    data: { question_id: id, text: `${id}?`, auto: true },
  };
}
function answer(seq: number, id: string): RoomEvent {
  const data = { answer_id: `a-${id}`, question_id: id, text: 'words', analysis: null };
  return { seq, at: AT, by: 'me', kind: 'answer.analysed', data };
}

test('the open question is the earliest without an answer', () => {
  let view = empty();
  for (const event of [ask(1, 'q1'), ask(2, 'q2'), answer(3, 'q1')])
    view = fold(view, event) ?? view;
  assert.equal(open(view)?.question_id, 'q2');
  assert.deepEqual(
    unanswered(view).map((question) => question.question_id),
    ['q2'],
  );
  assert.equal(view.lines.length, 3);
});

test('a skipped question is closed and has no answer', () => {
  let view = empty();
  const skip: RoomEvent = {
    seq: 3,
    at: AT,
    by: 'me',
    kind: 'question.skipped',
    data: { question_id: 'q1' },
  };
  for (const event of [ask(1, 'q1'), ask(2, 'q2'), skip]) view = fold(view, event) ?? view;
  assert.equal(open(view)?.question_id, 'q2');
  assert.deepEqual(
    unanswered(view).map((question) => question.question_id),
    ['q1', 'q2'],
  );
  const store = shelf();
  new Outbox('i', store).put({ type: 'skip', id: 's', question_id: 'q2' });
  assert.equal(new Outbox('i', store).waiting().length, 1);
});

test('a follow-up comes before the question that is open, once', () => {
  let view = empty();
  for (const event of [ask(1, 'q1'), answer(2, 'q1'), ask(3, 'q2')])
    view = fold(view, event) ?? view;
  assert.equal(followable(view)?.question_id, 'q1');
  const because = { rule: 'probe.result', text: 'No result.', about: 'q1' };
  const probe: RoomEvent = {
    seq: 4,
    at: AT,
    by: 'me',
    kind: 'question.asked',
    data: { question_id: 'p1', text: 'And then?', auto: false, because },
  };
  view = fold(view, probe) ?? view;
  assert.equal(open(view)?.question_id, 'p1');
  assert.equal(followable(view), null);
  view = fold(view, answer(5, 'p1')) ?? view;
  assert.equal(open(view)?.question_id, 'q2');
  assert.equal(followable(view), null, 'a follow-up is not followed up');
});

test('an event that came before changes nothing, a gap is told', () => {
  const view = fold(empty(), ask(1, 'q1')) ?? empty();
  assert.equal(fold(view, ask(1, 'q1')), view);
  assert.equal(fold(view, ask(3, 'q3')), null);
});

test('the queue survives a reload, keeps its order and its bound', () => {
  const store = shelf();
  const queue = new Outbox('i', store);
  for (let n = 0; n < OUTBOX_MAX; n += 1) assert.ok(queue.put({ type: 'start', id: `f${n}` }));
  assert.equal(queue.put({ type: 'start', id: 'too many' }), false);
  queue.settle('f0');
  const again = new Outbox('i', store);
  assert.equal(again.waiting()[0]?.id, 'f1');
  assert.equal(again.waiting().length, OUTBOX_MAX - 1);
  again.clear();
  assert.equal(store.size(), 0);
});

test('a spoiled queue on disk is dropped, not obeyed', () => {
  for (const stored of ['{', '7', '[{"type":"answer","id":"x"}]', '[null, {"id": 3}]']) {
    const store = shelf();
    store.setItem('greenroom.outbox.i', stored);
    assert.deepEqual(new Outbox('i', store).waiting(), []);
  }
});

test('a draft is kept by question and says when it cannot be', () => {
  const store = shelf();
  const drafts = new Drafts('i', store);
  assert.ok(drafts.write('q1', 'half a sent'));
  assert.equal(drafts.read('q1'), 'half a sent');
  assert.equal(drafts.read('q2'), '');
  store.full = true;
  assert.equal(drafts.write('q1', 'more'), false);
});

test('waiting times grow to their bound and stay above their floor', () => {
  for (let attempt = 0; attempt < 40; attempt += 1) {
    assert.equal(
      backoffMs(attempt, () => 0),
      FLOOR_MS,
    );
    assert.ok(backoffMs(attempt, () => 0.999) <= MAX_MS);
  }
  assert.ok(backoffMs(0, () => 0.999) <= 500);
  assert.ok(backoffMs(4, () => 0.999) > 7000);
});
