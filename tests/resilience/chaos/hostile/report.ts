import type { RequestState } from '../../../../schemas/generated/types.ts';
import { computeWaits, isFair, laneOfItem, type SettledItem, type Wait } from './waits.ts';

/** An upload that costs much more work than its size suggests. */
export interface SentBomb {
  readonly id: string;
  readonly name: string;
  readonly bytes: number;
}

/** A request for a normal video. */
export interface Normal {
  readonly id: string;
  readonly seconds: number;
}

export interface HostileReport {
  readonly bombs: readonly (Omit<SentBomb, 'id'> & { readonly status: RequestState['status']; readonly codes: string[] })[];
  /** Duration of the normal video on the idle instance, in seconds. */
  readonly idleSeconds: number;
  readonly normal: readonly { readonly seconds: number; readonly longestWait: Wait | undefined }[];
  /**
   * Bound of the duration of a normal request, in seconds: four times its idle duration, because all stages share the processors,
   * and per stage the longest item of a bomb, which may be in progress, and all items of bombs in the first lane.
   */
  readonly boundSeconds: number;
  /** Violated guarantees, one sentence each. */
  readonly broken: readonly string[];
}

/** Observations at the end of a run. */
export interface HostileFindings {
  readonly idleSeconds: number;
  readonly sent: readonly SentBomb[];
  readonly normal: readonly Normal[];
  readonly items: readonly SettledItem[];
  /** Terminal events by request. */
  readonly endings: ReadonlyMap<string, readonly RequestState[]>;
}

/** Compares the observations with the guarantees. */
export function createHostileReport({ idleSeconds, sent, normal, items, endings }: HostileFindings): HostileReport {
  const boundSeconds =
    4 * idleSeconds + computeDelayBound(items.filter(({ request_id }) => sent.some(({ id }) => id === request_id)));
  const waits = new Map(normal.map(({ id }) => [id, computeWaits(items, id)]));
  const broken = normal.flatMap(({ id, seconds }) => {
    const statuses = (endings.get(id) ?? []).map(({ status }) => status);
    return [
      ...(statuses.join() === 'completed' ? [] : [`the normal request ${id} ended ${statuses.join(' and ') || 'not at all'}`]),
      ...(seconds <= boundSeconds ? [] : [`${id} took ${seconds.toFixed(1)} s; the bound is ${boundSeconds.toFixed(1)} s`]),
      ...(waits.get(id) ?? [])
        .filter((wait) => !isFair(wait))
        .map(
          ({ stage, item, first, later }) =>
            `${stage} ${item} of ${id} waited for ${first} items of the first lane and ${later} later ones`,
        ),
    ];
  });
  return {
    idleSeconds,
    boundSeconds,
    bombs: sent.map(({ id, name, bytes }) => {
      const { status = 'running', errors = [] } = endings.get(id)?.[0] ?? {};
      return { name, bytes, status, codes: errors.map(({ code }) => code) };
    }),
    normal: normal.map(({ id, seconds }) => ({
      seconds,
      longestWait: waits.get(id)?.toSorted((a, b) => b.waitedMs - a.waitedMs)[0],
    })),
    broken,
  };
}

/** Returns the sum over the stages of their longest item and all their items in the first lane, in seconds. */
function computeDelayBound(ofBombs: readonly SettledItem[]): number {
  const byStage = Map.groupBy(ofBombs, ({ stage }) => stage);
  const seconds = [...byStage.values()].map((items) => {
    const first = items.filter(({ item }) => laneOfItem(item) === 'first');
    return (
      Math.max(...items.map(({ duration_ms }) => duration_ms)) + first.reduce((sum, { duration_ms }) => sum + duration_ms, 0)
    );
  });
  return seconds.reduce((sum, ms) => sum + ms / 1_000, 0);
}

/** Formats a report as text. */
export function formatHostileReport({ bombs, idleSeconds, normal, boundSeconds, broken }: HostileReport): string[] {
  const seconds = normal.map((one) => one.seconds);
  return [
    ...bombs.map(
      ({ name, bytes, status, codes }) =>
        `${name.padEnd(14)} ${String(bytes).padStart(9)} bytes  ${[status, ...codes.slice(0, 3)].join(' ')}`,
    ),
    `normal requests  ${normal.length}; idle ${idleSeconds.toFixed(1)} s, beside bombs ${Math.min(...seconds).toFixed(1)} to ${Math.max(...seconds).toFixed(1)} s, bound ${boundSeconds.toFixed(1)} s`,
    ...normal.flatMap(({ longestWait: wait }) =>
      wait
        ? [
            `longest wait  ${(wait.waitedMs / 1_000).toFixed(1)} s in ${wait.stage}, behind ${wait.first} first and ${wait.later} later items`,
          ]
        : [],
    ),
    ...broken.map((violation) => `BROKEN  ${violation}`),
    broken.length > 0 ? `${broken.length} guarantees were violated` : 'all guarantees hold',
  ];
}
