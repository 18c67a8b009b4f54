import { expect, test } from 'vitest';
import { due } from './due';

const now = Date.parse('2026-11-28T12:00:00Z');
const on = (state: 'pending' | 'delivered' | 'failed', nextAt: string | null = null) => ({ state, nextAt });

test('what has arrived is not looked at again', () => {
  expect(due([], now)).toBeNull();
  expect(due([on('delivered'), on('failed')], now)).toBeNull();
});

test('the next try decides, and a late one is soon', () => {
  expect(due([on('pending', '2026-11-28T12:00:05Z'), on('pending', '2026-11-28T12:30:00Z')], now)).toBe(6000);
  expect(due([on('pending', '2026-11-28T11:59:00Z'), on('delivered')], now)).toBe(1000);
  expect(due([on('pending', '2026-11-28T14:00:00Z')], now)).toBe(30_000);
});
