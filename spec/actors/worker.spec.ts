import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { IntegritySync } from '../../src/actors/files/integritySync.js'
import { LocalTree } from '../../src/actors/files/localTree.js'
import { Front } from '../../src/actors/kit/front.js'
import { type ChildEvent, startHosted } from '../../src/actors/kit/host.js'
import { worker } from '../../src/actors/worker.js'
import { ClusterError, type ErrorCode } from '../../src/base/errors.js'
import { limits } from '../../src/base/limits.js'
import { defaultTimings } from '../../src/domain/cluster/timings.js'
import type { Link } from '../../src/ports/link.js'
import { VirtualClock } from '../../src/simulation/world/virtualClock.js'
import { localAgentsOver } from '../support/agents/localAgentsOver.js'
import { ScriptedFiles } from '../support/files/scriptedFiles.js'
import { synced } from '../support/files/treeArbitraries.js'
import { memoryNodeStates } from '../support/memoryNodeStates.js'
import { recordingLog } from '../support/recordingLog.js'
import { ScriptedLink } from '../support/scriptedLink.js'
import { hello } from '../support/sessionPair.js'

/** A master that answers everything: the trees are the same. */
const masterLink = (clock: VirtualClock): ScriptedLink =>
  new ScriptedLink('master', (type) => {
    if (type === 'keepAlive.beat') return Promise.resolve({ receivedAtMs: clock.now() })
    return type === 'integrity.check' ? Promise.resolve({ same: true }) : undefined
  })

/** The outcome of each dial, in turn, and then of all others: a link, or why there is none. */
type Dials = (dial: number) => Link | Promise<Link> | ClusterError | 'hangs'

const startWorker = (outcomeOf: (clock: VirtualClock) => Dials, fraction = () => 0) => {
  const clock = new VirtualClock()
  const log = recordingLog()
  const dialsMs: number[] = []
  const ends: ChildEvent[] = []
  const seen: string[] = []
  const dials = outcomeOf(clock)
  const aborted = { count: 0 }
  const dialFailures: { error: ClusterError; attempts: number }[] = []
  const linesMs: { readonly atMs: number; readonly line: string }[] = []
  const tree = new LocalTree(new ScriptedFiles(clock), synced, clock)
  const logic = worker({
    hello,
    master: { host: 'master', port: 1516 },
    timings: defaultTimings,
    onRestart: () => undefined,
    clock,
    random: { fraction, bytes: (count) => new Uint8Array(count) },
    log,
    transport: {
      dial: (_endpoint, _hello, signal) => {
        dialsMs.push(clock.monotonicMs())
        const outcome = dials(dialsMs.length - 1)
        if (outcome instanceof ClusterError) return Promise.reject(outcome)
        if (outcome !== 'hangs') return Promise.resolve(outcome)
        return new Promise((_, reject) => {
          signal.addEventListener('abort', () => {
            aborted.count += 1
            reject(new ClusterError('aborted'))
          })
        })
      },
      listen: () => Promise.reject(new ClusterError('listenFailed')),
    },
    integrity: { tree, sync: new IntegritySync({ tree, clock, requestTimeoutMs: 20_000, compression: 'auto' }), onApplied: () => {} },
    agents: localAgentsOver(clock, 'worker').agents,
    states: memoryNodeStates('worker'),
    own: { node: 'worker', front: new Front() },
    report: () => {
      throw new ClusterError('requestFailed')
    },
    onConnected: () => seen.push('connected'),
    onDisconnected: ({ code }) => seen.push(`disconnected: ${code}`),
    onDialFailed: ({ error, attempts, isLogged }) => {
      if (!isLogged) return
      dialFailures.push({ error, attempts })
      linesMs.push({ atMs: clock.monotonicMs(), line: log.lines.at(-1) ?? '' })
    },
  })
  const child = startHosted(logic, { clock, onEnd: (event) => ends.push(event) })
  const stop = async (): Promise<void> => {
    child.stop()
    await clock.settle()
    expect(child.timers + clock.pending).toBe(0)
    expect(ends).toEqual([])
  }
  const errors = (): readonly string[] => log.lines.filter((line) => line.startsWith('error'))
  return { aborted, child, clock, dialFailures, dialsMs, errors, linesMs, log, seen, stop }
}

const gapsOf = (timesMs: readonly number[]): number[] => timesMs.slice(1).map((atMs, index) => atMs - (timesMs[index] ?? 0))
const refused = (message = 'connect ECONNREFUSED'): ClusterError => new ClusterError('dialFailed', { message })

