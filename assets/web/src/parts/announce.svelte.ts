// One polite live region for the whole page: what changed, said once.

let text = $state('');

export const announced = {
  get text(): string {
    return text;
  },
};

export function announce(sentence: string): void {
  // The same sentence twice must be heard twice: a changed text node is what screen readers notice.
  text = text === sentence ? `${sentence}\u00a0` : sentence;
}
