// Text cut at every boundary that matters. Offsets count Unicode code points, as the server counts
// them; JavaScript's own string offsets would break at the first emoji.
import type { Evidence, Sentence } from '../api/types.ts';

export interface Piece {
  text: string;
  from: number;
  to: number;
  // The rules whose evidence covers this piece; empty for plain words.
  rules: string[];
}

export interface Part {
  // Null for what stands between sentences.
  sentence: Sentence | null;
  index: number;
  pieces: Piece[];
}

export function words(text: string): number {
  return text.match(/[\p{L}\p{N}]+(?:['’.,-]?[\p{L}\p{N}]+)*/gu)?.length ?? 0;
}

export function slice(text: string, from: number, to: number): string {
  return Array.from(text).slice(from, to).join('');
}

// The answer in reading order. Spans outside the text are cut to it; overlapping ones share pieces.
export function cut(
  text: string,
  sentences: readonly Sentence[],
  marks: readonly Evidence[],
): Part[] {
  const points = Array.from(text);
  const parts: Part[] = [];
  let at = 0;
  const ordered = [...sentences].sort((a, b) => a.from - b.from);
  ordered.forEach((sentence) => {
    const from = Math.max(sentence.from, at);
    const to = Math.min(sentence.to, points.length);
    if (to <= from) return;
    if (from > at) parts.push(part(null, parts.length, points, at, from, marks));
    parts.push(part(sentence, parts.length, points, from, to, marks));
    at = to;
  });
  if (at < points.length) parts.push(part(null, parts.length, points, at, points.length, marks));
  return parts;
}

// The first sentence that a span touches, or -1.
export function sentenceAt(sentences: readonly Sentence[], from: number): number {
  return sentences.findIndex((sentence) => from < sentence.to);
}

function part(
  sentence: Sentence | null,
  index: number,
  points: string[],
  from: number,
  to: number,
  marks: readonly Evidence[],
): Part {
  const inside = marks.filter((mark) => mark.from < to && mark.to > from);
  const edges = new Set([from, to]);
  for (const mark of inside) {
    edges.add(Math.max(from, mark.from));
    edges.add(Math.min(to, mark.to));
  }
  const sorted = [...edges].sort((a, b) => a - b);
  const pieces: Piece[] = [];
  for (let i = 0; i + 1 < sorted.length; i += 1) {
    const start = sorted[i] ?? 0;
    const end = sorted[i + 1] ?? 0;
    const rules = inside.filter((mark) => mark.from <= start && mark.to >= end).map((m) => m.rule);
    pieces.push({
      text: points.slice(start, end).join(''),
      from: start,
      to: end,
      rules: [...new Set(rules)],
    });
  }
  return { sentence, index, pieces };
}
