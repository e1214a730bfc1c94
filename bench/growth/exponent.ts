/** How a cost grows with a count: the k of cost = c · count^k, fitted to the logarithms by least squares. */

export interface Point {
  readonly count: number
  readonly cost: number
}

/** NaN when less than two different counts have a cost above 0. */
export const exponentOf = (points: readonly Point[]): number => {
  const logs = points.filter(({ cost }) => cost > 0).map(({ cost, count }) => ({ x: Math.log(count), y: Math.log(cost) }))
  const mean = (of: (log: { x: number; y: number }) => number): number => logs.reduce((sum, log) => sum + of(log), 0) / logs.length
  const [meanX, meanY] = [mean(({ x }) => x), mean(({ y }) => y)]
  return mean(({ x, y }) => (x - meanX) * (y - meanY)) / mean(({ x }) => (x - meanX) ** 2)
}
