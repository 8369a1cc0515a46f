/** Reverts an earlier action, such as the start of a process. */
export type CleanUp = () => unknown;

/** Undoes in reverse order and empties the list; one that fails does not keep the others from being done. @throws AggregateError of all failures. */
export async function runCleanups(cleanUps: CleanUp[]): Promise<void> {
  const failures: unknown[] = [];
  for (const cleanUp of cleanUps.splice(0).reverse()) {
    try {
      await cleanUp();
    } catch (error) {
      failures.push(error);
    }
  }
  if (failures.length > 0) throw new AggregateError(failures, failures.map(String).join('; '));
}
