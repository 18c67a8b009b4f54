// Times and amounts as people read them, in the zone and the language of the browser.

const clock = new Intl.DateTimeFormat(undefined, { hour: '2-digit', minute: '2-digit', second: '2-digit' });
const day = new Intl.DateTimeFormat(undefined, {
  day: 'numeric',
  month: 'short',
  hour: '2-digit',
  minute: '2-digit',
});
const whole = new Intl.DateTimeFormat(undefined, { dateStyle: 'full', timeStyle: 'long' });

/** When, briefly: the time for today, and the day for what is longer ago. */
export function when(iso: string | null | undefined, now = new Date()): string {
  if (!iso) return '–';
  const at = new Date(iso);
  return (at.toDateString() === now.toDateString() ? clock : day).format(at);
}

/** When, to the second and with the zone. */
export function exactly(iso: string | null | undefined): string {
  return iso ? whole.format(new Date(iso)) : '';
}

/** 4.2 s, 38 s, 2:05, 3:20:07. */
export function span(seconds: number | null | undefined): string {
  if (seconds === null || seconds === undefined || !Number.isFinite(seconds)) return '–';
  if (seconds < 0) seconds = 0;
  if (seconds < 9.95) return `${seconds.toFixed(1)} s`;
  const s = Math.round(seconds);
  if (s < 60) return `${s} s`;
  const [h, m, rest] = [Math.floor(s / 3600), Math.floor(s / 60) % 60, s % 60];
  const two = (n: number) => String(n).padStart(2, '0');
  return h ? `${h}:${two(m)}:${two(rest)}` : `${m}:${two(rest)}`;
}

/** About 40 seconds, about 5 minutes: what nobody knows to the second. */
export function about(seconds: number): string {
  if (seconds < 10) return 'a few seconds';
  if (seconds < 90) return `about ${Math.round(seconds / 5) * 5} seconds`;
  if (seconds < 5400) return `about ${Math.round(seconds / 60)} minutes`;
  return `about ${(seconds / 3600).toFixed(1)} hours`;
}

/** 980 B, 14.2 MB. */
export function bytes(size: number | null | undefined): string {
  if (size === null || size === undefined) return '–';
  let unit = 0;
  while (size >= 1000 && unit < 4) {
    size /= 1000;
    unit += 1;
  }
  const number = unit && size < 100 ? size.toFixed(1) : String(Math.round(size));
  return `${number} ${['B', 'kB', 'MB', 'GB', 'TB'][unit]}`;
}

export const count = (n: number): string => n.toLocaleString();

/** 1 job, 2 jobs. */
export const many = (n: number, one: string, more = `${one}s`): string =>
  `${count(n)} ${n === 1 ? one : more}`;
