/** The value below which a share `p` of the values lies, interpolated linearly (Hyndman and Fan's type 7, the default of R and NumPy). */
export function quantile(values: readonly number[], p: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (sorted.length - 1) * p;
  const [low, high] = [sorted[Math.floor(at)], sorted[Math.ceil(at)]];
  if (low === undefined || high === undefined) throw new Error('there is no quantile of nothing');
  return low + (high - low) * (at - Math.floor(at));
}
