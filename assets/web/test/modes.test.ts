// Modes: a mix goes apart into its kinds and together again.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Mode } from '../src/api/types.ts';
import { mixLabel, mixOf, partsOf } from '../src/modes.ts';

const mode = (id: string, kind: Mode['kind']): Mode => ({ id, kind, label: id, changes: [], why: '' });
const MODES = [
  mode('general', 'company'),
  mode('sap', 'company'),
  mode('sales', 'role'),
  mode('screening', 'round'),
  mode('hiring', 'purpose'),
];

test('a mix goes apart and together again', () => {
  const parts = partsOf('sap+screening', MODES);
  assert.deepEqual(parts, { company: 'sap', role: '', round: 'screening' });
  assert.equal(mixOf(parts), 'sap+screening');
  assert.equal(mixOf(partsOf('general', MODES)), 'general');
  assert.equal(mixOf(partsOf('gone+sales+hiring', MODES)), 'sales');
});

test('a mix is named by its parts', () => {
  const plain = (name: string): string => name.replace('_', ' ');
  assert.equal(mixLabel('sap+system_design', plain), 'sap, system design');
});
