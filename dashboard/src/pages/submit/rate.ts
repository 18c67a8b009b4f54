// How fast bytes go, by what went in the last seconds: a mean over all would tell of another hour.
const SPAN = 6_000; // ms
const LEAST = 500; // ms, below which it would be a guess

export class Rate {
  #seen: { at: number; bytes: number }[] = [];

  /** So many bytes have gone by now; what a second has taken lately, 0 where that would be a guess. */
  after(bytes: number, now: number): number {
    const last = this.#seen.at(-1);
    if (last && bytes < last.bytes) this.#seen = []; // it goes on from further back
    this.#seen.push({ at: now, bytes });
    while (this.#seen.length > 2 && this.#seen[1]!.at <= now - SPAN) this.#seen.shift();
    const first = this.#seen[0]!;
    return now - first.at < LEAST ? 0 : (1000 * (bytes - first.bytes)) / (now - first.at);
  }

  /** It stands still from here on: the time until it goes again counts for nothing. */
  rest(): void {
    this.#seen = [];
  }
}
