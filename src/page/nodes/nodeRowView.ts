/** The row of one node, and its details while it is open. */
import { escapeText } from '../../base/escapeText.js'
import { conditionOf, conditions } from '../../domain/api/overview/nodeCondition.js'
import type { NodeRow } from '../../domain/api/overview/nodeOrder.js'
import type { ClusterEvent } from '../../domain/queries/clusterAnswer.js'
import { conditionIcon } from '../conditionIcon.js'
import { html, type ItemView, setAttribute, setText } from '../elements.js'
import { type CellWorld, figureColumns } from './nodeColumns.js'
import { type DetailsService, NodeDetails } from './nodeDetails.js'

/** What all rows are shown by. */
export interface RowsWorld extends CellWorld {
  readonly events: readonly ClusterEvent[]
  readonly isStale: boolean
  readonly openNode: string | undefined
}

export interface NodeRowOptions {
  readonly service: DetailsService
  readonly world: () => RowsWorld
  /** Opens it, or closes it when it is open. */
  readonly toggle: (node: string) => void
}

let detailsMade = 0

export class NodeRowView implements ItemView<NodeRow> {
  readonly root = html('tbody')
  readonly #options: NodeRowOptions
  readonly #name = html('span', { class: 'node-name' })
  readonly #type = html('span', { class: 'tag' })
  readonly #button = html('button', { type: 'button', class: 'node-button' }, this.#name)
  readonly #icon = conditionIcon()
  readonly #word = html('span', { class: 'state-word' })
  readonly #drained = html('span', { class: 'tag' }, 'drained')
  readonly #cells = figureColumns.map(({ isNumber }) => html('td', { class: isNumber ? 'number' : 'text' }))
  readonly #detailsCell = html('td', { colspan: figureColumns.length + 2, id: `details-${++detailsMade}` })
  readonly #detailsRow = html('tr', { class: 'details-row', hidden: true }, this.#detailsCell)
  #details: NodeDetails | undefined

  constructor(options: NodeRowOptions) {
    this.#options = options
    setAttribute(this.#button, 'aria-controls', this.#detailsCell.id)
    const state = html('td', { class: 'state' }, this.#icon.root, this.#word, this.#drained)
    this.root.append(html('tr', {}, html('th', { scope: 'row' }, this.#button, this.#type), state, ...this.#cells), this.#detailsRow)
  }

  update(row: NodeRow): void {
    const world = this.#options.world()
    const { node } = row
    const condition = conditionOf(node)
    const { severity, word } = conditions[condition]
    const isOpen = world.openNode === node.name
    this.#button.onclick = () => this.#options.toggle(node.name)
    setAttribute(this.root, 'class', `node is-${severity}`)
    setAttribute(this.#button, 'aria-expanded', String(isOpen))
    setAttribute(this.#button, 'title', escapeText(node.name))
    setText(this.#name, escapeText(node.name))
    setText(this.#type, node.type === 'master' ? 'master' : '')
    this.#type.hidden = node.type !== 'master'
    this.#icon.update(condition)
    setText(this.#word, world.isStale ? `was ${word}` : word)
    this.#drained.hidden = node.state !== 'drained' || word.startsWith('drained')
    for (const [at, column] of figureColumns.entries()) {
      const element = this.#cells[at]
      if (!element) continue
      const { mark, text, title } = column.cell(row, world)
      setText(element, text)
      setAttribute(element, 'title', title)
      setAttribute(element, 'class', `${column.isNumber ? 'number' : 'text'}${mark ? ` marked is-${mark}` : ''}`)
    }
    this.#showDetails(row, isOpen, world)
  }

  #showDetails(row: NodeRow, isOpen: boolean, { events, isStale, nowMs }: RowsWorld): void {
    this.#detailsRow.hidden = !isOpen
    if (!isOpen) {
      this.#details?.root.remove()
      this.#details = undefined
      return
    }
    if (!this.#details) {
      this.#details = new NodeDetails(this.#options.service)
      this.#detailsCell.append(this.#details.root)
    }
    this.#details.update(row, events, nowMs, isStale)
  }
}
