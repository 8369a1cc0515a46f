/**
 * Returns the p value of the Kolmogorov–Smirnov test of uniformity on [0, 1], from the asymptotic distribution with the correction of
 * Stephens (Numerical Recipes, 3rd edition, 14.3.3). It is accurate for samples of at least 20.
 */
export function kolmogorov(values: readonly number[]): number {
  const n = values.length;
  const distance = values
    .toSorted((a, b) => a - b)
    .reduce((most, value, i) => Math.max(most, (i + 1) / n - value, value - i / n), 0);
  const lambda = (Math.sqrt(n) + 0.12 + 0.11 / Math.sqrt(n)) * distance;
  if (lambda < 0.2) return 1;
  let sum = 0;
  for (let k = 1; k <= 100; k += 1) sum += 2 * (-1) ** (k - 1) * Math.exp(-2 * (k * lambda) ** 2);
  return Math.min(1, Math.max(0, sum));
}
