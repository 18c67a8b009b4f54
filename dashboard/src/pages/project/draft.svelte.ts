// A text that is edited while what it is a text of may change on the server. Kept while the browser tab is open.

interface Kept {
  text: string;
  base: string;
}

/** The text, and what it was when it began to be changed. */
export class Draft {
  text = $state('');
  #base = $state('');
  #theirs = $state('');

  constructor(readonly place: string) {}

  get isDirty(): boolean {
    return this.text !== this.#theirs;
  }

  /** Somebody else has changed what is being changed here. */
  get isStale(): boolean {
    return this.isDirty && this.#theirs !== this.#base;
  }

  /** What the server has now: shown at once, unless somebody is at it. */
  hear(theirs: string): void {
    const kept = this.#theirs === '' ? this.#remembered() : undefined;
    if (kept) [this.text, this.#base] = [kept.text, kept.base];
    this.#theirs = theirs;
    if (this.text === this.#base || this.text === theirs) this.take();
  }

  /** Let go of what was changed here. */
  take(): void {
    this.text = this.#base = this.#theirs;
    this.remember();
  }

  /** It was saved so, and what the server made of it was heard, if it answered. */
  saved(text: string): void {
    if (this.#theirs === this.#base) this.#base = this.#theirs = text;
    else if (this.text === text) this.text = this.#base = this.#theirs;
    else this.#base = this.#theirs; // somebody typed on meanwhile
    this.remember();
  }

  remember(): void {
    if (this.isDirty)
      sessionStorage.setItem(this.place, JSON.stringify({ text: this.text, base: this.#base }));
    else sessionStorage.removeItem(this.place);
  }

  #remembered(): Kept | undefined {
    const kept = sessionStorage.getItem(this.place);
    return kept === null ? undefined : (JSON.parse(kept) as Kept);
  }
}