describe('worker', () => {
  it('dials again after waits that grow by half up to connection_retry, while the master is away', async () => {
    const { clock, dialsMs, stop } = startWorker(() => () => refused())
    await clock.advance(120_000)
    const gaps = gapsOf(dialsMs)
    expect(gaps[0]).toBe(100)
    for (const [index, gap] of gaps.entries()) expect(gap).toBeCloseTo(Math.min(100 * 1.5 ** index, defaultTimings.connectionRetryMs), 6)
    expect(Math.max(...gaps)).toBeCloseTo(defaultTimings.connectionRetryMs, 6)
    await stop()
  })

  it('waits between half of its shortest wait and connection_retry, whatever the jitter', () =>
    fc.assert(
      fc.asyncProperty(fc.infiniteStream(fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true })), async (fractions) => {
        const { clock, dialsMs, stop } = startWorker(
          () => () => refused(),
          () => fractions.next().value,
        )
        await clock.advance(60_000)
        for (const gap of gapsOf(dialsMs)) {
          expect(gap).toBeLessThanOrEqual(defaultTimings.connectionRetryMs + 1e-6)
          expect(gap).toBeGreaterThanOrEqual(50 - 1e-6)
        }
        await stop()
      }),
      { numRuns: 30 },
    ))

  it('logs why it cannot connect once a minute, and a new reason at once', async () => {
    const reasons = ['away', 'away', 'away', 'no route', 'no route', 'away']
    const { clock, errors, stop } = startWorker(() => (dial) => refused(reasons[dial] ?? 'away'))
    await clock.advance(59_000)
    expect(errors().map((line) => line.replace(/.*master: (.*)\. Trying.*/, '$1'))).toEqual(['away', 'no route'])
    await clock.advance(11_000)
    expect(errors()).toHaveLength(3)
    await stop()
  })

  it('logs once a minute how long and how often it has failed, and the next pause', async () => {
    const { clock, dialFailures, dialsMs, errors, stop } = startWorker(() => () => refused('away'))
    await clock.advance(10 * 60_000)
    expect(errors()[0]).toMatch(
      /Could not connect to master: away\. Trying again in 0\.1 seconds, and then after longer pauses of up to 10 seconds\.$/,
    )
    expect(errors().length).toBeGreaterThanOrEqual(9)
    expect(errors().length).toBeLessThanOrEqual(11)
    for (const [index, line] of errors().slice(1).entries()) {
      const [, minutes, attempts] =
        /Could not connect to master for (\d+) minutes? \((\d+) attempts\): away\. Trying again in 10 seconds\.$/.exec(line) ?? []
      expect(Number(minutes)).toBeGreaterThanOrEqual(index + 1)
      expect(Number(minutes)).toBeLessThanOrEqual((index + 1) * 1.2)
      expect(Number(attempts)).toBeLessThanOrEqual(dialsMs.length)
      expect(Number(attempts)).toBe(dialFailures[index + 1]?.attempts)
    }
    expect(dialFailures).toHaveLength(errors().length)
    await stop()
  })

  it('logs the pause that it makes, and makes none longer than the longest that it names', () =>
    fc.assert(
      fc.asyncProperty(
        fc.infiniteStream(fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true })),
        fc.infiniteStream(fc.constantFrom('dialFailed', 'wrongClusterName', 'handshakeRefused' as const)),
        async (fractions, codes) => {
          const { clock, dialsMs, linesMs, stop } = startWorker(
            () => () => new ClusterError(codes.next().value as ErrorCode),
            () => fractions.next().value,
          )
          await clock.advance(200_000)
          for (const [index, { atMs, line }] of linesMs.entries()) {
            const [, pausesS = '', , longestS] =
              /Trying again in ([\d.]+) seconds?(, and then after longer pauses of up to (\d+) seconds)?\.$/.exec(line) ?? []
            const next = dialsMs.find((dialMs) => dialMs > atMs)
            if (next === undefined) continue
            expect(Math.abs((next - atMs) / 1_000 - Number(pausesS))).toBeLessThanOrEqual(pausesS.includes('.') ? 0.051 : 0.501)
            const gaps = gapsOf(dialsMs.filter((dialMs) => dialMs >= atMs))
            if (longestS !== undefined) for (const gap of gaps) expect(gap).toBeLessThanOrEqual(Number(longestS) * 1_000 + 1)
            const within = linesMs.slice(index).filter((later) => later.atMs < atMs + 60_000)
            expect(within.length).toBeLessThanOrEqual(2 * limits.dialReasonsMax)
          }
          await stop()
        },
      ),
      { numRuns: 30 },
    ))

  it('suspects another key only of a master that hangs up at once, several times in a row', async () => {
    const hangsUp = (isPrompt: boolean) => new ClusterError('handshakeRefused', { context: { isPrompt } })
    const likely = /most likely it has another cluster key/
    const prompt = startWorker(() => () => hangsUp(true))
    await prompt.clock.advance(0)
    expect(prompt.errors()[0]).not.toMatch(likely)
    for (const candidate of ['cluster key', 'not a Muster master', 'proxy or firewall', 'too many connections'])
      expect(prompt.errors()[0]).toContain(candidate)
    await prompt.clock.advance(5_000)
    expect(prompt.errors()).toHaveLength(2)
    expect(prompt.errors()[1]).toMatch(likely)
    await prompt.stop()
    for (const other of [hangsUp(false), refused()]) {
      const mixed = startWorker(() => (dial) => (dial % 4 === 3 ? other : hangsUp(true)))
      await mixed.clock.advance(200_000)
      expect(mixed.errors().filter((line) => likely.test(line))).toEqual([])
      await mixed.stop()
    }
  })

  it('waits long after a refusal that only an operator can fix, and shows its sentence', async () => {
    const { clock, dialsMs, errors, stop } = startWorker(
      () => () => new ClusterError('wrongClusterName', { message: "The cluster here is named 'a'" }),
    )
    await clock.advance(35_000)
    expect(dialsMs).toEqual([0, 10_000, 20_000, 30_000])
    expect(errors()).toHaveLength(1)
    expect(errors()[0]).toContain("The cluster here is named 'a'. Trying again in 10 seconds.")
    await stop()
  })

  it.each(['peerStopping', 'linkLost', 'peerSilent'] as const)('dials again soon after a connection ended: %s', async (code) => {
    const links: ScriptedLink[] = []
    const { clock, dialsMs, errors, log, seen, stop } = startWorker((virtual) => () => {
      const link = masterLink(virtual)
      links.push(link)
      return link
    })
    await clock.advance(1_000)
    expect(seen).toEqual(['connected'])
    links[0]?.lose(new ClusterError(code))
    await clock.advance(100)
    expect(dialsMs).toEqual([0, 1_100])
    expect(seen).toEqual(['connected', `disconnected: ${code}`, 'connected'])
    expect(errors()).toHaveLength(code === 'peerStopping' ? 0 : 1)
    expect(log.lines.filter((line) => line.includes('Successfully connected'))).toHaveLength(2)
    expect(links[0]?.served).toBe(0)
    await stop()
    expect(links.every((link) => !link.isOpen && link.served === 0)).toBe(true)
  })

  it('begins with short waits again after it was connected', async () => {
    const { clock, dialsMs, stop } = startWorker((virtual) => (dial) => {
      if (dial !== 20) return refused()
      const link = masterLink(virtual)
      virtual.setTimeout(() => link.lose(new ClusterError('linkLost')), 10)
      return link
    })
    await clock.advance(300_000)
    const gaps = gapsOf(dialsMs)
    expect(gaps[19]).toBeGreaterThan(9_000)
    expect(gaps[20]).toBeCloseTo(110, 6)
    expect(gaps[21]).toBeCloseTo(100, 6)
    await stop()
  })

  it('does not flood a master that lets it in and hangs up at once', async () => {
    const { clock, dialsMs, stop } = startWorker((virtual) => () => {
      const link = masterLink(virtual)
      virtual.setTimeout(() => link.lose(new ClusterError('linkLost')), 1)
      return link
    })
    await clock.advance(60_000)
    expect(dialsMs.length).toBeLessThan(40)
    await stop()
  })

  it('warns of a connection that was made with the previous key', async () => {
    const { clock, log, stop } = startWorker((virtual) => () => {
      const link = masterLink(virtual)
      return Object.assign(link, { peer: { ...link.peer, key: 'previous' } })
    })
    await clock.advance(10)
    expect(log.lines.filter((line) => line.includes('previous cluster key'))).toHaveLength(1)
    await stop()
  })

  it('leaves nothing open when it is stopped while it dials, waits or is connected', () =>
    fc.assert(
      fc.asyncProperty(
        fc.nat(3_000),
        fc.array(fc.constantFrom('hangs', 'refused', 'connects'), { minLength: 1, maxLength: 5 }),
        async (ms, script) => {
          const links: ScriptedLink[] = []
          let hanging = 0
          const { aborted, clock, stop } = startWorker((virtual) => (dial) => {
            const says = script[dial % script.length]
            if (says === 'refused') return refused()
            if (says === 'hangs') {
              hanging += 1
              return 'hangs'
            }
            const link = masterLink(virtual)
            links.push(link)
            return link
          })
          for (let passedMs = 0; passedMs < ms; passedMs += 200) {
            await clock.advance(200)
            links.at(-1)?.lose(new ClusterError('linkLost'))
          }
          await stop()
          expect(aborted.count).toBe(hanging)
          expect(links.every((link) => !link.isOpen && link.served === 0)).toBe(true)
        },
      ),
      { numRuns: 40 },
    ))

  it('closes a link that opens only after it was stopped', async () => {
    let connect: () => void = () => {}
    const links: ScriptedLink[] = []
    const { clock, stop } = startWorker((virtual) => () => {
      const link = masterLink(virtual)
      links.push(link)
      return new Promise<Link>((resolve) => {
        connect = () => resolve(link)
      })
    })
    await clock.settle()
    await stop()
    connect()
    await clock.settle()
    expect(links[0]?.closedWith).toMatchObject({ reason: 'stopping' })
  })
})
