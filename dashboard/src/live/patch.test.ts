import { expect, test } from 'vitest';
import type { Happening, Job } from '../api/nouns';
import { patched } from './patch';

const job = { id: 'a', state: 'processing', stage: 'listen', progress: 40, message: 'Listening' } as Job;
const event = (more: Partial<Happening>): Happening => ({
  id: 1,
  type: 'job.progress',
  timestamp: '',
  jobId: 'a',
  batchId: null,
  stage: 'render',
  progress: 42,
  message: 'Drawing',
  data: {},
  ...more,
});

test('progress moves on', () => {
  expect(patched(job, event({}))).toMatchObject({ stage: 'render', progress: 42, message: 'Drawing' });
});

test('progress never falls, whatever comes late', () => {
  expect(patched(job, event({ progress: 12 })).progress).toBe(40);
});

test('another job is left as it is', () => {
  expect(patched(job, event({ jobId: 'b' }))).toBe(job);
});

test('the end is seen at once', () => {
  expect(patched(job, event({ type: 'job.completed' }))).toMatchObject({ state: 'completed', progress: 100 });
  expect(patched(job, event({ type: 'job.failed' }))).toMatchObject({ state: 'failed', progress: 40 });
});
