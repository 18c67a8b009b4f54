import type { Kept } from '../../live/kept.svelte';
import { due } from './due';

type Sent = Parameters<typeof due>[0];

/** To be called while a component begins: what is on its way is read again when it may have arrived. */
export function pursue(kept: Kept<{ items: Sent }>): void {
  $effect(() => {
    if (kept.isReading || !kept.value) return;
    const wait = due(kept.value.items, Date.now());
    if (wait === null) return;
    const timer = setTimeout(() => void kept.read(), wait);
    return () => clearTimeout(timer);
  });
}
