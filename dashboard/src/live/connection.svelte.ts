// The one connection to what happens. Pages subscribe; the shell shows how it stands.
import type { Happening } from '../api/nouns';
import { remembered } from './recent';
import { follow } from './stream';

type Hear = (event: Happening) => void;

class Connection {
  /** `away` since a moment ago: only then is it worth a word. */
  state = $state<'opening' | 'open' | 'away' | 'unknown'>('opening');
  /** Counts how often what is shown must be read anew, because events were missed. */
  opened = $state(0);
  /** … and how often the stream could not even tell afterwards what was missed. */
  missed = $state(0);
  /** What happened lately, the newest first; not reactive, for it changes many times a second. */
  recent: readonly Happening[] = [];
  #hearers = new Set<Hear>();
  #over: AbortController | undefined;

  /** Hear of everything from now on; call what is returned to stop. */
  hear(hear: Hear): () => void {
    this.#hearers.add(hear);
    return () => this.#hearers.delete(hear);
  }

  open(): void {
    this.#over?.abort();
    this.#over = new AbortController();
    void follow(
      '/api/v1/events/stream',
      {
        opened: (missed) => {
          this.state = 'open';
          this.opened += 1;
          if (missed) this.missed += 1;
        },
        happened: (event) => {
          this.recent = remembered(this.recent, event);
          for (const hear of this.#hearers) hear(event);
        },
        closed: (status) => {
          this.state = status === 401 ? 'unknown' : 'away';
        },
      },
      this.#over.signal,
    );
  }

  close(): void {
    this.#over?.abort();
    this.recent = [];
    this.state = 'opening';
  }
}

export const connection = new Connection();
