/** Where the drawing of the links puts the master, its workers and the lines between them: the worst workers, and the rest as one box. */

export interface Box {
  readonly x: number
  readonly y: number
  readonly width: number
  readonly height: number
}

export interface PlacedWorker<T> {
  readonly item: T
  readonly box: Box
  /** Of the line from the master, as an SVG path. */
  readonly line: string
  /** Above the end of the line. */
  readonly label: { readonly x: number; readonly y: number }
}

export interface TopologyLayout<T> {
  readonly width: number
  readonly height: number
  readonly master: Box
  readonly workers: readonly PlacedWorker<T>[]
  /** Those that have no box of their own. */
  readonly rest: (Omit<PlacedWorker<T>, 'item'> & { readonly items: readonly T[] }) | undefined
}

/** Boxes that are still read at once. */
export const topologyBoxesMax = 8

const width = 640
const boxWidth = 204
const boxHeight = 40
const gap = 14
const margin = 2

const boxAt = (row: number): Box => ({
  x: width - margin - boxWidth,
  y: margin + row * (boxHeight + gap),
  width: boxWidth,
  height: boxHeight,
})

const middleOf = ({ height, y }: Box): number => y + height / 2

/** Leaves the master and reaches the worker level, so that the label has room over its end. */
const lineBetween = (master: Box, worker: Box): string => {
  const [startX, startY, endX, endY] = [master.x + master.width, middleOf(master), worker.x, middleOf(worker)]
  const bend = startX + (endX - startX) * 0.3
  return `M${startX} ${startY}C${bend} ${startY} ${startX} ${endY} ${bend + 20} ${endY}L${endX} ${endY}`
}

/** @param workers the worst first */
export const topologyLayout = <T>(workers: readonly T[]): TopologyLayout<T> => {
  const shown = workers.length <= topologyBoxesMax ? workers : workers.slice(0, topologyBoxesMax - 1)
  const hidden = workers.slice(shown.length)
  const rows = Math.max(1, shown.length + (hidden.length > 0 ? 1 : 0))
  const height = 2 * margin + rows * boxHeight + (rows - 1) * gap
  const master: Box = { x: margin, y: (height - boxHeight) / 2, width: boxWidth, height: boxHeight }
  const placed = (row: number) => {
    const box = boxAt(row)
    return { box, line: lineBetween(master, box), label: { x: box.x - 8, y: middleOf(box) - 6 } }
  }
  return {
    width,
    height,
    master,
    workers: shown.map((item, row) => ({ item, ...placed(row) })),
    rest: hidden.length > 0 ? { items: hidden, ...placed(shown.length) } : undefined,
  }
}
