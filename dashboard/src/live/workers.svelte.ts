// Who works, kept true while a page shows it.
import { api, data } from '../api/client';
import type { Worker } from '../api/nouns';
import { keep, type Kept } from './kept.svelte';
import { isNews } from './patch';

const SILENCE = 10_000; // ms: one that has fallen silent tells nothing

/** To be called while a component begins. */
export function keepWorkers(): Kept<Worker[]> {
  return keep(
    (signal) => data(api.GET('/api/v1/workers', { signal })),
    (event) => isNews(event) || event.type.startsWith('worker.'),
    (workers, event) =>
      event.type !== 'job.progress' || !event.jobId
        ? workers
        : workers.map((worker) => ({
            ...worker,
            jobs: worker.jobs.map((job) =>
              job.id === event.jobId ? { ...job, progress: event.progress, message: event.message } : job,
            ),
          })),
    () => SILENCE,
  );
}
