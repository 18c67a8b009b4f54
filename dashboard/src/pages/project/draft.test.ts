import { beforeEach, expect, test, vi } from 'vitest';
import { Draft } from './draft.svelte';

beforeEach(() => {
  const kept = new Map<string, string>();
  vi.stubGlobal('sessionStorage', {
    getItem: (key: string) => kept.get(key) ?? null,
    setItem: (key: string, text: string) => kept.set(key, text),
    removeItem: (key: string) => kept.delete(key),
  });
});

function type(draft: Draft, text: string) {
  draft.text = text;
  draft.remember();
}

test('what others change is shown, but never instead of what somebody types', () => {
  const draft = new Draft('scene');
  draft.hear('one');
  draft.hear('two');
  expect([draft.text, draft.isDirty]).toEqual(['two', false]);
  type(draft, 'mine');
  draft.hear('three');
  expect([draft.text, draft.isStale]).toEqual(['mine', true]);
  type(draft, 'two'); // as it was before both changed it
  expect(draft.isStale).toBe(true);
  draft.take();
  expect([draft.text, draft.isDirty]).toEqual(['three', false]);
});

test('unsaved changes outlive the page, and know what they began from', () => {
  const before = new Draft('scene');
  before.hear('one');
  type(before, 'mine');
  const after = new Draft('scene');
  after.hear('two');
  expect([after.text, after.isStale]).toEqual(['mine', true]);
  after.hear('mine, tidied');
  after.saved('mine');
  expect([after.text, after.isDirty]).toEqual(['mine, tidied', false]);
  expect(sessionStorage.getItem('scene')).toBe(null);
});
