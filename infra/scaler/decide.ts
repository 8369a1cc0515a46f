import type { StageScaling } from '../../schemas/generated/types.ts';

/** Scaling settings of a stage and the intervals of its polls. */
export interface Rules extends StageScaling {
  readonly polling_s: number;
  readonly hpa_sync_s: number;
  /** Relative deviation of the lag per replica from its target that has no effect. */
  readonly tolerance: number;
}

/** State between two polls. Times are in milliseconds. */
export interface ScalerState {
  /** Desired replicas. */
  readonly replicas: number;
  /** Time of the last poll with lag. */
  readonly lastActive: number | undefined;
  readonly nextPoll: number;
  readonly nextSync: number;
  /** Recommendations of the autoscaler within the stabilisation window, oldest first. */
  readonly recommendations: readonly { readonly at: number; readonly replicas: number }[];
}

export interface Decision {
  readonly from: number;
  readonly to: number;
  /** Highest lag of the lanes. */
  readonly lag: number;
  /** Reason, as a sentence. */
  readonly reason: string;
}

export function initialState({ min }: Pick<StageScaling, 'min'>, now: number): ScalerState {
  return { replicas: min, lastActive: undefined, nextPoll: now, nextSync: now, recommendations: [] };
}

/** Returns the time of the next poll or sync, in milliseconds. */
export const dueAt = ({ nextPoll, nextSync }: ScalerState): number => Math.min(nextPoll, nextSync);

/**
 * Decides on the replicas of a stage as KEDA does: its operator scales between zero and the minimum, and to zero after the idle
 * time; the horizontal pod autoscaler does the rest. Each acts at its own interval.
 * @param lags Lag of each trigger: `num_pending + num_ack_pending`.
 * @param now Milliseconds.
 */
export function decide(
  rules: Rules,
  state: ScalerState,
  lags: readonly number[],
  now: number,
): { state: ScalerState; decisions: Decision[] } {
  const decisions: Decision[] = [];
  let next = state;
  const apply = (replicas: number, reason: string): void => {
    if (replicas !== next.replicas) decisions.push({ from: next.replicas, to: replicas, lag: Math.max(0, ...lags), reason });
    next = { ...next, replicas };
  };
  if (now >= next.nextPoll) {
    if (isActive(lags)) next = { ...next, lastActive: now };
    const { replicas, reason } = operate(rules, next, lags, now);
    apply(replicas, reason);
    next = { ...next, nextPoll: following(next.nextPoll, rules.polling_s, now) };
  }
  if (now >= next.nextSync) {
    next = { ...next, nextSync: following(next.nextSync, rules.hpa_sync_s, now) };
    // The autoscaler is disabled at zero replicas.
    if (next.replicas > 0) {
      const raw = recommend(rules, next.replicas, lags);
      const since = now - rules.idle_s * 1_000;
      const recommendations = [...next.recommendations.filter(({ at }) => at > since), { at: now, replicas: raw }];
      next = { ...next, recommendations };
      const { replicas, reason } = autoscale(rules, next, raw);
      apply(replicas, reason);
    }
  }
  return { state: next, decisions };
}

/** activationLagThreshold 0. */
const isActive = (lags: readonly number[]): boolean => lags.some((lag) => lag > 0);

/** KEDA's operator: `RequestScale` in pkg/scaling/executor/scale_scaledobjects.go. */
function operate({ min, idle_s }: Rules, state: ScalerState, lags: readonly number[], now: number): Wanted {
  const { replicas, lastActive } = state;
  if (isActive(lags)) {
    if (replicas > 0) return { replicas, reason: '' };
    return { replicas: Math.max(min, 1), reason: 'an item is queued and no replica is running' };
  }
  const idle = lastActive === undefined ? Infinity : now - lastActive;
  // Scales any number of replicas to zero: waiting for the autoscaler first would double the idle time.
  if (min === 0 && replicas > 0 && idle >= idle_s * 1_000) return { replicas: 0, reason: `no item for ${idle_s} s` };
  return { replicas: Math.max(replicas, min), reason: `the minimum is ${min}` };
}

/** Returns the replicas for the lag: per trigger by `AverageValue`, and their maximum (`GetExternalPerPodMetricReplicas`). */
function recommend({ lag_target, tolerance }: Rules, replicas: number, lags: readonly number[]): number {
  return Math.max(
    0,
    ...lags.map((lag) => {
      const ratio = lag / (lag_target * replicas);
      return 1 - tolerance <= ratio && ratio <= 1 + tolerance ? replicas : Math.ceil(lag / lag_target);
    }),
  );
}

/**
 * Applies the rules of the autoscaler: scale up immediately, down to the highest recommendation of the stabilisation window,
 * never to zero.
 */
function autoscale({ min, max, lag_target, idle_s }: Rules, { replicas, recommendations }: ScalerState, raw: number): Wanted {
  const within = Math.max(...recommendations.map((each) => each.replicas));
  const stable = raw > replicas ? raw : Math.min(within, replicas);
  const wanted = Math.min(Math.max(stable, min, 1), max);
  const most = wanted < stable ? `; the maximum is ${max}` : '';
  const stay = wanted > stable ? `; the minimum is ${wanted}` : '';
  const reason =
    wanted > replicas
      ? `the lag requires ${raw} replicas with ${lag_target} items each${most}`
      : `at most ${within} replicas were required for ${idle_s} s${stay}`;
  return { replicas: wanted, reason };
}

interface Wanted {
  readonly replicas: number;
  readonly reason: string;
}

/** Returns the next due time of an interval after `now`; missed ones are skipped. */
function following(due: number, seconds: number, now: number): number {
  const period = seconds * 1_000;
  return due + period * (Math.floor((now - due) / period) + 1);
}
