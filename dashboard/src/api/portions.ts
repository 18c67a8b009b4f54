// What is done to many jobs is done in portions, because one request has its limits.
interface Portion {
  changed: number;
  nextCursor: string | null;
}

/** Asks until all is done; how many were changed. `told` hears it on the way, also if it breaks off. */
export async function portions(
  ask: (cursor: string | undefined) => Promise<Portion>,
  told: (changed: number) => void = () => {},
): Promise<number> {
  let changed = 0;
  for (let cursor: string | null | undefined; cursor !== null;) {
    const portion: Portion = await ask(cursor);
    changed += portion.changed;
    told(changed);
    cursor = portion.nextCursor;
  }
  return changed;
}
