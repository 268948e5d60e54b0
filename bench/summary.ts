/** Many measured values as the few that a report shows. */

export interface Summary {
  readonly unit: string;
  readonly p50: number;
  readonly p95: number;
  readonly p99: number;
  readonly mean: number;
  readonly n: number;
}

export function summarize(samples: readonly number[], unit: string): Summary {
  const sorted = [...samples].sort((left, right) => left - right);
  const mean = sorted.reduce((sum, value) => sum + value, 0) / Math.max(1, sorted.length);
  return {
    unit,
    p50: rounded(percentile(sorted, 0.5)),
    p95: rounded(percentile(sorted, 0.95)),
    p99: rounded(percentile(sorted, 0.99)),
    mean: rounded(mean),
    n: sorted.length,
  };
}

export function median(samples: readonly number[]): number {
  return percentile(
    [...samples].sort((left, right) => left - right),
    0.5,
  );
}

/** Three decimals: more would only pretend. */
export function rounded(value: number): number {
  return Math.round(value * 1_000) / 1_000;
}

/** Between the two nearest ranks, so that the median of an even number of runs is not one of them by accident. */
function percentile(sorted: readonly number[], part: number): number {
  const place = part * (sorted.length - 1);
  const below = sorted[Math.floor(place)] ?? 0;
  const above = sorted[Math.ceil(place)] ?? below;
  return below + (above - below) * (place - Math.floor(place));
}
