/** A sample of the /metrics endpoint of a process. */
export interface Sample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/** Reads the metrics of a process. */
export async function scrape({ http }: { readonly http: number }): Promise<Sample[]> {
  const text = await (await fetch(`http://127.0.0.1:${http}/metrics`)).text();
  return [...text.matchAll(/^(\w+)(?:\{(.*)\})? (\S+)$/gm)].map(([, name = '', labels = '', value]) => ({
    name,
    labels: Object.fromEntries([...labels.matchAll(/(\w+)="([^"]*)"/g)].map(([, label = '', of = '']) => [label, of])),
    value: Number(value),
  }));
}

/** Returns the values of a metric with the given labels, keyed by their other labels: `done`, `1 fast`. */
export function valuesOf(
  samples: readonly Sample[],
  metric: string,
  where: Readonly<Record<string, string>> = {},
): Record<string, number> {
  const found = samples.filter(
    ({ name, labels }) => name === metric && Object.entries(where).every(([label, value]) => labels[label] === value),
  );
  const others = (labels: Sample['labels']): string =>
    Object.entries(labels)
      .flatMap(([label, value]) => (label in where || label === 'service' ? [] : [value]))
      .join(' ');
  return Object.fromEntries(found.map(({ labels, value }) => [others(labels), value]));
}
