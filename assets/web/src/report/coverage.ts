// The words that a place of the coverage points at.
import type { Covered, ReportAnswer } from '../api/types.ts';

const CHARS_MAX = 120;

/** The quoted words, shortened; offsets count code points. */
export function cut(
  answers: readonly ReportAnswer[],
  place: Covered['evidence'][number],
): string {
  const answer = answers.find((one) => one.answer.answer_id === place.answer_id);
  const points = Array.from(answer?.answer.text ?? '');
  const words = points.slice(place.from, place.to);
  return words.length <= CHARS_MAX ? words.join('') : `${words.slice(0, CHARS_MAX).join('')}…`;
}
