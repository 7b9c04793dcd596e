// Frames that wait for their acknowledgement, kept on this device: a reload or a dead server loses
// none.
import type { DurableFrame, Id } from '../api/types.ts';

// A practice has a few dozen answers; more waiting frames than this means that something is wrong.
export const OUTBOX_MAX = 64;

// The part of localStorage that is needed; absent or full storage is survived.
export interface Shelf {
  getItem(key: string): string | null;
  setItem(key: string, value: string): void;
  removeItem(key: string): void;
}

export class Outbox {
  private frames: DurableFrame[];
  private readonly key: string;
  private readonly shelf: Shelf;

  constructor(interview: Id, shelf: Shelf) {
    this.shelf = shelf;
    this.key = `greenroom.outbox.${interview}`;
    this.frames = readFrames(shelf, this.key);
  }

  waiting(): readonly DurableFrame[] {
    return this.frames;
  }

  // False when the queue is full: the caller must say so and keep the words elsewhere.
  put(frame: DurableFrame): boolean {
    if (this.frames.length >= OUTBOX_MAX) return false;
    this.frames = [...this.frames, frame];
    this.save();
    return true;
  }

  settle(id: string): DurableFrame | undefined {
    const found = this.frames.find((frame) => frame.id === id);
    if (!found) return undefined;
    this.frames = this.frames.filter((frame) => frame.id !== id);
    this.save();
    return found;
  }

  clear(): void {
    this.frames = [];
    this.save();
  }

  private save(): void {
    if (this.frames.length === 0) keep(() => this.shelf.removeItem(this.key));
    else keep(() => this.shelf.setItem(this.key, JSON.stringify(this.frames)));
  }
}

// What is typed but not sent, by question.
export class Drafts {
  private readonly shelf: Shelf;
  private readonly interview: Id;

  constructor(interview: Id, shelf: Shelf) {
    this.interview = interview;
    this.shelf = shelf;
  }

  read(question: Id): string {
    let text: string | null = null;
    keep(() => (text = this.shelf.getItem(this.key(question))));
    return text ?? '';
  }

  // False when this browser keeps nothing (private mode, full storage).
  write(question: Id, text: string): boolean {
    return keep(() =>
      text === ''
        ? this.shelf.removeItem(this.key(question))
        : this.shelf.setItem(this.key(question), text),
    );
  }

  private key(question: Id): string {
    return `greenroom.draft.${this.interview}.${question}`;
  }
}

function readFrames(shelf: Shelf, key: string): DurableFrame[] {
  let frames: DurableFrame[] = [];
  keep(() => {
    const stored: unknown = JSON.parse(shelf.getItem(key) ?? '[]');
    if (Array.isArray(stored)) frames = stored.filter(isFrame).slice(0, OUTBOX_MAX);
  });
  return frames;
}

function isFrame(value: unknown): value is DurableFrame {
  if (typeof value !== 'object' || value === null) return false;
  const frame = value as Record<string, unknown>;
  if (typeof frame['id'] !== 'string') return false;
  if (frame['type'] === 'start' || frame['type'] === 'finish') return true;
  if (typeof frame['question_id'] !== 'string') return false;
  if (frame['type'] === 'skip') return true;
  return frame['type'] === 'answer' && typeof frame['text'] === 'string';
}

function keep(act: () => void): boolean {
  try {
    act();
    return true;
  } catch {
    return false;
  }
}
