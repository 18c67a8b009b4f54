import type { Kept } from '../../live/kept.svelte';
import { due, next } from './due';

type Sent = Parameters<typeof next>[0];

/** To be called while a component begins: what is on its way is read again when it may have arrived. */
export function pursue(kept: Kept<{ items: Sent }>): void {
  let [seen, looks] = ['', 0];
  $effect(() => {
    if (kept.isReading || !kept.value) return;
    const now = Date.now();
    const tried = next(kept.value.items, now);
    if (tried === null) return;
    const found = JSON.stringify(kept.value.items);
    looks = found === seen && tried <= now ? looks + 1 : 0;
    seen = found;
    const wait = due(tried, now, looks);
    if (wait === null) return;
    const timer = setTimeout(() => void kept.read(), wait);
    return () => clearTimeout(timer);
  });
}
