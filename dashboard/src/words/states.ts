// What a state is called, and how it looks. The sentences are the ones that people were promised.
import type { Job, State } from '../api/nouns';

export const STATES: readonly State[] = ['pending', 'processing', 'completed', 'failed', 'cancelled'];

export const NAMES: Record<State, string> = {
  pending: 'Waiting',
  processing: 'Processing',
  completed: 'Completed',
  failed: 'Failed',
  cancelled: 'Cancelled',
};

const SENTENCES: Record<State, (thing: string) => string> = {
  pending: () => 'Waiting in queue…',
  processing: (thing) => `Processing ${thing}…`,
  completed: (thing) => `${thing[0]?.toUpperCase()}${thing.slice(1)} ready!`,
  failed: () => 'Processing failed',
  cancelled: () => 'Cancelled',
};

/** One sentence for how a job stands. */
export function sentence(job: Pick<Job, 'state' | 'pipeline'>): string {
  return SENTENCES[job.state](job.pipeline === 'narration' ? 'audio' : 'video');
}

export const hasEnded = (state: State): boolean => !['pending', 'processing'].includes(state);
