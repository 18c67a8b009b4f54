import { expect, test } from 'vitest';
import { Rate } from './rate';

test('the last seconds count, not the whole time', () => {
  const rate = new Rate();
  expect(rate.after(0, 0)).toBe(0);
  expect(rate.after(400, 400)).toBe(0); // too early to tell
  for (let s = 1; s <= 20; s += 1) rate.after(s * 1000, s * 1000);
  expect(rate.after(21_000, 21_000)).toBe(1000);
  for (let s = 22; s <= 40; s += 1) rate.after(21_000 + (s - 21) * 50, s * 1000);
  expect(rate.after(22_000, 41_000)).toBeCloseTo(50);
});

test('what is sent again, and a rest, begin anew', () => {
  const rate = new Rate();
  rate.after(0, 0);
  expect(rate.after(5000, 1000)).toBe(5000);
  expect(rate.after(2000, 2000)).toBe(0);
  expect(rate.after(3000, 3000)).toBe(1000);
  rate.rest();
  expect(rate.after(3000, 60_000)).toBe(0);
  expect(rate.after(5000, 61_000)).toBe(2000);
});
