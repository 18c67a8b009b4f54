// What is done to many jobs is done in portions, because one request has its limits.
export interface Handled {
  changed: number;
  overBudget: number; // that cost more than may be spent
  budget: string | null; // why, in the server's words
}
interface Portion extends Handled {
  nextCursor: string | null;
}

/** Asks until all is done; what was done in all. `told` hears how many on the way, also if it breaks off. */
export async function portions(
  ask: (cursor: string | undefined) => Promise<Portion>,
  told: (changed: number) => void = () => {},
): Promise<Handled> {
  const all: Handled = { changed: 0, overBudget: 0, budget: null };
  for (let cursor: string | null | undefined; cursor !== null;) {
    const portion: Portion = await ask(cursor);
    all.changed += portion.changed;
    all.overBudget += portion.overBudget;
    all.budget = portion.budget ?? all.budget;
    told(all.changed);
    cursor = portion.nextCursor;
  }
  return all;
}
