import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { limits } from '../../src/base/limits.js'
import { addressPrefix } from '../../src/domain/cluster/addressPrefix.js'
import { SeededRandom } from '../../src/simulation/world/seededRandom.js'
import { Admission, admissionLimits, type PendingPeer } from '../../src/transport/admission.js'

const addresses = ['10.0.0.1', '::ffff:10.0.0.1', '10.0.0.2', '10.0.0.3', '2001:db8::1', '2001:db8::2', '2001:db8:0:1::1']

type Kind = 'stranger' | 'known' | 'proven'
const ranks: readonly Kind[] = ['stranger', 'known', 'proven']

interface Waiting extends PendingPeer {
  kind: Kind
}

const step = fc.record({
  act: fc.constantFrom('enter', 'enter', 'enter', 'prove', 'leave', 'remember' as const),
  address: fc.constantFrom(...addresses),
  which: fc.nat(),
})

describe('admission', () => {
  it('keeps its places and shares, and evicts the least proven kind that has over a quarter', () =>
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 12 }),
        fc.integer({ min: 1, max: 12 }),
        fc.array(step, { maxLength: 80 }),
        fc.nat(),
        (unauthenticatedConnectionsMax, unauthenticatedPerAddressMax, steps, seed) => {
          const admission = new Admission({ unauthenticatedConnectionsMax, unauthenticatedPerAddressMax }, new SeededRandom(seed))
          const inside = new Set<Waiting>()
          const known = new Set<string>()
          const evicted: Waiting[] = []
          const countOf = (kind: Kind): number => [...inside].filter((waiting) => waiting.kind === kind).length
          const neighboursOf = ({ address, kind }: Waiting): number =>
            [...inside].filter((other) => other.kind === kind && addressPrefix(other.address) === addressPrefix(address)).length
          for (const { act, address, which } of steps) {
            const before = { size: inside.size, counts: ranks.map(countOf) }
            const some = [...inside][which % Math.max(1, inside.size)]
            evicted.length = 0
            if (act === 'remember') {
              admission.remember(address)
              known.add(addressPrefix(address))
            } else if (act === 'leave' && some) {
              inside.delete(some)
              admission.leave(some)
            } else if (act === 'prove' && some) {
              admission.prove(some)
              some.kind = 'proven'
            } else if (act === 'enter') {
              const waiting: Waiting = {
                address,
                kind: known.has(addressPrefix(address)) ? 'known' : 'stranger',
                evict: () => {
                  inside.delete(waiting)
                  evicted.push(waiting)
                },
              }
              const isShareTaken = neighboursOf(waiting) >= unauthenticatedPerAddressMax
              admission.enter(waiting)
              inside.add(waiting)
              const [gone] = evicted
              if (gone && isShareTaken) expect([gone.kind, addressPrefix(gone.address)]).toEqual([waiting.kind, addressPrefix(address)])
              else if (gone) {
                const quarter = Math.floor(unauthenticatedConnectionsMax / 4)
                expect(gone.kind).toBe(ranks.find((_, rank) => (before.counts[rank] ?? 0) > quarter))
                expect(before.size).toBe(unauthenticatedConnectionsMax)
              }
            }
            expect(evicted.length).toBeLessThanOrEqual(1)
            expect(inside.size).toBe(admission.size)
            expect(inside.size).toBeLessThanOrEqual(unauthenticatedConnectionsMax)
            for (const waiting of inside) expect(neighboursOf(waiting)).toBeLessThanOrEqual(unauthenticatedPerAddressMax)
          }
          admission.close()
          expect(inside.size + admission.size).toBe(0)
        },
      ),
    ))

  it('has no more places than a quarter of what the process may open, and never more than the limit', () =>
    fc.assert(
      fc.property(fc.oneof(fc.integer({ min: 64, max: 5_000 }), fc.constant(Number.POSITIVE_INFINITY)), (descriptorsMax) => {
        const { unauthenticatedConnectionsMax, unauthenticatedPerAddressMax } = admissionLimits(descriptorsMax)
        expect(unauthenticatedConnectionsMax).toBeLessThanOrEqual(Math.min(descriptorsMax / 4, limits.unauthenticatedConnectionsMax))
        expect(unauthenticatedConnectionsMax).toBeGreaterThanOrEqual(16)
        expect(unauthenticatedPerAddressMax).toBeLessThan(unauthenticatedConnectionsMax)
      }),
    ))
})
