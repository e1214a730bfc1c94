/** The table of the nodes: sorted by a click on a heading, filtered, its rows opened and walked with the keyboard. */
import { escapeText } from '../../base/escapeText.js'
import { countText } from '../../domain/api/overview/figureTexts.js'
import { conditionNames, conditionOf, conditions } from '../../domain/api/overview/nodeCondition.js'
import { inNodeOrder, type NodeColumn, type NodeOrder, type NodeRow, worstFirst } from '../../domain/api/overview/nodeOrder.js'
import type { ClusterEvent } from '../../domain/queries/clusterAnswer.js'
import { conditionIcon } from '../conditionIcon.js'
import { found, html, ItemViews, setAttribute, setText } from '../elements.js'
import { figureColumns, mostFrequent } from './nodeColumns.js'
import type { DetailsService } from './nodeDetails.js'
import { NodeRowView, type RowsWorld } from './nodeRowView.js'

/** A table of thousands of rows helps nobody: the worst come first, and the filter finds any other. */
const rowsShownMax = 200

const columns: readonly { readonly key: NodeColumn; readonly heading: string; readonly title: string; readonly isNumber: boolean }[] = [
  { key: 'name', heading: 'Node', title: 'Its name', isNumber: false },
  { key: 'state', heading: 'State', title: 'The worst first', isNumber: false },
  ...figureColumns,
]

export interface NodesInput {
  readonly rows: readonly NodeRow[]
  readonly events: readonly ClusterEvent[]
  readonly nowMs: number
  readonly isStale: boolean
}

const matches = ({ node }: NodeRow, filter: string): boolean =>
  [escapeText(node.name), node.address, node.type, node.state, conditions[conditionOf(node)].word].some((text) =>
    text.toLowerCase().includes(filter),
  )

export class NodesView {
  readonly #table = found('nodes', HTMLTableElement)
  readonly #filter = found('filter', HTMLInputElement)
  readonly #note = found('nodes-note', HTMLElement)
  readonly #headings = new Map<NodeColumn, HTMLElement>()
  readonly #views: ItemViews<NodeRow>
  #order: NodeOrder = worstFirst
  #input: NodesInput = { rows: [], events: [], nowMs: 0, isStale: true }
  #openNode: string | undefined
  #world: RowsWorld = { events: [], isStale: true, nowMs: 0, openNode: undefined, version: '' }

  constructor(service: DetailsService) {
    const toggle = (node: string): void => this.#open(this.#openNode === node ? undefined : node)
    this.#table.append(html('thead', {}, html('tr', {}, ...columns.map((column) => this.#heading(column)))))
    this.#views = new ItemViews<NodeRow>(
      this.#table,
      ({ node }) => node.name,
      () => new NodeRowView({ service, world: () => this.#world, toggle }),
    )
    this.#filter.addEventListener('input', () => this.#show())
    document.addEventListener('keydown', (event) => this.#pressed(event))
    const legend = found('legend', HTMLElement)
    for (const condition of conditionNames) {
      const icon = conditionIcon()
      icon.update(condition)
      legend.append(html('li', {}, icon.root, html('b', {}, conditions[condition].word), ` ${conditions[condition].meaning}`))
    }
  }

  update(input: NodesInput): void {
    this.#input = input
    this.#show()
  }

  /** Opens the node's row and brings it into view, whatever the filter hides. */
  reveal(node: string): void {
    this.#filter.value = ''
    this.#open(node)
    const button = this.#buttons().find((other) => other.getAttribute('aria-expanded') === 'true')
    button?.scrollIntoView({ block: 'center' })
    button?.focus()
  }

  #open(node: string | undefined): void {
    this.#openNode = node
    this.#show()
  }

  #show(): void {
    const { events, isStale, nowMs, rows } = this.#input
    const filter = this.#filter.value.trim().toLowerCase()
    const wanted = filter === '' ? rows : rows.filter((row) => matches(row, filter))
    const shown = inNodeOrder(wanted, this.#order).slice(0, rowsShownMax)
    this.#world = { events, isStale, nowMs, openNode: this.#openNode, version: mostFrequent(rows.map(({ node }) => node.version)) }
    this.#views.show(shown)
    for (const [key, heading] of this.#headings) setAttribute(heading, 'aria-sort', this.#sorted(key))
    this.#note.hidden = shown.length === rows.length
    const left = `${countText(shown.length)} of ${countText(rows.length)} nodes are shown`
    setText(this.#note, shown.length < wanted.length ? `${left}: the filter finds the others.` : `${left}.`)
  }

  #sorted(key: NodeColumn): string | undefined {
    if (key !== this.#order.column) return undefined
    return this.#order.isDescending ? 'descending' : 'ascending'
  }

  #heading({ heading, isNumber, key, title }: (typeof columns)[number]): HTMLElement {
    const button = html('button', { type: 'button', title }, heading)
    const cell = html('th', { scope: 'col', class: isNumber ? 'number' : 'text' }, button)
    this.#headings.set(key, cell)
    button.addEventListener('click', () => {
      const isAgain = this.#order.column === key
      // Of figures the largest is sought first, but for what is ordered by its age.
      const isLargestFirst = isNumber && key !== 'since' && key !== 'contact' && key !== 'certificate'
      this.#order = { column: key, isDescending: isAgain ? !this.#order.isDescending : isLargestFirst }
      this.#show()
    })
    return cell
  }

  #buttons(): readonly HTMLElement[] {
    return [...this.#table.querySelectorAll<HTMLElement>('button.node-button')]
  }

  #pressed(event: KeyboardEvent): void {
    const { target } = event
    if (event.ctrlKey || event.metaKey || event.altKey) return
    if (event.key === '/' && !(target instanceof HTMLInputElement)) {
      event.preventDefault()
      this.#filter.focus()
    } else if (event.key === 'Escape') this.#escaped()
    else if (event.key === 'ArrowDown' || event.key === 'ArrowUp') this.#walked(event)
  }

  #escaped(): void {
    if (document.activeElement === this.#filter && this.#filter.value !== '') {
      this.#filter.value = ''
      this.#show()
      return
    }
    const button = this.#buttons().find((other) => other.getAttribute('aria-expanded') === 'true')
    this.#open(undefined)
    button?.focus()
  }

  #walked(event: KeyboardEvent): void {
    const buttons = this.#buttons()
    const { activeElement } = document
    const at = activeElement instanceof HTMLElement ? buttons.indexOf(activeElement) : -1
    const isFromFilter = activeElement === this.#filter && event.key === 'ArrowDown'
    if (at < 0 && !isFromFilter) return
    event.preventDefault()
    buttons[at + (event.key === 'ArrowDown' ? 1 : -1)]?.focus()
  }
}
