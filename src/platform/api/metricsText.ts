/** The text of `/metrics`: a pure function of what the node and its HTTP service counted. The registry lives for one scrape. */
import { Counter, Gauge, Histogram, Registry } from 'prom-client'
import type { DurationFigures, NodeFigures } from '../../domain/cluster/nodeFigures.js'
import { type DurationMetric, httpRequestsMetric, metricTable, type ValueMetric } from './metricTable.js'

/** Of requests, by `PATTERN CODE`. */
export type RequestCounts = ReadonlyMap<string, number>

export const metricsContentType = Registry.PROMETHEUS_CONTENT_TYPE

export const metricsText = (figures: NodeFigures, requests: RequestCounts): Promise<string> => {
  const registry = new Registry()
  for (const row of metricTable) {
    if (row.type === 'histogram') addDurations(registry, row, row.durations(figures))
    else addValues(registry, row, row.samples(figures))
  }
  addValues(registry, { ...httpRequestsMetric, type: 'counter' }, [...requests].map(requestSample))
  return registry.metrics()
}

const requestSample = ([key, value]: readonly [string, number]) => {
  const at = key.lastIndexOf(' ')
  return { labels: { path: key.slice(0, at), code: key.slice(at + 1) }, value }
}

const addValues = (
  registry: Registry,
  { help, labels, name, type }: Omit<ValueMetric, 'samples'>,
  samples: ReturnType<ValueMetric['samples']>,
): void => {
  const options = { name, help, labelNames: [...labels], registers: [registry] }
  const metric = type === 'counter' ? new Counter(options) : new Gauge(options)
  // One without labels begins with 0: what is not known is not 0.
  if (labels.length === 0) metric.remove()
  for (const { labels: values, value } of samples) metric.inc(values, value)
}

/** Its state is the node's: nothing is observed here. */
class RecordedHistogram extends Histogram {
  readonly #row: DurationMetric
  readonly #figures: DurationFigures

  constructor(row: DurationMetric, registry: Registry, figures: DurationFigures) {
    super({ name: row.name, help: row.help, buckets: figures.counts.map(({ seconds }) => seconds), registers: [registry] })
    this.#row = row
    this.#figures = figures
  }

  /** What the registry asks for, and `get` too; the package's types do not have it. */
  getForPromString() {
    const { help, name, type } = this.#row
    const { count, counts, sumSeconds } = this.#figures
    const bucket = (le: number | string, value: number) => ({ metricName: `${name}_bucket`, labels: { le }, value })
    const values = [
      ...counts.map((one) => bucket(one.seconds, one.count)),
      bucket('+Inf', count),
      { metricName: `${name}_sum`, labels: {}, value: sumSeconds },
      { metricName: `${name}_count`, labels: {}, value: count },
    ]
    return Promise.resolve({ ...{ help, name, type, values }, aggregator: 'sum' })
  }
}

const addDurations = (registry: Registry, row: DurationMetric, figures: DurationFigures): void => {
  new RecordedHistogram(row, registry, figures)
}
