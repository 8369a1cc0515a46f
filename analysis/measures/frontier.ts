export interface Point {
  readonly regime: string;
  readonly cost: number;
  readonly latency: number;
}

/** Returns the Pareto-optimal points: no other point is better in cost or latency without being worse in the other. */
export function computeFrontier<P extends Point>(points: readonly P[]): P[] {
  const beats = (a: P, b: P): boolean => a.cost <= b.cost && a.latency <= b.latency && (a.cost < b.cost || a.latency < b.latency);
  return points.filter((point) => !points.some((other) => beats(other, point)));
}
