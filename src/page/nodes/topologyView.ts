/** The drawing of the links: the master, a line to each worker, its state and what goes over it now. The table says the same in words. */

import { counted } from '../../base/counted.js'
import { escapeText } from '../../base/escapeText.js'
import { shortened } from '../../base/logText.js'
import { ageText, bytesText, countText, delayText } from '../../domain/api/overview/figureTexts.js'
import { conditionOf, conditions } from '../../domain/api/overview/nodeCondition.js'
import { inNodeOrder, type NodeRow, worstFirst } from '../../domain/api/overview/nodeOrder.js'
import { conditionIcon } from '../conditionIcon.js'
import { setAttribute, setChildren, svg } from '../elements.js'
import { type Box, topologyLayout } from './topologyLayout.js'

const nameCharsMax = 20
const moreCharsMax = 27
const iconSize = 16

/** A line grows with what it carries: a step for each factor of ten from 1 kB/s on. */
const lineWidth = (bytesPerSecond: number): number => 1.5 + Math.min(4, Math.max(0, Math.log10(Math.max(1, bytesPerSecond) / 100)))

const flowOf = ({ rates }: NodeRow): number => (rates ? rates.sent + rates.received : 0)

const linkLabel = (row: NodeRow, nowMs: number): string => {
  const { node } = row
  if (!node.isConnected) return `gone for ${ageText(nowMs - node.sinceMs)}`
  const trip = node.roundTripMs === undefined ? [] : [delayText(node.roundTripMs)]
  return [...trip, ...(row.rates ? [`${bytesText(flowOf(row))}/s`] : [])].join(' · ')
}

/** Of its own drawing, so that nothing long leaves it. */
const boxOf = (kind: string, { height, width, x, y }: Box, name: string, more: string, ...others: readonly SVGElement[]) =>
  svg(
    'svg',
    { class: `box ${kind}`, x, y, width, height },
    ...others,
    svg('rect', { x: 0.5, y: 0.5, width: width - 1, height: height - 1, rx: 6 }),
    svg('text', { class: 'box-name', x: 34, y: 17 }, name),
    svg('text', { class: 'box-more', x: 34, y: 32 }, more),
  )

const nodeBox = ({ node }: NodeRow, box: Box, open: (node: string) => void) => {
  const condition = conditionOf(node)
  const { severity, word } = conditions[condition]
  const icon = conditionIcon()
  icon.update(condition)
  for (const [name, value] of Object.entries({ x: 10, y: (box.height - iconSize) / 2, width: iconSize, height: iconSize }))
    setAttribute(icon.root, name, value)
  const name = escapeText(node.name)
  const more = `${node.type === 'master' ? 'master' : word} · ${escapeText(node.address)}`
  const drawn = boxOf(
    `is-${severity}`,
    box,
    shortened(name, nameCharsMax),
    shortened(more, moreCharsMax),
    svg('title', {}, `${name}: ${word}`),
  )
  drawn.append(icon.root)
  drawn.addEventListener('click', () => open(node.name))
  return drawn
}

const restBox = (rows: readonly NodeRow[], box: Box) => {
  const inSync = rows.filter(({ node }) => conditionOf(node) === 'inSync').length
  return boxOf('is-rest', box, `${countText(rows.length)} more`, inSync === rows.length ? 'all in sync' : `${countText(inSync)} in sync`)
}

const lineClass = (row: NodeRow): string => {
  const { severity } = conditions[conditionOf(row.node)]
  return `line is-${severity}${row.node.isConnected ? '' : ' is-gone'}${flowOf(row) > 0 ? ' is-flowing' : ''}`
}

const drawing = (rows: readonly NodeRow[], nowMs: number, open: (node: string) => void) => {
  const inOrder = inNodeOrder(rows, worstFirst)
  const master = inOrder.find(({ node }) => node.type === 'master')
  const layout = topologyLayout(inOrder.filter(({ node }) => node.type === 'worker'))
  const lines = layout.workers.map(({ item, line }) =>
    svg('path', { class: lineClass(item), d: line, 'stroke-width': lineWidth(flowOf(item)) }),
  )
  const labels = layout.workers.map(({ item, label }) => svg('text', { class: 'link-label', ...label }, linkLabel(item, nowMs)))
  const { rest } = layout
  return svg(
    'svg',
    {
      viewBox: `0 0 ${layout.width} ${layout.height}`,
      role: 'img',
      'aria-label': `${counted(inOrder.length, 'node')} and the links between them. The table has the same in words.`,
    },
    ...(rest ? [svg('path', { class: 'line is-rest', d: rest.line, 'stroke-width': 1.5 })] : []),
    ...lines,
    ...labels,
    ...(master ? [nodeBox(master, layout.master, open)] : []),
    ...layout.workers.map(({ box, item }) => nodeBox(item, box, open)),
    ...(rest ? [restBox(rest.items, rest.box)] : []),
  )
}

export class TopologyView {
  readonly #root: Element
  readonly #open: (node: string) => void

  constructor(root: Element, open: (node: string) => void) {
    this.#root = root
    this.#open = open
  }

  update(rows: readonly NodeRow[], nowMs: number): void {
    setChildren(this.#root, [drawing(rows, nowMs, this.#open)])
  }
}
