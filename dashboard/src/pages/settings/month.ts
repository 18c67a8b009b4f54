// Months as the server counts costs: of UTC.

/** The first moment of the month that is `away` months from now. */
export function month(away: number, now = new Date()): Date {
  return new Date(Date.UTC(now.getUTCFullYear(), now.getUTCMonth() + away, 1));
}

/** All its days, 2026-11-01 and so on, until today at the latest. */
export function daysOf(first: Date, now = new Date()): string[] {
  const days: string[] = [];
  for (let day = first; day.getUTCMonth() === first.getUTCMonth() && day <= now;) {
    days.push(day.toISOString().slice(0, 10));
    day = new Date(day.getTime() + 86_400_000);
  }
  return days;
}

const named = new Intl.DateTimeFormat(undefined, { month: 'long', year: 'numeric', timeZone: 'UTC' });
export const called = (first: Date): string => named.format(first);

/** Since when a budget counts; undefined: since ever. */
export function begins(period: 'day' | 'month' | 'total', now = new Date()): string | undefined {
  if (period === 'total') return undefined;
  const today = now.toISOString().slice(0, 10);
  return `${period === 'month' ? today.slice(0, 8) + '01' : today}T00:00:00Z`;
}
