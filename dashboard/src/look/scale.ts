// Where the marks of a chart stand: at round numbers, and at round times of the viewer's zone.

/** Whole numbers from 0 on that are easily read, about four, none above `most`. */
export function marks(most: number): number[] {
  const rough = most / 4;
  const ten = 10 ** Math.floor(Math.log10(Math.max(1, rough)));
  const step = ten * ([1, 2, 5, 10].find((each) => each * ten >= rough) ?? 10);
  return Array.from({ length: Math.floor(most / step) + 1 }, (_, n) => n * step);
}

const MINUTE = 60;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const STEPS = [
  5 * MINUTE,
  10 * MINUTE,
  15 * MINUTE,
  30 * MINUTE,
  HOUR,
  2 * HOUR,
  3 * HOUR,
  6 * HOUR,
  12 * HOUR,
];
const DAYS = [DAY, 2 * DAY, 3 * DAY, 7 * DAY];

/** No more than `most` moments between two, in seconds since 1970, and whether they are days. */
export function moments(since: number, until: number, most: number): { at: number[]; areDays: boolean } {
  const step = [...STEPS, ...DAYS].find((each) => (until - since) / each <= most) ?? 7 * DAY;
  const at: number[] = [];
  // The zone is asked anew for each: in a week the clocks may be put back.
  for (let day = new Date(since * 1000).setHours(0, 0, 0, 0) / 1000; day <= until; day = nextDay(day))
    for (let moment = day; moment < nextDay(day); moment += Math.min(step, DAY))
      if (moment >= since && moment <= until) at.push(moment);
  return { at: step > DAY ? at.filter((_, n) => n % (step / DAY) === 0) : at, areDays: step >= DAY };
}

function nextDay(day: number): number {
  const date = new Date(day * 1000);
  return date.setDate(date.getDate() + 1) / 1000;
}

/** The sums of the lines up to and with each, from below: bars that stand upon each other. */
export function stacked(lines: readonly (readonly (number | null)[])[]): number[][] {
  const sums: number[][] = [];
  for (const values of lines) {
    const below = sums.at(-1);
    sums.push(values.map((value, n) => (value ?? 0) + (below?.[n] ?? 0)));
  }
  return sums;
}
