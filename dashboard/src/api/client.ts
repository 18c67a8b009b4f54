// Every question to the server, typed by its own OpenAPI document. What it refuses is thrown as a Refusal.
import createClient, { type Middleware } from 'openapi-fetch';
import type { components, paths } from './schema';

export type Schemas = components['schemas'];

/** What the server said no with, in its own words. */
export class Refusal extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
    readonly details: readonly Schemas['Detail'][] = [],
    readonly requestId = '',
  ) {
    super(message);
  }
}

const AWAY = 'The server does not answer. It may be starting again.';

const refusing: Middleware = {
  async onResponse({ response }) {
    if (response.ok) return undefined;
    throw await refusal(response);
  },
  onError({ error }) {
    if (error instanceof Refusal || (error instanceof DOMException && error.name === 'AbortError'))
      return undefined;
    return new Refusal(0, 'AWAY', AWAY);
  },
};

export async function refusal(response: Response): Promise<Refusal> {
  try {
    const told = (await response.json()) as Schemas['Failure'];
    const { code, message, details } = told.error;
    return new Refusal(response.status, code, message, details, told.meta.requestId);
  } catch {
    return new Refusal(
      response.status,
      'UNCLEAR',
      `The server answered ${response.status} without saying why.`,
    );
  }
}

export const api = createClient<paths>({ baseUrl: location.origin });
api.use(refusing);

/** What is in the envelope. */
export async function data<T>(asked: Promise<{ data?: { data: T } }>): Promise<T> {
  const { data } = await asked;
  if (data === undefined) throw new Refusal(0, 'UNCLEAR', 'The server answered with nothing.');
  return data.data;
}

/** Any error as a refusal, which is what pages show. */
export const refusalOf = (error: unknown): Refusal =>
  error instanceof Refusal ? error : new Refusal(0, 'BROKEN', words(error));

/** Any error in words for people. */
export function words(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
