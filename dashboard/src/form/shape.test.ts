import { expect, test } from 'vitest';
import { fault, fieldsOf, type Schema } from './shape';

const schema: Schema = {
  $defs: {
    Tone: { type: 'object', description: 'A tone', properties: { gain_db: { type: 'number', maximum: 0 } } },
  },
  type: 'object',
  properties: {
    format: { enum: ['a', 'b'], default: 'a', type: 'string', description: 'Which' },
    seed: { type: 'integer', minimum: 0, exclusiveMaximum: 10, default: 1 },
    fps: { anyOf: [{ type: 'integer', enum: [24, 25] }, { type: 'null' }], default: null },
    tone: { anyOf: [{ $ref: '#/$defs/Tone' }, { type: 'null' }] },
    script: { type: 'string', maxLength: 200_000, examples: ['Hello.'] },
    only: { anyOf: [{ type: 'array', items: { type: 'string' } }, { type: 'null' }] },
  },
};
const [format, seed, fps, tone, script, only] = fieldsOf(schema);

test('each field has its shape', () => {
  expect(format).toMatchObject({
    kind: 'choice',
    choices: ['a', 'b'],
    standard: 'a',
    help: 'Which',
    isOptional: false,
  });
  expect(seed).toMatchObject({ kind: 'number', isWhole: true, low: 0, high: 9 });
  expect(fps).toMatchObject({ kind: 'choice', title: 'FPS', isOptional: true, standard: null });
  expect(tone).toMatchObject({ kind: 'group', isOptional: true, help: 'A tone' });
  expect(tone?.kind === 'group' && tone.fields[0]?.title).toBe('Gain (dB)');
  expect(script).toMatchObject({ kind: 'text', isLong: true, offered: ['Hello.'] });
  expect(only).toMatchObject({ kind: 'json', isOptional: true });
});

test('what is wrong is said before the server is asked', () => {
  expect(fault(seed!, 9)).toBe('');
  expect(fault(seed!, 10)).toBe('At most 9.');
  expect(fault(seed!, 1.5)).toBe('This is a whole number.');
  expect(fault(tone!, { gain_db: 3 })).toBe('At most 0.');
  expect(fault(tone!, null)).toBe('');
});
