import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { addressPrefix } from '../../../src/domain/cluster/addressPrefix.js'

const group = fc.oneof(fc.constant(0), fc.nat(0xffff))
const groups = (count: number) => fc.array(group, { minLength: count, maxLength: count })
const byte = fc.nat(255)
const ipv4 = fc.tuple(byte, byte, byte, byte)

/** All ways to write the same address: padded or not, in capitals or not, with one run of zeros left out or none, with a zone. */
const written = (address: readonly number[]) =>
  fc
    .record({ padded: fc.boolean(), capitals: fc.boolean(), from: fc.nat(7), length: fc.nat(8), zone: fc.constantFrom('', '%eth0') })
    .map(({ padded, capitals, from, length, zone }) => {
      const texts = address.map((number) => number.toString(16).padStart(padded ? 4 : 1, '0'))
      const left = address.slice(from, from + length)
      const compressed = left.length > 0 && left.every((number) => number === 0)
      const text = compressed ? `${texts.slice(0, from).join(':')}::${texts.slice(from + left.length).join(':')}` : texts.join(':')
      return `${capitals ? text.toUpperCase() : text}${zone}`
    })

const isMapped = (address: readonly number[]): boolean => address.slice(0, 5).every((number) => number === 0) && address[5] === 0xffff

describe('the prefix of an address', () => {
  it('is the IPv4 address itself, also where IPv6 maps it', () =>
    fc.assert(
      fc.property(
        ipv4
          .map((bytes) => [bytes, [0, 0, 0, 0, 0, 0xffff, (bytes[0] << 8) | bytes[1], (bytes[2] << 8) | bytes[3]]] as const)
          .chain(([bytes, mapped]) => fc.tuple(fc.constant(bytes.join('.')), written(mapped))),
        ([plain, mapped]) => {
          expect(addressPrefix(plain)).toBe(plain)
          expect(addressPrefix(`::ffff:${plain}`)).toBe(plain)
          expect(addressPrefix(mapped)).toBe(plain)
        },
      ),
    ))

  it('is the same for two IPv6 addresses, however written, when they are in the same /64, and only then', () =>
    fc.assert(
      fc.property(
        fc
          .tuple(groups(4), groups(4), groups(4), groups(4), fc.boolean())
          .map(
            ([prefix, other, a, b, same]) =>
              [
                [...prefix, ...a],
                [...(same ? prefix : other), ...b],
              ] as const,
          )
          .filter((pair) => !pair.some(isMapped))
          .chain(([a, b]) => fc.tuple(fc.constant(a), fc.constant(b), written(a), written(b))),
        ([a, b, aText, bText]) => {
          const isSame = a.slice(0, 4).join() === b.slice(0, 4).join()
          expect(addressPrefix(aText) === addressPrefix(bText)).toBe(isSame)
        },
      ),
    ))

  it('takes any text, and leaves what is not an address as it is', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        if (!text.includes(':')) expect(addressPrefix(text)).toBe(text)
        expect(typeof addressPrefix(`:${text}`)).toBe('string')
      }),
    )
    for (const text of ['memory', '1:2:3', '1::2::3', '1:2:3:4:5:6:7:8:9', 'no:address']) expect(addressPrefix(text)).toBe(text)
  })
})
