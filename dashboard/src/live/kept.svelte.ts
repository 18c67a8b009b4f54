// Something read from the server and kept true while a page shows it.
import { untrack } from 'svelte';
import { type Refusal, refusalOf } from '../api/client';
import type { Happening } from '../api/nouns';
import { connection } from './connection.svelte';

const PAUSE = 700; // ms between two readings, however much happens

/** The value, or why there is none. While it is read anew the old one stays. */
export class Kept<T> {
  value = $state.raw<T>();
  problem = $state.raw<Refusal>();
  isReading = $state(false);
  readings = $state(0); // how many have ended, well or not
  #isOld = false; // something has happened since the reading under way began
  #load: (signal: AbortSignal) => Promise<T>;
  #last = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #reading: AbortController | undefined;

  constructor(load: (signal: AbortSignal) => Promise<T>) {
    this.#load = load;
  }

  /** Read now, whatever is under way. */
  async read(): Promise<void> {
    this.stop();
    const reading = (this.#reading = new AbortController());
    this.isReading = true;
    this.#last = Date.now();
    try {
      const value = await this.#load(reading.signal);
      if (reading.signal.aborted) return;
      this.value = value;
      this.problem = undefined;
    } catch (error) {
      if (reading.signal.aborted) return;
      const problem = refusalOf(error);
      // That the server is away is said once for the whole page, by the shell.
      if (problem.code !== 'AWAY' || this.value === undefined) this.problem = problem;
    }
    this.isReading = false;
    this.readings += 1;
    if (this.#isOld) this.soon();
  }

  /** Read soon: many calls are one reading. One under way is not cut off, or there would never be an end. */
  soon(): void {
    this.#isOld = this.isReading;
    if (!this.#isOld)
      this.#timer ??= setTimeout(() => void this.read(), Math.max(0, this.#last + PAUSE - Date.now()));
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#isOld = false;
    this.#reading?.abort();
  }
}

/**
 * To be called while a component begins: `load` is read at once, again when what it depends on changes, after
 * each event that `concerns` it, and whenever events were missed. `patch` shows an event without reading.
 */
export function keep<T>(
  load: (signal: AbortSignal) => Promise<T>,
  concerns: (event: Happening) => boolean,
  patch?: (value: T, event: Happening) => T,
  every?: (value: T | undefined) => number | undefined, // ms to the next reading, also if nothing happens
): Kept<T> {
  const kept = new Kept(load);
  $effect(() => {
    void connection.opened;
    void kept.read();
    return () => kept.stop();
  });
  $effect(() =>
    connection.hear((event) => {
      const value = untrack(() => kept.value);
      if (patch && value !== undefined) kept.value = patch(value, event);
      if (concerns(event)) kept.soon();
    }),
  );
  $effect(() => {
    void kept.readings;
    const pause = every?.(untrack(() => kept.value));
    if (pause === undefined) return;
    const read = () => {
      if (document.hidden) addEventListener('visibilitychange', read, { once: true });
      else void kept.read();
    };
    const timer = setTimeout(read, pause);
    return () => {
      clearTimeout(timer);
      removeEventListener('visibilitychange', read);
    };
  });
  return kept;
}
