import type { Request } from '../../../schemas/generated/types.ts';
import { PermanentError } from '../../core/errors.ts';
import { MAX_TIMEOUT_SECONDS } from '../../config/limits.ts';
import type { Attempt } from './attempt.ts';

/** Time limit of an item: a base in seconds, plus seconds per MB of the request's input. */
const ITEM_TIMEOUT = { baseSeconds: 300, secondsPerMb: 4 };

/**
 * Returns the time limit of an item whose request sets no `item-timeout`, in seconds. The grace period of a worker is as long.
 * @param bytes Size of the request's input.
 */
export const computeItemTimeoutSeconds = (bytes: number): number =>
  Math.min(MAX_TIMEOUT_SECONDS, ITEM_TIMEOUT.baseSeconds + Math.ceil((ITEM_TIMEOUT.secondsPerMb * bytes) / 1e6));

/**
 * Runs `use` and aborts the attempt with `item-timeout` if it takes too long. The request is read only after the base of the
 * time limit, so most items do not need it.
 * @param maxSeconds Limit of the operator.
 */
export async function withDeadline<T>(
  { landed, abort }: Pick<Attempt, 'landed' | 'abort'>,
  maxSeconds: number,
  readRequest: () => Promise<Request>,
  use: () => Promise<T>,
): Promise<T> {
  // The options of an artifact come from the object's metadata, which is untrusted.
  const requested = Math.min(maxSeconds, Number(landed.options['item-timeout'] ?? 0));
  const base = Math.min(maxSeconds, ITEM_TIMEOUT.baseSeconds);
  let timer: NodeJS.Timeout | undefined;
  let isOver = false;

  const arm = (seconds: number, onTimeout: () => void): void => {
    if (!isOver) timer = setTimeout(onTimeout, seconds * 1_000);
  };
  const expire = (limit: number) => (): void => {
    const remedy =
      limit < maxSeconds ? 'increase the option item-timeout' : 'the operator can raise FAVE_MAX_ITEM_TIMEOUT_SECONDS';
    const message = `the work on ${landed.key} took longer than ${limit} s; ${remedy}`;
    abort.abort(new PermanentError('item-timeout', message));
  };
  const extend = (): void => {
    readRequest().then(({ input }) => {
      const limit = Math.min(maxSeconds, computeItemTimeoutSeconds(input.size));
      arm(limit - base, expire(limit));
    }, expire(base));
  };

  if (requested > 0) arm(requested, expire(requested));
  else arm(base, extend);
  try {
    return await use();
  } finally {
    isOver = true;
    clearTimeout(timer);
  }
}
