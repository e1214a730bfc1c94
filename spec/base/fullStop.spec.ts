import fc from 'fast-check'
import { expect, it } from 'vitest'
import { fullStop } from '../../src/base/fullStop.js'

it('a sentence has exactly one end, however often it is asked for', () =>
  fc.assert(
    fc.property(fc.string(), fc.constantFrom('', '.', '!', '?', '…'), (text, end) => {
      const ended = fullStop(`${text}a${end}`)
      expect(ended).toBe(`${text}a${end === '' ? '.' : end}`)
      expect(fullStop(ended)).toBe(ended)
    }),
  ))
