import { expect, test } from 'vitest';
import { about, bytes, many, span } from './times';

test.each([
  [0, '0.0 s'],
  [4.24, '4.2 s'],
  [9.96, '10 s'],
  [59.7, '1:00'],
  [125, '2:05'],
  [12007, '3:20:07'],
  [null, '–'],
])('span of %s', (seconds, said) => expect(span(seconds)).toBe(said));

test.each([
  [980, '980 B'],
  [14_200_000, '14.2 MB'],
  [999_999, '1000 kB'],
  [3.1e12, '3.1 TB'],
])('bytes of %s', (size, said) => expect(bytes(size)).toBe(said));

test('one and many', () => {
  expect(many(1, 'job')).toBe('1 job');
  expect(many(3, 'batch', 'batches')).toBe('3 batches');
  expect(about(42)).toBe('about 40 seconds');
});
