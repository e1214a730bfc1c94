/** JSON in pieces: together they are the whole, none has too many items, and what is not JSON is noticed. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ClusterError } from '../../../src/base/errors.js'
import { jsonPieces } from '../../../src/base/json/jsonPieces.js'

const spaced = (text: string, space: string): string => JSON.stringify(JSON.parse(text), undefined, space === '' ? undefined : space)

const item = fc.jsonValue({ maxDepth: 2 })
const name = fc.string({ maxLength: 3 }).filter((text) => text !== '__proto__')
const list = fc.array(item, { maxLength: 12 })
const object = fc.dictionary(name, fc.oneof(list, item), { maxKeys: 4 })

const itemsOf = (value: unknown): unknown[] => (Array.isArray(value) ? value : [value])

/** What the pieces say together. */
const joined = (pieces: readonly unknown[]): unknown => {
  if (pieces.every(Array.isArray)) return pieces.flat(1)
  const whole = new Map<string, unknown>()
  for (const piece of pieces)
    for (const [key, value] of Object.entries(piece as object)) {
      const before = whole.get(key)
      whole.set(key, Array.isArray(before) && Array.isArray(value) ? [...before, ...itemsOf(value)] : value)
    }
  return Object.fromEntries(whole)
}

const parsed = (text: string, itemsMax: number): unknown[] => [...jsonPieces(text, itemsMax)].map((piece) => JSON.parse(piece) as unknown)

const isNotJson = (text: string): boolean => {
  try {
    JSON.parse(text)
    return false
  } catch {
    return true
  }
}

describe('pieces of JSON', () => {
  it('are together what the whole is, with no more items each, however it is spaced', () =>
    fc.assert(
      fc.property(fc.oneof(list, object), fc.integer({ min: 1, max: 5 }), fc.constantFrom('', ' ', '\t'), (value, itemsMax, space) => {
        const pieces = parsed(spaced(JSON.stringify(value), space), itemsMax)
        expect(joined(pieces)).toEqual(JSON.parse(JSON.stringify(value)))
        for (const piece of pieces) {
          const lists = Array.isArray(piece) ? [piece] : Object.values(piece as object).filter(Array.isArray)
          for (const items of lists) expect(items.length).toBeLessThanOrEqual(itemsMax)
        }
      }),
    ))

  it('are the whole where there is nothing to cut', () => {
    for (const text of ['5', '"[1,2]"', 'null', '', 'x']) expect([...jsonPieces(text, 1)]).toEqual([text])
    expect([...jsonPieces(' [] ', 1)]).toEqual(['[]'])
    expect([...jsonPieces('{ }', 1)]).toEqual(['{}'])
  })

  it('show what is not JSON, wherever it is', () => {
    const text = '{"a":[1,{"b":[2,"]"]},3],"c":{"d":4},"e":[]}'
    for (let at = 0; at < text.length; at++)
      for (const broken of [text.slice(0, at), `${text.slice(0, at)}${text.slice(at + 1)}`, `${text.slice(0, at)},${text.slice(at)}`])
        if (isNotJson(broken)) expect([broken, shows(broken)]).toEqual([broken, true])
    for (const broken of ['[1,2,]', '[1][2]', '[1,,2]', '{"a":[1,]}', '{"a":1,}', '{,}', '[1]x'])
      expect([broken, shows(broken)]).toEqual([broken, true])
  })
})

/** As an error of the cutting, or of a piece. */
const shows = (text: string): boolean => {
  try {
    parsed(text, 1)
    return false
  } catch (thrown) {
    return thrown instanceof ClusterError || thrown instanceof SyntaxError
  }
}
