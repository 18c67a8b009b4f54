// Pictures that the server draws are asked for one after another: it draws few at once, and refuses a crowd.
class Turn {
  #last: Promise<unknown> = Promise.resolve();

  /** What `doing` comes to, when all that were asked for before are done; not begun if `signal` has aborted. */
  take<T>(signal: AbortSignal, doing: () => Promise<T>): Promise<T> {
    const mine = this.#last.then(() => {
      signal.throwIfAborted();
      return doing();
    });
    this.#last = mine.catch(() => undefined);
    return mine;
  }
}

export const turn = new Turn();
