/** Agents by node and status. */
import { escapeText } from '../base/escapeText.js'
import { shortened } from '../base/logText.js'
import { agentCounts } from '../domain/api/overview/agentCounts.js'
import { countText } from '../domain/api/overview/figureTexts.js'
import type { NodeRow } from '../domain/api/overview/nodeOrder.js'
import { found, html, setChildren, setText } from './elements.js'

/** Those with the most agents; the totals are of all. */
const rowsShownMax = 12
const nameCharsMax = 30

/** `never_connected`, as people write it. */
const statusText = (status: string): string => escapeText(status).replaceAll('_', ' ')

const figure = (count: number, isStrong = false) =>
  html(isStrong ? 'th' : 'td', { class: count === 0 ? 'number zero' : 'number' }, countText(count))

export class AgentsView {
  readonly #table = found('agents', HTMLTableElement)
  readonly #note = found('agents-note', HTMLElement)

  update(rows: readonly NodeRow[]): void {
    const { rows: nodes, statuses, total, totals } = agentCounts(rows.map(({ node }) => node))
    const shown = nodes.toSorted((a, b) => b.total - a.total || (a.node < b.node ? -1 : 1)).slice(0, rowsShownMax)
    const head = html(
      'tr',
      {},
      html('th', { scope: 'col' }, 'Node'),
      ...[...statuses, 'all'].map((status) => html('th', { scope: 'col', class: 'number' }, statusText(status))),
    )
    const lines = shown.map(({ counts, node, total: all }) =>
      html(
        'tr',
        {},
        html('th', { scope: 'row', title: escapeText(node) }, shortened(escapeText(node), nameCharsMax)),
        ...counts.map((count) => figure(count)),
        figure(all),
      ),
    )
    const foot = html('tr', {}, html('th', { scope: 'row' }, 'All nodes'), ...[...totals, total].map((count) => figure(count, true)))
    setChildren(this.#table, [html('thead', {}, head), html('tbody', {}, ...lines), html('tfoot', {}, foot)])
    const hidden = nodes.length - shown.length
    this.#note.hidden = total > 0 && hidden === 0
    setText(
      this.#note,
      total === 0 ? 'No agent reports to this cluster yet.' : `${countText(hidden)} nodes with fewer agents are not shown.`,
    )
  }
}
