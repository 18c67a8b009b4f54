import type { Refusal } from '../api/client';

/** What the server found wrong with params, by the path of their field. */
export function refusedParams(problem: Refusal | undefined): Record<string, string> {
  const PARAMS = 'body.params.';
  return Object.fromEntries(
    (problem?.details ?? [])
      .filter(({ field }) => field.startsWith(PARAMS))
      .map(({ field, message }) => [field.slice(PARAMS.length), message]),
  );
}
