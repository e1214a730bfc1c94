/** The sentence at the top: the worst thing first, or that the state is unknown. Below it what else matters, and the sums. */
import { escapeText } from '../base/escapeText.js'
import { agentCounts } from '../domain/api/overview/agentCounts.js'
import { clusterFindings, type Finding } from '../domain/api/overview/clusterFindings.js'
import { ageText, bytesText, countText } from '../domain/api/overview/figureTexts.js'
import type { NodeRow } from '../domain/api/overview/nodeOrder.js'
import { severityIcon } from './conditionIcon.js'
import { found, html, setAttribute, setChildren, setText } from './elements.js'
import type { Freshness } from './freshness.js'

export interface HeadlineInput {
  readonly rows: readonly NodeRow[]
  readonly nowMs: number
  readonly freshness: Freshness
  /** How long it is stale. */
  readonly silentMs: number
  readonly lastEventMs: number | undefined
}

const findingsShownMax = 6

const sum = (rows: readonly NodeRow[], of: (row: NodeRow) => number): number => rows.reduce((total, row) => total + of(row), 0)

/** Each with its name, and a mark where it is not as it should be. */
const countersOf = (rows: readonly NodeRow[]) => {
  const workers = rows.filter(({ node }) => node.type === 'worker' && node.state !== 'removed')
  const connected = workers.filter(({ node }) => node.isConnected)
  const [failed, pending] = [sum(connected, ({ node }) => node.failed), sum(connected, ({ node }) => node.pending)]
  const agents = agentCounts(rows.map(({ node }) => node))
  const active = sum(rows, ({ node }) => node.activeAgents)
  const files = Math.max(0, ...rows.filter(({ node }) => node.type === 'master').map(({ node }) => node.files))
  return [
    {
      name: 'Workers connected',
      text: `${countText(connected.length)} / ${countText(workers.length)}`,
      mark: connected.length < workers.length ? 'is-bad' : '',
    },
    { name: 'Files', text: countText(files), mark: '' },
    { name: 'To sync', text: countText(pending), mark: pending > 0 ? 'is-busy' : '' },
    { name: 'Failed', text: countText(failed), mark: failed > 0 ? 'is-bad' : '' },
    { name: 'Agents active', text: `${countText(active)} / ${countText(agents.total)}`, mark: '' },
    { name: 'Sent to workers', text: `${bytesText(sum(workers, ({ rates }) => rates?.sent ?? 0))}/s`, mark: '' },
    { name: 'Received', text: `${bytesText(sum(workers, ({ rates }) => rates?.received ?? 0))}/s`, mark: '' },
  ]
}

export class HeadlineView {
  readonly #card = found('headline-card', HTMLElement)
  readonly #sentence = found('headline', HTMLElement)
  readonly #age = found('headline-age', HTMLElement)
  readonly #findings = found('findings', HTMLElement)
  readonly #counters = found('counters', HTMLElement)
  readonly #icon = severityIcon()

  constructor() {
    found('headline-icon', HTMLElement).append(this.#icon.root)
  }

  /** Answers with what the title of the window says. */
  update(input: HeadlineInput): string {
    const { freshness, lastEventMs, nowMs, rows, silentMs } = input
    const findings = clusterFindings(
      rows.map(({ node }) => node),
      nowMs,
    )
    const counters = countersOf(rows)
    setChildren(
      this.#counters,
      counters.map(({ mark, name, text }) => html('div', { class: mark }, html('dt', {}, name), html('dd', {}, text))),
    )
    if (freshness.kind === 'stale') {
      this.#say('unknown', `Not up to date: ${freshness.reason}`, `stale since ${ageText(silentMs)}`, findings, nowMs, 'When last seen: ')
      return `stale since ${ageText(silentMs)}`
    }
    const [first, ...rest] = findings
    if (!first) return ''
    const lastEvent = lastEventMs === undefined || first.severity === 'bad' ? '' : `last event ${ageText(nowMs - lastEventMs)} ago`
    this.#say(
      first.severity,
      first.sentence,
      first.sinceMs === undefined ? lastEvent : `since ${ageText(nowMs - first.sinceMs)}`,
      rest,
      nowMs,
      '',
    )
    return first.severity === 'good' ? 'in sync' : first.sentence
  }

  #say(
    severity: Finding['severity'] | 'unknown',
    sentence: string,
    age: string,
    findings: readonly Finding[],
    nowMs: number,
    prefix: string,
  ): void {
    setAttribute(this.#card, 'class', `card headline is-${severity}`)
    this.#icon.update(severity)
    setText(this.#sentence, sentence)
    setText(this.#age, age)
    const hidden = findings.length - findingsShownMax
    const shown = findings.slice(0, findingsShownMax).map((finding) => this.#finding(finding, nowMs, prefix))
    setChildren(this.#findings, [...shown, ...(hidden > 0 ? [html('li', { class: 'hint' }, `and ${countText(hidden)} more`)] : [])])
    this.#findings.hidden = findings.length === 0
  }

  #finding({ sentence, severity, sinceMs }: Finding, nowMs: number, prefix: string) {
    const icon = severityIcon()
    icon.update(severity)
    const age = sinceMs === undefined ? [] : [' ', html('span', { class: 'age' }, `since ${ageText(nowMs - sinceMs)}`)]
    return html('li', {}, icon.root, `${prefix}${sentence}`, ...age)
  }
}

/** `wazuh, seen from worker-1, which shows what its master says`. */
export const whereText = ({ cluster, node, type }: { readonly cluster: string; readonly node: string; readonly type: string }): string =>
  type === 'master'
    ? `${escapeText(cluster)} · master ${escapeText(node)}`
    : `${escapeText(cluster)} · seen from worker ${escapeText(node)}: it shows what its master says`
