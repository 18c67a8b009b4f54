// The jobs that match, newest first, page by page, and kept true by what happens.
import { api, data, type Refusal, refusalOf } from '../../api/client';
import type { Happening, Job, State } from '../../api/nouns';
import { isNews, patched } from '../../live/patch';

export interface Filter {
  state: State[];
  queue?: string;
  pipeline?: string;
  batch?: string;
  q?: string;
}

const PAGE = 100;
const PAUSE = [250, 900] as const; // ms between two readings: the more, the longer a reading takes

export class JobList {
  items = $state.raw<Job[]>([]);
  problem = $state.raw<Refusal>();
  isReading = $state(true);
  hasMore = $state(false);
  grewAtStart = $state(false); // what somebody reads further down is not to move
  #cursor: string | null = null;
  #filter: Filter = { state: [] };
  #reading: AbortController | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #last = 0; // when it was read
  #took = 0; // ms

  /** Begin anew with another filter; what is shown stays until the answer is there. */
  async show(filter: Filter): Promise<void> {
    this.#filter = filter;
    this.isReading = true;
    const page = await this.#page(null);
    if (!page) return;
    this.items = page.items;
    this.#goesOn(page.nextCursor);
  }

  /** The next page, if there is one and none is being read. */
  async more(): Promise<void> {
    if (!this.hasMore || this.isReading) return;
    this.isReading = true;
    const page = await this.#page(this.#cursor);
    if (!page) return;
    const known = new Set(this.items.map(({ id }) => id));
    this.grewAtStart = false;
    this.items = [...this.items, ...page.items.filter(({ id }) => !known.has(id))];
    this.#goesOn(page.nextCursor);
  }

  hear(event: Happening): void {
    if (!event.jobId) return;
    const at = this.items.findIndex(({ id }) => id === event.jobId);
    const old = this.items[at];
    if (old) {
      const job = patched(old, event);
      if (job !== old) {
        const fits = !this.#filter.state.length || this.#filter.state.includes(job.state);
        this.items = fits ? this.items.with(at, job) : this.items.toSpliced(at, 1);
      }
    }
    // At once, or so long after the last reading: what happens is seen within a second, however much it is.
    if (isNews(event)) this.#soon();
  }

  #soon(): void {
    const pause = Math.min(PAUSE[1], Math.max(PAUSE[0], 4 * this.#took));
    this.#timer ??= setTimeout(() => void this.#refresh(), Math.max(0, this.#last + pause - Date.now()));
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#reading?.abort();
  }

  /** The newest ones again; those further down stay as events have left them. */
  async #refresh(): Promise<void> {
    this.#timer = undefined;
    if (this.isReading) {
      this.#timer = setTimeout(() => void this.#refresh(), PAUSE[0]);
      return;
    }
    const page = await this.#page(null);
    if (!page) return;
    const fresh = new Map(page.items.map((job) => [job.id, job]));
    const at = this.items.findIndex(({ id }) => id === page.items.at(-1)?.id);
    // Below 0: so many are new that what lies between is read when somebody comes there.
    const rest = at < 0 ? [] : this.items.slice(at + 1).filter(({ id }) => !fresh.has(id));
    const isAll = page.nextCursor === null;
    const before = this.items[0]?.id;
    this.items = isAll ? page.items : [...page.items, ...rest];
    this.grewAtStart = before !== this.items[0]?.id;
    if (isAll || at < 0 || this.#cursor === null) this.#goesOn(page.nextCursor);
  }

  #goesOn(cursor: string | null): void {
    this.#cursor = cursor;
    this.hasMore = cursor !== null;
    this.isReading = false;
  }

  async #page(cursor: string | null) {
    this.#reading?.abort();
    const reading = (this.#reading = new AbortController());
    this.#last = Date.now();
    const { state, ...rest } = this.#filter;
    const query = { limit: PAGE, ...rest, ...(state.length && { state }), ...(cursor && { cursor }) };
    try {
      const page = await data(api.GET('/api/v1/jobs', { params: { query }, signal: reading.signal }));
      if (reading.signal.aborted) return undefined;
      this.#took = Date.now() - this.#last;
      this.problem = undefined;
      return page;
    } catch (error) {
      if (reading.signal.aborted) return undefined;
      const problem = refusalOf(error);
      if (problem.code !== 'AWAY' || !this.items.length) this.problem = problem; // as in Kept
      this.isReading = false;
      return undefined;
    }
  }
}
