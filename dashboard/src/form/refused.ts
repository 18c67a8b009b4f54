import { tick } from 'svelte';
import type { Refusal } from '../api/client';

const PARAMS = 'body.params.';

/** What the server found wrong with params, by the path of their field: with those that are still as it saw them. */
export function refusedParams(
  problem: Refusal | undefined,
  sent: Readonly<Record<string, unknown>>,
  params: Readonly<Record<string, unknown>>,
): Record<string, string> {
  return Object.fromEntries(
    (problem?.details ?? [])
      .filter(({ field }) => field.startsWith(PARAMS))
      .map(({ field, message }) => [field.slice(PARAMS.length), message] as const)
      .filter(([path]) => params[path.split('.')[0]!] === sent[path.split('.')[0]!]),
  );
}

/** … of them, what concerns a field; with all that is inside it where that has no fields of its own. */
export function refusedAt(refused: Readonly<Record<string, string>>, path: string, isWhole: boolean): string {
  return Object.entries(refused)
    .filter(([at]) => at === path || (isWhole && at.startsWith(`${path}.`)))
    .map(([at, message]) => (at === path ? message : `${at.slice(path.length + 1)}: ${message}`))
    .join('; ');
}

/** Leads to the first field that has to be mended, once that is shown. */
export async function leadToFault(): Promise<void> {
  await tick();
  const at = document.querySelector<HTMLElement>('main [aria-invalid=true]');
  at?.closest('details')?.setAttribute('open', '');
  at?.focus();
}
