// Deliveries change without an event that tells it: when to look again.
interface Sent {
  state: 'pending' | 'delivered' | 'failed';
  nextAt: string | null;
}

const SOON = 1_000; // ms that a try may take
const LONGEST = 30_000; // ms: clocks differ, and others replay, too

/** Ms until one of these may stand differently; null: none is on its way. */
export function due(sent: readonly Sent[], now: number): number | null {
  const next = sent
    .filter(({ state }) => state === 'pending')
    .map(({ nextAt }) => (nextAt ? Date.parse(nextAt) : now));
  return next.length ? Math.min(LONGEST, Math.max(0, Math.min(...next) - now) + SOON) : null;
}
