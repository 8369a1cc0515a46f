import type { OptionSchemas, OptionValues } from '../core/options.ts';

/** Upper limit of all timeouts of a request, in seconds: the retention of its events. A timer of Node.js overflows after 25 days. */
export const MAX_TIMEOUT_SECONDS = 7 * 86_400;

/** Environment variables for the limits of every request. */
export const limitEnvironment = {
  FAVE_MAX_REQUEST_MB: {
    type: 'number',
    default: 65_536,
    minimum: 0.001,
    description: 'maximum size of the outputs of a request, in MB',
  },
  FAVE_MAX_REQUEST_WORK_SECONDS: {
    type: 'number',
    default: 86_400,
    minimum: 0.1,
    maximum: 2_000_000,
    description: 'maximum processing time of a request, summed over its items, in seconds',
  },
  FAVE_MAX_REQUEST_TIMEOUT_SECONDS: {
    type: 'number',
    default: MAX_TIMEOUT_SECONDS,
    minimum: 1,
    maximum: MAX_TIMEOUT_SECONDS,
    description: 'upper limit of the option timeout, in seconds',
  },
  FAVE_MAX_ITEM_TIMEOUT_SECONDS: {
    type: 'number',
    default: 7_200,
    minimum: 1,
    maximum: MAX_TIMEOUT_SECONDS,
    description: 'upper limit of the option item-timeout, and of the timeout that depends on the size of the input, in seconds',
  },
} as const satisfies OptionSchemas;

/** Limits of the operator for every request. */
export interface RequestLimits {
  /** Size of the outputs, in bytes. */
  readonly outputBytes: number;
  /** Sum of the durations of the items. */
  readonly workSeconds: number;
  readonly timeoutSeconds: number;
  readonly itemTimeoutSeconds: number;
}

/** Returns the limits in the values of {@link limitEnvironment}. */
export function toRequestLimits(values: OptionValues<typeof limitEnvironment>): RequestLimits {
  return {
    outputBytes: values.FAVE_MAX_REQUEST_MB * 1e6,
    workSeconds: values.FAVE_MAX_REQUEST_WORK_SECONDS,
    timeoutSeconds: values.FAVE_MAX_REQUEST_TIMEOUT_SECONDS,
    itemTimeoutSeconds: values.FAVE_MAX_ITEM_TIMEOUT_SECONDS,
  };
}
