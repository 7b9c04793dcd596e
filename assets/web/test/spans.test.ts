// Offsets are code points; every cut must give the text back whole.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Sentence } from '../src/api/types.ts';
import { cut, sentenceAt, slice, words } from '../src/report/spans.ts';

const TEXT = 'I 🚀 shipped it. Costs fell 30 %.\n\nDone 👩‍🔧!';

function sentence(from: number, to: number): Sentence {
  return { from, to, star: 'action', weak: [] };
}

test('an emoji counts as the server counts it', () => {
  assert.equal(slice(TEXT, 2, 3), '🚀');
  assert.equal(slice(TEXT, 4, 11), 'shipped');
});

test('the parts in order are the text, whatever the spans', () => {
  const length = Array.from(TEXT).length;
  const spans = [
    [],
    [
      { from: 0, to: 3, rule: 'a' },
      { from: 2, to: 11, rule: 'b' },
    ],
    [{ from: 12, to: 25, rule: 'across' }],
    [{ from: 30, to: 9999, rule: 'beyond' }],
  ];
  const sentences = [
    [],
    [sentence(0, 15), sentence(16, 32)],
    [sentence(10, 9999)],
    [sentence(0, 20), sentence(5, length)],
  ];
  for (const marks of spans) {
    for (const list of sentences) {
      const parts = cut(TEXT, list, marks);
      const whole = parts.flatMap((part) => part.pieces.map((piece) => piece.text)).join('');
      assert.equal(whole, TEXT);
    }
  }
});

test('overlapping marks share a piece, and a mark names its words', () => {
  const [part] = cut(
    'abcdef',
    [sentence(0, 6)],
    [
      { from: 0, to: 4, rule: 'left' },
      { from: 2, to: 6, rule: 'right' },
    ],
  );
  assert.deepEqual(
    part?.pieces.map((piece) => [piece.text, piece.rules]),
    [
      ['ab', ['left']],
      ['cd', ['left', 'right']],
      ['ef', ['right']],
    ],
  );
});

test('a span is found in its sentence', () => {
  const list = [sentence(0, 15), sentence(16, 32)];
  assert.equal(sentenceAt(list, 0), 0);
  assert.equal(sentenceAt(list, 15), 1);
  assert.equal(sentenceAt(list, 40), -1);
});

test('words are counted as people count them', () => {
  assert.equal(words(''), 0);
  assert.equal(words("It's 3.5 times well-known, isn’t it?"), 6);
});
