import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { limits } from '../../../src/base/limits.js'
import { changedIds, idsDigest } from '../../../src/domain/agents/agentIds.js'
import type { KeyEntry } from '../../../src/domain/agents/keyEntry.js'
import { KeysTrust, type KeysUpdates } from '../../../src/domain/agents/keysTrust.js'

const { keysTrustedMs } = limits

type Content = { readonly live: readonly number[]; readonly marked: readonly number[] } | 'suspect'

/** What one check sees, and how long after the one before. */
interface Check {
  readonly afterMs: number
  /** Nothing: the file is as it was. */
  readonly content?: Content | undefined
}

const entryOf = (id: number): KeyEntry => ({ id, name: `agent-${id}`, ip: 'any', key: 'k' })
const someIds = fc.uniqueArray(fc.integer({ min: 1, max: 8 }), { maxLength: 8 })
const contents: fc.Arbitrary<Content> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.tuple(someIds, someIds).map(([live, marked]) => ({ live, marked: marked.filter((id) => !live.includes(id)) })),
  },
  { weight: 1, arbitrary: fc.constant('suspect' as const) },
)
const checks: fc.Arbitrary<Check[]> = fc.array(
  fc.record({
    afterMs: fc.oneof(fc.integer({ min: 0, max: keysTrustedMs }), fc.constantFrom(keysTrustedMs - 1, keysTrustedMs, -1000)),
    content: fc.option(contents, { nil: undefined }),
  }),
  { minLength: 1, maxLength: 20 },
)

/** A file that is checked, and what its listener knows of it. */
class Watched {
  readonly trust = new KeysTrust()
  readonly received = new Set<number>()
  #nowMs = 1_000_000
  #version = 0
  #content: Content = { live: [1, 2, 3], marked: [] }
  #taken: { readonly live: readonly number[]; readonly marked: readonly number[] } = { live: [], marked: [] }
  #sameSinceMs = this.#nowMs

  get content(): Content {
    return this.#content
  }

  /** How long the content has been there, and checked. */
  get sameMs(): number {
    return this.#nowMs - this.#sameSinceMs
  }

  check({ afterMs, content }: Check): KeysUpdates {
    this.#nowMs += afterMs
    if (content !== undefined || this.#nowMs < this.#sameSinceMs) this.#sameSinceMs = this.#nowMs
    if (content !== undefined) {
      this.#content = content
      this.#version += 1
    }
    const updates = this.#see()
    for (const { id } of updates.upserts) this.received.add(id)
    for (const id of updates.removals) this.received.delete(id)
    expect([...this.trust.ids]).toEqual([...this.received].sort((a, b) => a - b))
    return updates
  }

  #see(): KeysUpdates {
    if (this.#content === 'suspect') return this.trust.suspect(this.#nowMs, this.received.size > 0 ? 'it says nothing' : undefined)
    const { live, marked } = this.#content
    const before = this.#taken
    this.#taken = this.#content
    return this.trust.see(this.#nowMs, `${this.#version}`, {
      upserts: live.filter((id) => !before.live.includes(id)).map(entryOf),
      marked: marked.filter((id) => !before.marked.includes(id)),
      vanished: before.live.filter((id) => !live.includes(id) && !marked.includes(id)).map(entryOf),
    })
  }
}

describe('the trust in client.keys', () => {
  it('adds and removes named agents at once, and missing ones only after the file was stable long enough', () =>
    fc.assert(
      fc.property(checks, (list) => {
        const file = new Watched()
        for (const check of list) {
          const before = new Set(file.received)
          file.check(check)
          const { content } = file
          if (content === 'suspect') {
            expect(file.received).toEqual(before)
            continue
          }
          for (const id of content.live) expect(file.received).toContain(id)
          for (const id of content.marked) expect(file.received).not.toContain(id)
          const trusted = file.sameMs >= keysTrustedMs
          for (const id of before)
            expect(file.received.has(id) || content.marked.includes(id) || (trusted && !content.live.includes(id))).toBe(true)
          if (trusted) expect(file.received).toEqual(new Set(content.live))
        }
      }),
      { numRuns: 1000 },
    ))

  it('comes to rest: checks repeated when asked for end with the content of the file', () =>
    fc.assert(
      fc.property(checks, (list) => {
        const file = new Watched()
        for (const check of list) file.check(check)
        const { content } = file
        let asked = 0
        for (let { againInMs } = file.check({ afterMs: 0 }); againInMs !== undefined; asked++) {
          expect(againInMs).toBeGreaterThan(0)
          expect(againInMs).toBeLessThanOrEqual(keysTrustedMs)
          againInMs = file.check({ afterMs: againInMs }).againInMs
        }
        expect(asked).toBeLessThanOrEqual(1)
        if (content !== 'suspect') {
          expect(file.received).toEqual(new Set(content.live))
          expect(file.trust.isComplete).toBe(true)
          expect([...file.trust.missing]).toEqual([])
        }
      }),
      { numRuns: 1000 },
    ))

  it('reports once that a file says nothing, if it lasts, and again after it said something', () => {
    const file = new Watched()
    file.check({ afterMs: 0, content: { live: [1], marked: [] } })
    const seen: (string | number | undefined)[] = []
    for (const check of [
      { afterMs: 10, content: 'suspect' },
      { afterMs: 10, content: { live: [1], marked: [] } },
      { afterMs: 10, content: 'suspect' },
      { afterMs: keysTrustedMs - 1 },
      { afterMs: 1 },
      { afterMs: 10 * keysTrustedMs },
      { afterMs: 10, content: { live: [1], marked: [] } },
      { afterMs: 10, content: 'suspect' },
      { afterMs: keysTrustedMs },
    ] as const) {
      const { againInMs, problem } = file.check(check)
      seen.push(problem ?? againInMs)
    }
    const { keysTrustedMs: all } = limits
    expect(seen).toEqual([all, all, all, 1, 'it says nothing', undefined, all, all, 'it says nothing'])
    expect([...file.received]).toEqual([1])
  })

  it('is not complete because of a file that says nothing', () => {
    const trust = new KeysTrust()
    for (const nowMs of [0, keysTrustedMs, 9 * keysTrustedMs])
      expect(trust.suspect(nowMs, undefined)).toEqual({ upserts: [], removals: [] })
    expect(trust.isComplete).toBe(false)
  })
})

describe('a column of IDs', () => {
  const many = fc.uniqueArray(fc.integer({ min: 1, max: limits.agentIdMax }))

  it('changes like a set, and stays in order', () =>
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.oneof(someIds, many), fc.oneof(someIds, many)), { maxLength: 6 }), (steps) => {
        let ids: Uint32Array = new Uint32Array()
        const model = new Set<number>()
        for (const [added, removed] of steps) {
          ids = changedIds(ids, [...added, ...added], new Set(removed))
          for (const id of added) model.add(id)
          for (const id of removed) model.delete(id)
          expect([...ids]).toEqual([...model].sort((a, b) => a - b))
          expect(ids.buffer.byteLength).toBe(4 * model.size)
        }
      }),
    ))

  it('has the digest of its IDs as little-endian words', () => {
    expect(idsDigest(new Uint32Array())).toBe('e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855')
    expect(idsDigest(Uint32Array.of(1, 0x01020304))).toBe('cd48bd37d30164fffc22b2f6db0a7f71d0997f5eda1950950efbb3c554684576')
  })
})
