/** Addresses and networks, held to what Node's own BlockList says. */
import { BlockList, isIP } from 'node:net'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  addressBytes,
  addressesIn,
  addressInNetwork,
  addressNetwork,
  addressText,
  isSameAddress,
} from '../../../src/domain/kit/addressInNetwork.js'

const ipv4 = fc.ipV4()
const ipv6 = fc.oneof(fc.ipV6(), fc.constantFrom('::', '::1', '1::', 'fe80::1', '::ffff:0:0', '1:2:3:4:5:6:7::', '::2:3:4:5:6:7:8'))
const ipv4Network = fc.tuple(ipv4, fc.nat(32))
const ipv6Network = fc.tuple(ipv6, fc.nat(128))

const isMapped = (address: string): boolean => addressBytes(address)?.length === 4 && address.includes(':')

/** Addresses that differ from the network's in few bits meet it often. */
const near = (address: string, flipped: readonly number[]): string => {
  const bytes = [...(addressBytes(address) ?? [])]
  for (const bit of flipped) {
    const at = Math.floor(bit / 8) % bytes.length
    bytes[at] = (bytes[at] ?? 0) ^ (0x80 >> (bit & 7))
  }
  return addressText(bytes)
}

const flips = fc.array(fc.nat(127), { maxLength: 2 })

describe('an address', () => {
  it('is the same however it is written, and no other one; a name is the same as itself', () =>
    fc.assert(
      fc.property(fc.oneof(ipv4, ipv6), fc.oneof(ipv4, ipv6), (one, other) => {
        const plain = addressText(addressBytes(one) ?? [])
        for (const written of [one, plain, plain.toUpperCase(), `[${one}]`]) expect(isSameAddress(written, one)).toBe(true)
        expect(isSameAddress(one, other)).toBe(plain === addressText(addressBytes(other) ?? []))
        expect(isSameAddress(`${one}.example`, `${one}.example`)).toBe(true)
        expect(isSameAddress(one, `${one}.example`)).toBe(false)
      }),
    ))

  it('is what Node takes for one, whatever the text', () =>
    fc.assert(
      fc.property(
        fc.oneof(
          ipv4,
          ipv6,
          fc.string({ unit: fc.constantFrom('0', '1', '25', '6', '.', ':', '::', 'f', 'g', '/'), maxLength: 16 }),
          fc.string(),
        ),
        (text) => {
          fc.pre(!text.includes('%'))
          expect(addressBytes(text) !== undefined).toBe(isIP(text) !== 0)
        },
      ),
      { numRuns: 2_000 },
    ))

  it('comes out of its text as it went in, in the shortest form that sockets use', () =>
    fc.assert(
      fc.property(fc.oneof(ipv4, ipv6), (address) => {
        const bytes = addressBytes(address) ?? []
        expect(addressBytes(addressText(bytes))).toEqual(bytes)
        if (bytes.length === 16) expect(addressText(bytes)).toBe(new URL(`http://[${address}]`).hostname.slice(1, -1))
      }),
    ))

  it('is in a network of its family exactly when Node says so', () =>
    fc.assert(
      fc.property(fc.oneof(ipv4Network, ipv6Network), flips, ([network, bits], flipped) => {
        fc.pre(!isMapped(network))
        const list = new BlockList()
        list.addSubnet(network, bits, isIP(network) === 6 ? 'ipv6' : 'ipv4')
        for (const address of [network, near(network, flipped)]) {
          // Node puts IPv4 addresses into networks of IPv6; an operator who lists one family does not mean the other.
          fc.pre(!isMapped(address) && isIP(address) === isIP(network))
          expect(addressInNetwork(address, `${network}/${bits}`)).toBe(list.check(address, isIP(address) === 6 ? 'ipv6' : 'ipv4'))
        }
      }),
    ))

  it.each([
    ['::ffff:10.1.2.3', '10.0.0.0/8', true],
    ['10.1.2.3', '::ffff:10.0.0.0/104', true],
    ['10.1.2.3', '::/0', false],
    ['fe80::1%eth0', 'fe80::/10', true],
    ['10.1.2.3', 'any', true],
    ['10.1.2.3', '10.1.2.3', true],
    ['10.1.2.3', '10.1.2.4', false],
    ['agent1', '0.0.0.0/0', false],
    ['10.1.2.3', '10.1.2.3/33', false],
    ['10.1.2.3', '10.1.2.3/', false],
    ['10.1.2.3', '10.1.2.3/08', false],
    ['10.1.2.3', '', false],
    ['10.1.2.3', '10.1.0.0/255.255.0.0', true],
    ['10.2.2.3', '10.1.0.0/255.255.0.0', false],
    ['::1', '::1/255.255.0.0', false],
  ])('%s in %s: %s', (address, network, isIn) => expect(addressInNetwork(address, network)).toBe(isIn))

  it('is in none of no networks, and in a list when it is in one of it', () => {
    expect(addressesIn([])('10.1.2.3')).toBe(false)
    expect(addressesIn(['nonsense', '192.0.2.0/24', '10.0.0.0/8'])('10.1.2.3')).toBe(true)
    expect(addressNetwork('nonsense')).toBeUndefined()
  })
})
