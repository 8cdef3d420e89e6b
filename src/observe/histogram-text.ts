/** A histogram that was counted elsewhere: prom-client's own only counts one by one. */
export interface Histogram {
  readonly name: string;
  readonly help: string;
  /** Upper ends of the buckets, ascending; one more follows, without an end. */
  readonly ends: readonly number[];
  readonly series: readonly HistogramSeries[];
}

interface HistogramSeries {
  /** Values are names: nothing in them needs to be escaped. */
  readonly labels: Readonly<Record<string, string>>;
  /** Of each bucket alone. */
  readonly counts: readonly number[];
  readonly sum: number;
}

/** In Prometheus' text format. */
export function histogramText({ name, help, ends, series }: Histogram): string {
  const head = [`# HELP ${name} ${help}`, `# TYPE ${name} histogram`];
  return [...head, ...series.flatMap((one) => seriesLines(name, ends, one)), ""].join("\n");
}

function seriesLines(name: string, ends: readonly number[], series: HistogramSeries): string[] {
  const labels = Object.entries(series.labels).map(([key, value]) => `${key}="${value}"`);
  let sum = 0;
  const buckets = [...ends, "+Inf"].map((end, bucket) => {
    sum += series.counts[bucket] ?? 0;
    return `${name}_bucket{${[...labels, `le="${end}"`].join(",")}} ${sum}`;
  });
  const shared = `{${labels.join(",")}}`;
  return [...buckets, `${name}_sum${shared} ${series.sum}`, `${name}_count${shared} ${sum}`];
}
