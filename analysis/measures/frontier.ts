export interface Point {
  readonly regime: string;
  readonly cost: number;
  readonly latency: number;
}

/** Points that no other beats in one of cost and latency without losing in the other (Pareto). */
export function computeFrontier<P extends Point>(points: readonly P[]): P[] {
  const beats = (a: P, b: P): boolean => a.cost <= b.cost && a.latency <= b.latency && (a.cost < b.cost || a.latency < b.latency);
  return points.filter((point) => !points.some((other) => beats(other, point)));
}
