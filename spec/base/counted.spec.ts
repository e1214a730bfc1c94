import fc from 'fast-check'
import { expect, it } from 'vitest'
import { counted } from '../../src/base/counted.js'

it('only the number one takes no s', () =>
  fc.assert(
    fc.property(fc.nat(), (count) => {
      expect(counted(count, 'file')).toBe(count === 1 ? '1 file' : `${count} files`)
    }),
  ))
