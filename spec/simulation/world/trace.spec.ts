import { createHash } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Trace } from '../../../src/simulation/world/trace.js'

const events = fc.array(fc.tuple(fc.nat(), fc.string(), fc.string({ maxLength: 2_000 })), { maxLength: 40 })

describe('a trace', () => {
  it('has the hash of all its lines, however often it is asked, and keeps the last ones', () =>
    fc.assert(
      fc.property(events, fc.integer({ min: 1, max: 10 }), (all, linesKeptMax) => {
        const trace = new Trace(linesKeptMax)
        const lines = all.map(([atMs, path, event]) => `${atMs} ${path} ${event.replaceAll('\n', '\\n')}`)
        for (const [atMs, path, event] of all) {
          trace.add(atMs, path, event)
          if (atMs % 3 === 0) trace.hash()
        }
        const hash = createHash('sha256')
        for (const line of lines) hash.update(`${line}\n`)
        expect(trace.hash()).toBe(hash.digest('hex'))
        expect(trace.lines()).toEqual(lines.slice(-linesKeptMax))
        expect(trace.count).toBe(lines.length)
      }),
    ))
})
