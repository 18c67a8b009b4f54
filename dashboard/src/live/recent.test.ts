import { expect, test } from 'vitest';
import type { Happening } from '../api/nouns';
import { groupOf, isWanted, lineOf, MOST, remembered } from './recent';

const event = (id: number, type: string, more: Partial<Happening> = {}): Happening => ({
  id,
  type,
  timestamp: '',
  jobId: 'a',
  batchId: null,
  stage: null,
  progress: 0,
  message: '',
  data: {},
  ...more,
});
const all = (events: Happening[]) => events.reduce<readonly Happening[]>(remembered, []);

test('the newest are kept, the newest first', () => {
  const kept = all(Array.from({ length: MOST + 20 }, (_, id) => event(id, 'job.started')));
  expect(kept.length).toBe(MOST);
  expect([kept[0]?.id, kept.at(-1)?.id]).toEqual([MOST + 19, 20]);
});

test('the progress of a job is one line', () => {
  const kept = all([
    event(1, 'job.progress'),
    event(2, 'job.progress', { jobId: 'b' }),
    event(3, 'stage.started'),
    event(4, 'job.progress'),
  ]);
  expect(kept.map(({ id }) => id)).toEqual([4, 3, 2]);
  expect(new Set(kept.map(lineOf)).size).toBe(3);
});

test('what comes again after the connection was cut off is there once', () => {
  expect(all([event(1, 'job.started'), event(1, 'job.started')]).length).toBe(1);
});

test.each([
  ['job.progress', 'progress'],
  ['job.failed', 'job'],
  ['warning', 'stage'],
  ['user.upgraded', 'other'],
  ['progress.made', 'other'],
])('%s is of %s', (type, group) => expect(groupOf(type)).toBe(group));

test('only what was asked for', () => {
  const paid = event(1, 'user.upgraded', { data: { plan: 'Pro' } });
  expect(isWanted(paid, [], '')).toBe(true);
  expect(isWanted(paid, ['other'], 'pro')).toBe(true);
  expect(isWanted(paid, ['job'], '')).toBe(false);
  expect(isWanted(paid, [], 'basic')).toBe(false);
  expect(isWanted(event(2, 'job.progress'), [], '')).toBe(false);
  expect(isWanted(event(2, 'job.progress'), ['progress'], '')).toBe(true);
});
