/** @throws for no values: there is no middle of nothing. */
export const median = (values: readonly number[]): number => percentile(values, 50);

/** The smallest value that so many percent do not exceed. The median of an even number is the mean of its middle two. */
export function percentile(values: readonly number[], percent: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (index: number): number => {
    const value = sorted[Math.min(Math.max(index, 0), sorted.length - 1)];
    if (value === undefined) throw new Error('There are no values to take a percentile of.');
    return value;
  };
  if (percent === 50 && sorted.length % 2 === 0 && sorted.length > 0) {
    return (at(sorted.length / 2 - 1) + at(sorted.length / 2)) / 2;
  }
  return at(Math.ceil((percent / 100) * sorted.length) - 1);
}
