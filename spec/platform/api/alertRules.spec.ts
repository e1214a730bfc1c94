/** The alert rules and the board in docs/ are made of metrics that are served, with labels that they have. */
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import { httpRequestsMetric, type MetricRow, metricTable } from '../../../src/platform/api/metricTable.js'

const textOf = (name: string): string => readFileSync(fileURLToPath(new URL(`../../../docs/${name}`, import.meta.url)), 'utf8')

interface AlertRule {
  readonly alert: string
  readonly expr: string
  readonly labels: { readonly severity: string }
  readonly annotations: { readonly summary: string; readonly description: string }
}

const rules = (): readonly AlertRule[] =>
  (parse(textOf('alerts.yml')) as { groups: { rules: AlertRule[] }[] }).groups.flatMap((group) => group.rules)

const panels = (): readonly { title: string; targets: readonly { expr: string }[] }[] => JSON.parse(textOf('grafana-dashboard.json')).panels

const labelsOf = (row: MetricRow): readonly string[] => (row.type === 'histogram' ? [] : row.labels)
const served = new Map<string, readonly string[]>([
  ...metricTable.map((row) => [row.name, labelsOf(row)] as const),
  [httpRequestsMetric.name, httpRequestsMetric.labels],
  ...metricTable.filter(({ type }) => type === 'histogram').map(({ name }) => [`${name}_bucket`, ['le']] as const),
  ['up', []],
])

/** Prometheus adds these to every series. */
const added = ['instance', 'job']

/** Metrics in an expression, each with the labels that it is chosen by. */
const selectorsIn = (expr: string) =>
  [...expr.matchAll(/\b(up|(?:muster|process|nodejs)_[a-z_]+)\b(?:\{([^}]*)\})?/g)].map(([, name = '', labels = '']) => ({
    name,
    labels: [...labels.matchAll(/([a-z_]+)\s*[!=]~?"/g)].map(([, label = '']) => label),
  }))

const unknownIn = (expr: string): readonly string[] =>
  selectorsIn(expr).flatMap(({ labels, name }) => {
    const known = served.get(name)
    if (!known) return [name]
    return labels.filter((label) => ![...known, ...added].includes(label)).map((label) => `${name}{${label}}`)
  })

describe('docs/alerts.yml', () => {
  it('has a dozen rules and more, each with its metric, its severity and what to do', () => {
    expect(rules().length).toBeGreaterThanOrEqual(12)
    for (const { alert, annotations, expr, labels } of rules()) {
      expect(alert).toMatch(/^Muster[A-Za-z]+$/)
      expect(selectorsIn(expr).length, alert).toBeGreaterThan(0)
      expect(['critical', 'warning']).toContain(labels.severity)
      expect(annotations.description, alert).toMatch(/\.$/)
      expect(annotations.summary, alert).not.toBe('')
    }
  })

  it('uses metrics and labels that are served', () => expect(rules().flatMap(({ expr }) => unknownIn(expr))).toEqual([]))
})

describe('docs/grafana-dashboard.json', () => {
  it('uses metrics and labels that are served', () => {
    const exprs = panels().flatMap(({ targets }) => targets.map(({ expr }) => expr))
    expect(exprs.length).toBeGreaterThan(15)
    expect(exprs.flatMap(unknownIn)).toEqual([])
    expect(exprs.filter((expr) => selectorsIn(expr).length === 0)).toEqual([])
  })
})
