import { expect, test } from 'vitest';
import { due, next } from './due';

const now = Date.parse('2026-11-28T12:00:00Z');
const on = (state: 'pending' | 'delivered' | 'failed', nextAt: string | null = null) => ({ state, nextAt });

test('what has arrived is not looked at again', () => {
  expect(next([], now)).toBeNull();
  expect(next([on('delivered'), on('failed')], now)).toBeNull();
});

test('the next try decides', () => {
  const sent = [
    on('pending', '2026-11-28T12:00:05Z'),
    on('pending', '2026-11-28T12:30:00Z'),
    on('delivered'),
  ];
  expect(due(next(sent, now)!, now, 0)).toBe(6000);
  expect(due(next([on('pending', '2026-11-28T14:00:00Z')], now)!, now, 99)).toBe(31_000);
});

test('a late one is looked at soon, then less and less, and at last no more', () => {
  const late = next([on('pending', '2026-11-28T11:59:00Z')], now)!;
  const waits = Array.from({ length: 11 }, (_, looks) => due(late, now, looks));
  expect(waits.slice(0, 6)).toEqual([1000, 2000, 4000, 8000, 16_000, 30_000]);
  expect(waits.at(-1)).toBeNull();
});
