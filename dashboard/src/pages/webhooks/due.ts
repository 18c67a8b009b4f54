// Deliveries change without an event that tells it: when to look again.
interface Sent {
  state: 'pending' | 'delivered' | 'failed';
  nextAt: string | null;
}

const SOON = 1_000; // ms that a try may take
const LONGEST = 30_000; // ms: clocks differ, and others replay, too
const LOOKS = 10; // at one that is late, each after twice as long: for some three minutes

/** When the next of those that are on their way is tried, in ms since 1970; null: none is on its way. */
export function next(sent: readonly Sent[], now: number): number | null {
  const times = sent
    .filter(({ state }) => state === 'pending')
    .map(({ nextAt }) => (nextAt ? Date.parse(nextAt) : now));
  return times.length ? Math.min(...times) : null;
}

/** Ms until one that is tried then may stand differently, where so many looks have shown no change since it was
 * late; null: nobody seems to send it. */
export function due(next: number, now: number, looks: number): number | null {
  if (next > now) return Math.min(LONGEST, next - now) + SOON;
  return looks < LOOKS ? Math.min(LONGEST, SOON * 2 ** looks) : null;
}
