/** How loud each of so many bars is, from 0 to 1, of the lowest and highest samples of a track. */
export function outline(samples: readonly number[], bars: number): number[] {
  const most = samples.reduce((most, each) => Math.max(most, Math.abs(each)), 1);
  return Array.from({ length: bars }, (_, n) => {
    const from = Math.floor((n * samples.length) / bars);
    const until = Math.max(from + 1, Math.floor(((n + 1) * samples.length) / bars));
    return samples.slice(from, until).reduce((loud, each) => Math.max(loud, Math.abs(each)), 0) / most;
  });
}
