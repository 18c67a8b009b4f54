import { expect, test } from 'vitest';
import { turn } from './turn';

test('one after another, and never what nobody waits for any more', async () => {
  const done: string[] = [];
  const over = new AbortController();
  const doing = (name: string) => () => Promise.resolve(done.push(name));
  const first = turn.take(new AbortController().signal, () => Promise.reject(new Error('refused')));
  const second = turn.take(over.signal, doing('second'));
  const third = turn.take(new AbortController().signal, doing('third'));
  over.abort();
  await expect(first).rejects.toThrow('refused');
  await expect(second).rejects.toThrow();
  await third;
  expect(done).toEqual(['third']);
});
