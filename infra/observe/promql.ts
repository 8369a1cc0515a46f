const STRING = String.raw`"(?:[^"\\]|\\.)*"`;

/** Matches a FAVE metric with its label matchers, or a string or a list of labels, which contain no metric. */
const SELECTOR = new RegExp(
  String.raw`${STRING}|\b(?:by|without|on|ignoring|group_left|group_right)\s*\([^)]*\)|\b(up|(?:fave|minio|gnatsd|nodejs|process)_\w+)\b(?:\{((?:${STRING}|[^}"])*)\})?`,
  'g',
);

/**
 * Returns a PromQL expression in which every metric has one more label matcher, for example `namespace="fave"`: a shared Prometheus
 * has metrics of the same names from other servers and processes. @throws Error if the expression contains no metric of FAVE.
 */
export function restrictMetrics(expr: string, matcher: string): string {
  const restricted = expr.replace(SELECTOR, (whole: string, metric?: string, matchers?: string) =>
    metric === undefined ? whole : `${metric}{${[matcher, ...(matchers ? [matchers] : [])].join(',')}}`,
  );
  // FAVE's alerts have unique names, and no namespace where their expression aggregates it away.
  if (restricted === expr && !/\bALERTS\{alertname=~"Fave/.test(expr)) throw new Error(`no metric of FAVE in ${expr}`);
  return restricted;
}
