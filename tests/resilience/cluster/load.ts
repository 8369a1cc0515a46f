import { vi } from 'vitest';
import { expectedArtifacts } from '../../fixtures/tiny/graph.ts';
import { requestMetadata } from '../../support/harness/runtime.ts';
import { uniqueId, type Stack } from '../../support/stack.ts';
import { WAIT } from '../../support/wait.ts';

export type Request = ReturnType<typeof requestMetadata>;

const lines = ['one', 'two', 'three', 'four'];

/** Number of lines per request, which are items of `uppercase`. */
export const LINES = lines.length;

/** Expected SHA-256 of each object of a complete request, by path. */
export const artifacts = expectedArtifacts(lines);

/** Uploads requests without reuse of results. */
export async function submit(stack: Stack, count: number): Promise<Request[]> {
  const requests = Array.from({ length: count }, () => requestMetadata(stack, uniqueId()));
  for (const request of requests) await request.put(lines.join('\n'), { memo: 'false' });
  return requests;
}

/** Waits until a condition holds. Errors while a server is down count as false. */
export async function waitUntil(holds: () => boolean | Promise<boolean>): Promise<void> {
  const check = async (): Promise<boolean> => {
    try {
      return await holds();
    } catch {
      return false;
    }
  };
  await vi.waitUntil(check, WAIT);
}

export async function allEnded(requests: readonly Request[]): Promise<void> {
  for (const request of requests) await waitUntil(async () => (await request.ends()) > 0);
}
