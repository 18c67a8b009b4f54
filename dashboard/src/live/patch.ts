// What an event says of a job that is shown, without asking the server.
import type { Happening, Job, State } from '../api/nouns';

const BECOMES: Record<string, State> = {
  'job.started': 'processing',
  'job.progress': 'processing',
  'job.taken_over': 'processing',
  'job.retrying': 'pending',
  'job.reopened': 'pending',
  'job.handed_back': 'pending',
  'job.completed': 'completed',
  'job.failed': 'failed',
  'job.cancelled': 'cancelled',
};

/** The job after the event; the very same one if it tells nothing of it. */
export function patched<J extends Job>(job: J, event: Happening): J {
  if (event.jobId !== job.id) return job;
  const state = BECOMES[event.type] ?? job.state;
  if (event.type === 'job.progress' || event.type.startsWith('stage.')) {
    const stage = event.stage ?? job.stage;
    return {
      ...job,
      state,
      stage,
      progress: Math.max(job.progress, event.progress),
      message: event.message || job.message,
    };
  }
  return state === job.state ? job : { ...job, state, progress: state === 'completed' ? 100 : job.progress };
}

/** Whether an event changes more of a job than its percent. */
export const isNews = (event: Happening): boolean =>
  event.type.startsWith('job.') && event.type !== 'job.progress';
