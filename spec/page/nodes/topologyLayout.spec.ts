import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type Box, topologyBoxesMax, topologyLayout } from '../../../src/page/nodes/topologyLayout.js'

const workers = fc.nat(400).map((count) => Array.from({ length: count }, (_, at) => `worker-${at}`))

const overlap = (a: Box, b: Box): boolean => a.x < b.x + b.width && b.x < a.x + a.width && a.y < b.y + b.height && b.y < a.y + a.height

describe('the layout of the links', () => {
  it('has boxes that do not overlap and do not leave the drawing', () =>
    fc.assert(
      fc.property(workers, (some) => {
        const { height, master, rest, width, workers: placed } = topologyLayout(some)
        const boxes = [master, ...placed.map(({ box }) => box), ...(rest ? [rest.box] : [])]
        for (const [at, box] of boxes.entries()) {
          expect(Math.min(box.x, box.y, width - box.x - box.width, height - box.y - box.height)).toBeGreaterThanOrEqual(0)
          for (const other of boxes.slice(at + 1)) expect(overlap(box, other)).toBe(false)
        }
      }),
    ))

  it('shows the first ones, in their order, and counts each worker once', () =>
    fc.assert(
      fc.property(workers, (some) => {
        const { rest, workers: placed } = topologyLayout(some)
        expect([...placed.map(({ item }) => item), ...(rest?.items ?? [])]).toEqual(some)
        expect(placed.length + (rest ? 1 : 0)).toBeLessThanOrEqual(topologyBoxesMax)
        // A box for the rest that holds one worker would be a worse box for it.
        expect(rest?.items.length).not.toBe(1)
      }),
    ))
})
