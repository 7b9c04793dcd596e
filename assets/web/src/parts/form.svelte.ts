// What every form does: check, send, put the server's refusals beside their fields, focus the first
// bad one.
import { tick } from 'svelte';
import { ApiError, saying } from '../api/client.ts';
import { t } from '../strings.ts';

// A rough shape only: whether an address exists is not for a pattern to say.
const EMAIL = /^[^\s@]+@[^\s@]+$/;
export const PASSWORD_MIN = 8;

export type Checks = Record<string, string | undefined>;

export class Form {
  errors = $state<Record<string, string>>({});
  problem = $state<{ text: string; requestId?: string } | null>(null);
  busy = $state(false);

  // Runs `act` if every check is empty. False when something stood in the way.
  async submit(event: SubmitEvent, checks: Checks, act: () => Promise<void>): Promise<boolean> {
    event.preventDefault();
    if (this.busy) return false;
    const form = event.currentTarget as HTMLFormElement;
    this.problem = null;
    this.errors = found(checks);
    if (Object.keys(this.errors).length > 0) {
      await focusFirst(form);
      return false;
    }
    this.busy = true;
    try {
      await act();
      return true;
    } catch (error) {
      this.take(error, form);
      await focusFirst(form);
      return false;
    } finally {
      this.busy = false;
    }
  }

  private take(error: unknown, form: HTMLFormElement): void {
    const fields = error instanceof ApiError ? error.fields : [];
    const shown = fields.filter(({ field }) => form.elements.namedItem(field) !== null);
    this.errors = Object.fromEntries(shown.map(({ field, detail }) => [field, detail]));
    if (shown.length > 0 && shown.length === fields.length) return;
    const hidden = error instanceof ApiError && error.status >= 500 ? error.requestId : undefined;
    this.problem = hidden ? { text: saying(error), requestId: hidden } : { text: saying(error) };
  }
}

export function needed(text: string): string | undefined {
  return text.trim() === '' ? t.required : undefined;
}

export function address(text: string): string | undefined {
  return needed(text) ?? (EMAIL.test(text.trim()) ? undefined : t.setup.badEmail);
}

export function newPassword(text: string): string | undefined {
  const missing = PASSWORD_MIN - Array.from(text).length;
  return needed(text) ?? (missing > 0 ? t.password.short(missing) : undefined);
}

function found(checks: Checks): Record<string, string> {
  const entries = Object.entries(checks).filter((entry): entry is [string, string] => !!entry[1]);
  return Object.fromEntries(entries);
}

async function focusFirst(form: HTMLFormElement): Promise<void> {
  await tick();
  form.querySelector<HTMLElement>('[aria-invalid="true"]')?.focus();
}
