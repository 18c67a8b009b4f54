// Events of the server, one connection for all pages. Our own reader and not EventSource: that one tells of no
// status, hears only of event types it knows beforehand, and cannot be told to try again now.
import { createParser } from 'eventsource-parser';
import type { Happening } from '../api/nouns';

/** What a stream tells those who opened it. */
export interface Listener {
  /** It is open: with `missed`, what happened meanwhile can no longer be told and has to be read anew. */
  opened(missed: boolean): void;
  happened(event: Happening): void;
  /** It broke off, or was refused with a status; null: nobody answered. */
  closed(status: number | null): void;
}

const SILENCE = 40_000; // ms: the server says every 15 s that it is still there

/**
 * Reads until `signal` aborts, and comes again from where it was cut off. While nobody sees the page it has none
 * of the six connections that a browser makes to a server: otherwise the sixth page would wait for ever.
 */
export async function follow(
  url: string,
  listener: Listener,
  signal: AbortSignal,
  wait = pause,
): Promise<void> {
  let place = '';
  for (let tries = 0; !signal.aborted;) {
    if (document.hidden) {
      await happens('visibilitychange', signal);
      continue;
    }
    const status = await listen(url, place, listener, signal, (id) => {
      place = id;
      tries = 0;
    });
    if (signal.aborted || document.hidden) continue;
    listener.closed(status);
    if (status === 410 || status === 422) place = ''; // the place is too old to go on from
    await wait(Math.min(500 * 2 ** tries++, 8_000) * (0.75 + Math.random() / 2), signal);
  }
}

async function listen(
  url: string,
  place: string,
  listener: Listener,
  signal: AbortSignal,
  reached: (id: string) => void,
): Promise<number | null> {
  const silent = new AbortController();
  let timer = setTimeout(() => silent.abort(), SILENCE);
  void happens('visibilitychange', silent.signal).then(() => silent.abort());
  try {
    const headers: Record<string, string> = { Accept: 'text/event-stream' };
    if (place) headers['Last-Event-ID'] = place;
    const answer = await fetch(url, {
      headers,
      signal: AbortSignal.any([signal, silent.signal]),
      cache: 'no-store',
    });
    if (!answer.ok || !answer.body) return answer.status;
    listener.opened(place === '');
    const parser = createParser({
      onEvent({ id, data }) {
        if (id) reached(id);
        if (data) listener.happened(JSON.parse(data) as Happening);
      },
    });
    const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return null;
      clearTimeout(timer);
      timer = setTimeout(() => silent.abort(), SILENCE);
      parser.feed(value);
    }
  } catch {
    return null;
  } finally {
    clearTimeout(timer);
    silent.abort(); // also where a hearer has thrown: nobody reads this stream any more
  }
}

/** Waits so many ms, or until the machine is online again. */
export function pause(ms: number, signal: AbortSignal): Promise<void> {
  return happens('online', AbortSignal.any([signal, AbortSignal.timeout(ms)]));
}

/** Waits until it happens, or `signal` aborts. */
function happens(type: 'online' | 'visibilitychange', signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const over = new AbortController();
    const go = () => {
      over.abort();
      resolve();
    };
    if (signal.aborted) return go();
    signal.addEventListener('abort', go, { signal: over.signal });
    addEventListener(type, go, { signal: over.signal });
  });
}
