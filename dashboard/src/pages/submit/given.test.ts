import { expect, test } from 'vitest';
import { fieldsOf } from '../../form/shape';
import { given } from './given';

const fields = fieldsOf({
  properties: {
    template: { type: 'string' },
    fps: { type: 'integer', enum: [24, 30] },
    seed: { type: 'integer' },
    look: { type: 'object' },
  },
});

test('an address says what the form begins with', () => {
  const asked = new URLSearchParams({
    template: '7',
    fps: '24',
    seed: '3',
    look: '{"palette":"ice"}',
    other: 'x',
  });
  expect(given(fields, asked)).toEqual({ template: '7', fps: 24, seed: 3, look: { palette: 'ice' } });
});

test('what cannot be read is as if it were not there', () => {
  expect(given(fields, new URLSearchParams({ fps: '25', look: '{' }))).toEqual({
    fps: undefined,
    look: undefined,
  });
});
