import { expect, test } from 'vitest';
import { locate, steps } from './places';

const text = JSON.stringify(
  { title: 'a "b"', scenes: [{ id: 'x' }, { id: 'y', layers: [{ text: 'here' }], duration: -4 }] },
  null,
  2,
);
const at = (path: string) => text.slice(...locate(text, steps(path)));

test('a path of the server leads to its place in the text', () => {
  expect(at('scenes[1] (y).layers[0].text')).toBe('"here"');
  expect(at('scenes[1] (y).duration')).toBe('-4');
  expect(at('title')).toBe('"a \\"b\\""');
});

test('what is missing is in the object around it', () => {
  expect(at('scenes[0] (x).duration')).toContain('"id": "x"');
  expect(steps('brand.colors["my colour"]')).toEqual(['brand', 'colors', 'my colour']);
});
