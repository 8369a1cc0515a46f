import type { Request } from '../../../schemas/generated/types.ts';
import { PermanentError } from '../../core/errors.ts';
import { LONGEST } from '../../pipeline/graph.ts';
import type { Attempt } from './attempt.ts';

/** Seconds for any item, and for each MB of its request's input. */
const LIMIT = { base: 300, perMegabyte: 4 };

/**
 * Seconds that work on an item may take when the request does not say otherwise. Whoever stops a process gives it as long.
 * @param bytes Of the request's input.
 */
export const computeItemTimeoutSeconds = (bytes: number): number =>
  Math.min(LONGEST, LIMIT.base + Math.ceil((LIMIT.perMegabyte * bytes) / 1e6));

/**
 * Ends an attempt that takes too long. How large the input is, is asked for only when the least that any item may take is over.
 * @returns Disarms it.
 */
export function armDeadline({ landed, abort }: Attempt, request: () => Promise<Request>): () => void {
  // Options of artifacts are their writer's.
  const chosen = Math.min(LONGEST, Number(landed.options['item-timeout'] ?? 0));
  let timer: NodeJS.Timeout;

  const arm = (seconds: number, then: () => void): void => {
    timer = setTimeout(then, seconds * 1_000);
  };
  const end = (limit: number): void => {
    const message = `work on ${landed.key} took longer than ${limit} s; the option item-timeout allows more`;
    abort.abort(new PermanentError('item-timeout', message));
  };
  const extend = (): void => {
    request().then(
      ({ input }) => {
        const limit = computeItemTimeoutSeconds(input.size);
        arm(limit - LIMIT.base, () => {
          end(limit);
        });
      },
      () => {
        end(LIMIT.base);
      },
    );
  };

  if (chosen > 0)
    arm(chosen, () => {
      end(chosen);
    });
  else arm(LIMIT.base, extend);
  return () => {
    clearTimeout(timer);
  };
}
