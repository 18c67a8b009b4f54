import { expect, test } from 'vitest';
import { outline } from './outline';

test('the loudest sample fills a bar, and each bar is as loud as the loudest of its part', () => {
  expect(outline([-1, 1, -8, 4, 0, 0, -2, 6], 4)).toEqual([0.125, 1, 0, 0.75]);
  expect(outline([-5, 5], 4)).toEqual([1, 1, 1, 1]);
});

test('silence, and nothing at all, is flat', () => {
  expect(outline([0, 0, 0, 0], 2)).toEqual([0, 0]);
  expect(outline([], 3)).toEqual([0, 0, 0]);
});
