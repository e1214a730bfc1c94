import fc from 'fast-check'
import { Type } from 'typebox'
import { Compile } from 'typebox/compile'
import { describe, expect, it } from 'vitest'
import { parsedJson } from '../../../src/base/json/parsedJson.js'

const shape = Compile(Type.Array(Type.Integer()))

describe('JSON of a shape', () => {
  it('is read from text and from bytes alike', () =>
    fc.assert(
      fc.property(fc.array(fc.integer()), (value) => {
        const json = JSON.stringify(value)
        for (const form of [json, Buffer.from(json)]) expect(parsedJson(form, shape, 'A list')).toEqual({ ok: true, value })
      }),
    ))

  it.each([
    ['[1', 'A list is not JSON'],
    [Uint8Array.of(0x22, 0xff, 0x22), 'A list is not JSON'],
    ['{}', 'A list has a wrong shape'],
  ])('is refused as malformed when it is %j: %s', (json, message) => {
    expect(parsedJson(json, shape, 'A list')).toMatchObject({ ok: false, error: { code: 'malformed', message } })
  })
})
