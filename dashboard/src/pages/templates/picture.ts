// Pictures of templates, drawn by the server over its built-in song.
import { api, Refusal } from '../../api/client';

export interface Wish {
  format: string;
  seed: number;
  at: number; // second of the song
  look: Record<string, unknown>;
}

export const LAST = 19.9; // seconds of the song

export const usual: Wish = { format: '1080p', seed: 1, at: 9.2, look: {} };

export async function picture(name: string, wish: Wish, signal: AbortSignal): Promise<Blob> {
  const query = { ...wish, look: JSON.stringify(wish.look) };
  const asked = { params: { path: { name }, query }, parseAs: 'blob', signal } as const;
  const { data } = await api.GET('/api/v1/templates/{name}/preview', asked);
  if (!data) throw new Refusal(0, 'UNCLEAR', 'The server answered with nothing.');
  return data as unknown as Blob;
}

/** Where a film with this look is ordered. */
export function order(name: string, { format, seed, look }: Wish): string {
  const query = new URLSearchParams({ pipeline: 'visualizer', template: name, format, seed: String(seed) });
  if (Object.keys(look).length) query.set('look', JSON.stringify(look));
  return `/submit?${query}`;
}
