import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type ComingHandshake, HandshakeTurns } from '../../../src/platform/net/handshakeTurns.js'
import { VirtualClock } from '../../../src/simulation/world/virtualClock.js'

const bounds = { handshakesMax: 12, begunMax: 3, contestedMsMax: 2_000, begunMsMax: 10_000 }

type State = 'silent' | 'waiting' | 'begun' | 'crowded' | 'slow' | 'left'

class Peer implements ComingHandshake {
  readonly remoteAddress: string
  state: State = 'silent'
  readonly #turns: HandshakeTurns
  readonly #begins: Peer[]

  constructor(site: number, turns: HandshakeTurns, begins: Peer[]) {
    this.remoteAddress = `10.0.0.${site}`
    this.#turns = turns
    this.#begins = begins
    turns.enter(this)
  }

  speak(): void {
    if (this.state !== 'silent') return
    this.state = 'waiting'
    this.#turns.spoke(this, () => {
      this.state = 'begun'
      this.#begins.push(this)
    })
  }

  leave(): void {
    this.state = 'left'
    this.#turns.leave(this)
  }

  giveWay(reason: 'crowded' | 'slow'): void {
    this.state = reason
    this.#turns.leave(this)
  }
}

const world = () => {
  const clock = new VirtualClock()
  const turns = new HandshakeTurns(clock, bounds)
  const begins: Peer[] = []
  return { clock, turns, begins, come: (site: number) => new Peer(site, turns, begins) }
}

const steps = fc.array(
  fc.oneof(
    fc.record({ kind: fc.constant('come'), site: fc.integer({ min: 1, max: 4 }) }),
    fc.record({ kind: fc.constantFrom('speak', 'leave'), which: fc.nat() }),
    fc.record({ kind: fc.constant('wait'), ms: fc.integer({ min: 1, max: 6_000 }) }),
  ),
  { maxLength: 80 },
)

describe('TLS handshakes', () => {
  it('stay within their bounds, none is forgotten, and none waits while there is a place', () =>
    fc.assert(
      fc.asyncProperty(steps, async (taken) => {
        const { clock, come, turns } = world()
        const peers: Peer[] = []
        for (const step of taken) {
          if ('site' in step) peers.push(come(step.site))
          else if ('ms' in step) await clock.advance(step.ms)
          else if (peers.length > 0) peers[step.which % peers.length]?.[step.kind === 'speak' ? 'speak' : 'leave']()
          const count = (state: State): number => peers.filter((peer) => peer.state === state).length
          expect(turns.size).toBe(count('silent') + count('waiting') + count('begun'))
          expect(turns.size).toBeLessThanOrEqual(bounds.handshakesMax)
          expect(count('begun')).toBeLessThanOrEqual(bounds.begunMax)
          if (count('waiting') > 0) expect(count('begun')).toBe(bounds.begunMax)
        }
        turns.close()
      }),
      { numRuns: 200 },
    ))

  it('of a burst wait for their turn, and those of other sites come in between', () => {
    const { begins, come } = world()
    const burst = Array.from({ length: 8 }, () => come(1))
    for (const peer of burst) peer.speak()
    const single = come(2)
    single.speak()
    for (let done = 0; done < 9; done++) begins[done]?.leave()
    expect(begins.length).toBe(9)
    expect(begins.indexOf(single)).toBe(bounds.begunMax + 1)
  })

  it('that say nothing keep nobody out: the oldest goes', () => {
    const { begins, come } = world()
    const silent = Array.from({ length: 40 }, () => come(1))
    const agent = come(1)
    agent.speak()
    expect(begins).toEqual([agent])
    expect(silent.map(({ state }) => state)).toEqual([...Array(29).fill('crowded'), ...Array(11).fill('silent')])
  })

  it('that are slow give way to a site that has fewer, and to nobody of their own before their end', async () => {
    const { begins, clock, come } = world()
    const slow = Array.from({ length: 4 }, () => come(1))
    for (const peer of slow) peer.speak()
    await clock.advance(bounds.contestedMsMax)
    expect(slow.map(({ state }) => state)).toEqual(['begun', 'begun', 'begun', 'waiting'])
    slow[3]?.leave()
    const agent = come(2)
    agent.speak()
    expect(slow[0]?.state).toBe('slow')
    expect(begins.at(-1)).toBe(agent)
    const next = come(2)
    next.speak()
    expect(next.state).toBe('begun')
    const late = come(2)
    late.speak()
    expect(late.state).toBe('waiting')
    await clock.advance(bounds.begunMsMax - bounds.contestedMsMax)
    expect([slow[2]?.state, late.state]).toEqual(['slow', 'begun'])
  })

  it('that stop after their first bytes hold no place for longer than their time', async () => {
    const { begins, clock, come } = world()
    const stopped = Array.from({ length: 6 }, () => come(1))
    for (const peer of stopped) peer.speak()
    await clock.advance(bounds.begunMsMax)
    expect(begins.length).toBe(6)
    await clock.advance(bounds.begunMsMax)
    expect(stopped.every(({ state }) => state === 'slow')).toBe(true)
    expect(clock.pending).toBe(0)
  })
})

describe('a pace of handshakes', () => {
  it('lets a burst begin at once, then a fixed number a second, and all in the end', async () => {
    const clock = new VirtualClock()
    const pace = { burst: 5, perSecond: 10 }
    const turns = new HandshakeTurns(clock, { ...bounds, handshakesMax: 100, begunMax: 100, pace })
    const begins: Peer[] = []
    for (let count = 0; count < 40; count++) new Peer(count % 4, turns, begins).speak()
    expect(begins).toHaveLength(pace.burst)
    for (let tenths = 1; tenths <= 35; tenths++) {
      await clock.advance(100)
      expect(begins.length).toBeLessThanOrEqual(pace.burst + tenths)
    }
    await clock.advance(200)
    expect(begins).toHaveLength(40)
    for (const peer of begins) peer.leave()
    turns.close()
    expect(clock.pending).toBe(0)
  })

  it('goes to a preferred site first, however many others wait, and to the others again after it', async () => {
    const clock = new VirtualClock()
    const isPreferred = (prefix: string): boolean => prefix === '10.0.0.99'
    const turns = new HandshakeTurns(
      clock,
      { ...bounds, handshakesMax: 200, begunMax: 200, pace: { burst: 1, perSecond: 10 } },
      isPreferred,
    )
    const begins: Peer[] = []
    for (let site = 1; site <= 90; site++) new Peer(site, turns, begins).speak()
    const [known, gone] = [new Peer(99, turns, begins), new Peer(99, turns, begins)]
    known.speak()
    gone.speak()
    gone.leave()
    await clock.advance(250)
    expect(begins.map(({ remoteAddress }) => remoteAddress)).toEqual(['10.0.0.1', '10.0.0.99', '10.0.0.2'])
    expect(gone.state).toBe('left')
    await clock.advance(60_000)
    expect(begins).toHaveLength(91)
    expect(turns.size).toBe(0)
    turns.close()
    expect(clock.pending).toBe(0)
  })
})
