import type { StageScaling } from '../../schemas/generated/types.ts';

/** A stage's numbers, and when they are looked at. */
export interface Rules extends StageScaling {
  readonly polling_s: number;
  readonly hpa_sync_s: number;
  /** Share by which the lag a replica may differ from its target without a consequence. */
  readonly tolerance: number;
}

/** What is remembered from one look to the next; times are milliseconds. */
export interface ScalerState {
  /** Replicas wanted. */
  readonly replicas: number;
  /** When there was work last. */
  readonly lastActive: number | undefined;
  readonly nextPoll: number;
  readonly nextSync: number;
  /** What the autoscaler would have had, newest last, within the stabilisation window. */
  readonly recommendations: readonly { readonly at: number; readonly replicas: number }[];
}

export interface Decision {
  readonly from: number;
  readonly to: number;
  /** Of the lane that has most. */
  readonly lag: number;
  /** A sentence. */
  readonly reason: string;
}

export function initialState({ min }: Pick<StageScaling, 'min'>, now: number): ScalerState {
  return { replicas: min, lastActive: undefined, nextPoll: now, nextSync: now, recommendations: [] };
}

/** When there is something to look at next, milliseconds. */
export const dueAt = ({ nextPoll, nextSync }: ScalerState): number => Math.min(nextPoll, nextSync);

/**
 * KEDA's behaviour on one stage: its operator moves between none and the least, and to none after the idle time; the
 * horizontal pod autoscaler that it makes does the rest. Each acts when its own interval is over.
 * @param lags Of each trigger: `num_pending + num_ack_pending`.
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
  const take = (replicas: number, reason: string): void => {
    if (replicas !== next.replicas) decisions.push({ from: next.replicas, to: replicas, lag: Math.max(0, ...lags), reason });
    next = { ...next, replicas };
  };
  if (now >= next.nextPoll) {
    if (isActive(lags)) next = { ...next, lastActive: now };
    const { replicas, reason } = operate(rules, next, lags, now);
    take(replicas, reason);
    next = { ...next, nextPoll: following(next.nextPoll, rules.polling_s, now) };
  }
  if (now >= next.nextSync) {
    next = { ...next, nextSync: following(next.nextSync, rules.hpa_sync_s, now) };
    // The autoscaler switches itself off where there is nothing to scale.
    if (next.replicas > 0) {
      const raw = recommend(rules, next.replicas, lags);
      const since = now - rules.idle_s * 1_000;
      const recommendations = [...next.recommendations.filter(({ at }) => at > since), { at: now, replicas: raw }];
      next = { ...next, recommendations };
      const { replicas, reason } = autoscale(rules, next, raw);
      take(replicas, reason);
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
    return { replicas: Math.max(min, 1), reason: 'an item waits and no replica runs' };
  }
  const idle = lastActive === undefined ? Infinity : now - lastActive;
  // From any number at once: whoever waited for the autoscaler to come down to one would wait twice.
  if (min === 0 && replicas > 0 && idle >= idle_s * 1_000) return { replicas: 0, reason: `no item for ${idle_s} s` };
  return { replicas: Math.max(replicas, min), reason: `${min} are the least` };
}

/** Replicas for the lag: of each trigger by `AverageValue`, and the most of them (`GetExternalPerPodMetricReplicas`). */
function recommend({ lag_target, tolerance }: Rules, replicas: number, lags: readonly number[]): number {
  return Math.max(
    0,
    ...lags.map((lag) => {
      const ratio = lag / (lag_target * replicas);
      return 1 - tolerance <= ratio && ratio <= 1 + tolerance ? replicas : Math.ceil(lag / lag_target);
    }),
  );
}

/** The autoscaler: up at once, down to the most that was recommended within the stabilisation window; never to none. */
function autoscale({ min, max, lag_target, idle_s }: Rules, { replicas, recommendations }: ScalerState, raw: number): Wanted {
  const within = Math.max(...recommendations.map((each) => each.replicas));
  const stable = raw > replicas ? raw : Math.min(within, replicas);
  const wanted = Math.min(Math.max(stable, min, 1), max);
  const most = wanted < stable ? `; ${max} are the most` : '';
  const stay = wanted > stable ? `; ${wanted} stay` : '';
  const reason =
    wanted > replicas
      ? `the lag asks for ${raw} replicas, ${lag_target} items for each${most}`
      : `no more than ${within} were needed for ${idle_s} s${stay}`;
  return { replicas: wanted, reason };
}

interface Wanted {
  readonly replicas: number;
  readonly reason: string;
}

/** The next time of an interval, those left out that are past. */
function following(due: number, seconds: number, now: number): number {
  const period = seconds * 1_000;
  return due + period * (Math.floor((now - due) / period) + 1);
}
