import { expect, test } from 'vitest';
import { begins, daysOf, month } from './month';

const now = new Date('2026-01-03T23:59:00Z');

test('months are those of UTC', () => {
  expect(month(0, now).toISOString()).toBe('2026-01-01T00:00:00.000Z');
  expect(month(-1, now).toISOString()).toBe('2025-12-01T00:00:00.000Z');
  expect(month(1, now).toISOString()).toBe('2026-02-01T00:00:00.000Z');
});

test('days end with the month, or today', () => {
  expect(daysOf(month(0, now), now)).toEqual(['2026-01-01', '2026-01-02', '2026-01-03']);
  expect(daysOf(month(-1, now), now)).toHaveLength(31);
  expect(daysOf(month(1, now), now)).toEqual([]);
});

test('a budget begins with its day or month', () => {
  expect(begins('day', now)).toBe('2026-01-03T00:00:00Z');
  expect(begins('month', now)).toBe('2026-01-01T00:00:00Z');
  expect(begins('total', now)).toBeUndefined();
});
