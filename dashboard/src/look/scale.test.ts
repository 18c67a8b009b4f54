import { expect, test } from 'vitest';
import { marks, moments, stacked } from './scale';

test.each([
  [1, [0, 1]],
  [7, [0, 2, 4, 6]],
  [46, [0, 20, 40]],
  [80, [0, 20, 40, 60, 80]],
  [5230, [0, 2000, 4000]],
])('numbers up to %s', (most, expected) => expect(marks(most)).toEqual(expected));

const at = (...local: [number, number, number, number?, number?]) => new Date(...local).getTime() / 1000;

test('times are round ones of the zone, however the span begins', () => {
  const found = moments(at(2026, 10, 28, 23, 22), at(2026, 10, 29, 0, 22), 4);
  expect(found.at).toEqual([
    at(2026, 10, 28, 23, 30),
    at(2026, 10, 28, 23, 45),
    at(2026, 10, 29),
    at(2026, 10, 29, 0, 15),
  ]);
  expect(found.areDays).toBe(false);
});

test('a week has days, and fewer where there is little room', () => {
  const [since, until] = [at(2026, 9, 22, 11, 5), at(2026, 9, 29, 11, 5)]; // clocks are put back in many zones
  const days = [23, 24, 25, 26, 27, 28, 29].map((day) => at(2026, 9, day));
  expect(moments(since, until, 8)).toEqual({ at: days, areDays: true });
  expect(moments(since, until, 4).at).toEqual(days.filter((_, n) => n % 2 === 0));
});

test('bars stand upon each other', () => {
  expect(
    stacked([
      [1, null],
      [2, 3],
    ]),
  ).toEqual([
    [1, 0],
    [3, 3],
  ]);
});
