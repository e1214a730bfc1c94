import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { EventStreamParser, type ServerEvent } from '../../src/page/eventStreamParser.js'

const lines = fc.string({ unit: 'binary', maxLength: 30 }).map((text) => text.replaceAll(/[\r\n]/g, ''))
const names = lines.filter((text) => text !== '' && !text.startsWith(' '))
const events: fc.Arbitrary<readonly ServerEvent[]> = fc.array(
  fc.record({ name: names, data: fc.array(lines, { minLength: 1, maxLength: 3 }).map((some) => some.join('\n')) }),
  { maxLength: 8 },
)
const lineEnds = fc.constantFrom('\n', '\r\n', '\r')

const written = (some: readonly ServerEvent[], end: string): string =>
  some
    .map(({ data, name }) =>
      [`event: ${name}`, ': a comment', 'id: 7', ...data.split('\n').map((line) => `data: ${line}`), '', ''].join(end),
    )
    .join('')

const pushed = (pieces: readonly string[]): readonly ServerEvent[] => {
  const parser = new EventStreamParser()
  return pieces.flatMap((piece) => parser.push(piece))
}

/** The text in pieces that end at these places, wherever these are. */
const cut = (text: string, places: readonly number[]): readonly string[] => {
  const at = [0, ...places.map((place) => place % (text.length + 1)), text.length].toSorted((a, b) => a - b)
  return at.slice(1).map((end, index) => text.slice(at[index], end))
}

describe('the parser of event streams', () => {
  it('finds the events that were written, however they are cut and whatever ends the lines', () =>
    fc.assert(
      fc.property(events, lineEnds, fc.array(fc.nat(), { maxLength: 12 }), (some, end, places) => {
        // A CR is the end of a line only when it is known that no LF follows it.
        const text = `${written(some, end)}${end === '\r' ? ': ' : ''}`
        expect(pushed(cut(text, places))).toEqual(some)
      }),
    ))

  it('gives nothing of an event that is not whole, nor of one without data', () =>
    expect(pushed(['event: overview\ndata: {}\n', 'event: alive\n\n: x\n\nevent: a\n\n'])).toEqual([{ name: 'alive', data: '{}' }]))

  it('refuses an event that never ends', () => {
    const parser = new EventStreamParser()
    const piece = 'x'.repeat(4 * 1024 * 1024)
    expect(() => {
      for (let sent = 0; sent < 9; sent++) parser.push(piece)
    }).toThrow('too long')
  })
})
