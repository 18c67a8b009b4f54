import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { Happening, Job } from '../../api/nouns';

// What the server has, newest first; the list reads it a hundred at a time.
let there: Job[] = [];
vi.stubGlobal('location', { origin: 'http://kiln' });
vi.stubGlobal('fetch', async (asked: Request) => {
  const at = Number(new URL(asked.url).searchParams.get('cursor') ?? 0);
  const items = there.slice(at, at + 100);
  const nextCursor = at + 100 < there.length ? String(at + 100) : null;
  return Response.json({ success: true, data: { items, nextCursor }, meta: {} });
});
const { JobList } = await import('./joblist.svelte');

const job = (n: number, state: Job['state'] = 'pending') => ({ id: `j${n}`, state, progress: 0 }) as Job;
const event = (n: number, type: string) => ({ jobId: `j${n}`, type, progress: 0 }) as Happening;

beforeEach(() => void vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

async function shown(first: number, last: number) {
  there = Array.from({ length: first - last + 1 }, (_, n) => job(first - n));
  const list = new JobList();
  await list.show({ state: [] });
  return list;
}

test('new jobs push none out of the list', async () => {
  const list = await shown(150, 1);
  there = [...Array.from({ length: 20 }, (_, n) => job(170 - n)), ...there];
  list.hear(event(170, 'job.created'));
  await vi.advanceTimersByTimeAsync(1000);
  expect(list.items.map(({ id }) => id)).toEqual(Array.from({ length: 120 }, (_, n) => `j${170 - n}`));
});

test('so many new ones that the known ones are far below: the list goes on from the new ones', async () => {
  const list = await shown(150, 1);
  there = [...Array.from({ length: 250 }, (_, n) => job(400 - n)), ...there];
  list.hear(event(400, 'job.created'));
  await vi.advanceTimersByTimeAsync(1000);
  for (let page = 0; page < 3; page += 1) await list.more();
  expect(list.items.map(({ id }) => id)).toEqual(there.map(({ id }) => id));
});
