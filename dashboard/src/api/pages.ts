// Lists that the server gives page by page.
interface Page<T> {
  items: T[];
  nextCursor: string | null;
}

/** The first so many of a list, and whether there are more. */
export async function firstOf<T>(
  wanted: number,
  ask: (query: { limit: number; cursor?: string }) => Promise<Page<T>>,
): Promise<{ items: T[]; hasMore: boolean }> {
  const items: T[] = [];
  for (let cursor: string | null | undefined; cursor !== null && items.length < wanted;) {
    const limit = Math.min(200, wanted - items.length);
    const page: Page<T> = await ask({ limit, ...(cursor && { cursor }) });
    items.push(...page.items);
    cursor = page.nextCursor;
    if (items.length >= wanted) return { items, hasMore: cursor !== null };
  }
  return { items, hasMore: false };
}
