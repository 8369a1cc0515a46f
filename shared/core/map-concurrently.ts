/** Runs `work` on every item, at most `limit` concurrently. Returns the results in the order of the items; after a failure no further item is started. */
export async function mapConcurrently<T, R>(items: readonly T[], work: (item: T) => Promise<R>, limit = 16): Promise<R[]> {
  const results: R[] = [];
  let next = 0;
  const lane = async (): Promise<void> => {
    try {
      for (let n = next++; n < items.length; n = next++) results[n] = await work(items[n] as T);
    } catch (error) {
      next = items.length;
      throw error;
    }
  };
  await Promise.all(Array.from({ length: Math.min(limit, items.length) }, lane));
  return results;
}
