// What happened lately, as somebody reads it.
import type { Happening } from '../api/nouns';

export const MOST = 500;

/** By this a line is told from others: the progress of a job is one line that moves. */
export const lineOf = (event: Happening): string | number =>
  event.type === 'job.progress' ? `progress of ${event.jobId}` : event.id;

/** The newest first, and no more than can be read. */
export function remembered(recent: readonly Happening[], event: Happening): readonly Happening[] {
  const line = lineOf(event);
  return [event, ...recent.filter((each) => lineOf(each) !== line)].slice(0, MOST);
}

export const GROUPS = [
  'job',
  'progress',
  'stage',
  'batch',
  'queue',
  'worker',
  'project',
  'scene',
  'webhook',
  'other',
] as const;
export type Group = (typeof GROUPS)[number];

/** Under which of a few words an event stands. */
export function groupOf(type: string): Group {
  if (type === 'job.progress') return 'progress';
  const word = type.split('.')[0]!;
  if (word === 'part' || word === 'warning') return 'stage';
  return word !== 'progress' && (GROUPS as readonly string[]).includes(word) ? (word as Group) : 'other';
}

/** Whether somebody asked for it. Progress comes many times a second: only who asks for it gets it. */
export function isWanted(event: Happening, groups: readonly Group[], text: string): boolean {
  const group = groupOf(event.type);
  if (groups.length ? !groups.includes(group) : group === 'progress') return false;
  if (!text) return true;
  const { type, message, jobId, batchId, stage, data } = event;
  return [type, message, jobId, batchId, stage, JSON.stringify(data)].some((each) =>
    each?.toLowerCase().includes(text.toLowerCase()),
  );
}
