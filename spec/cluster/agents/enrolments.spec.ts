/** Agents enrol at any node, again when the answer is lost, and in place of others: what the master decides outlives its crashes. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { asClusterError } from '../../../src/base/errors.js'
import type { EnrolmentRequest } from '../../../src/domain/agents/enrolmentRequest.js'
import type { KeyEntry } from '../../../src/domain/agents/keyEntry.js'
import { defaultEnrolmentRules, type EnrolmentRules, keyHashOf } from '../../../src/domain/agents/replacement.js'
import { SimulatedCluster } from '../../../src/simulation/cluster.js'
import { keysPath } from '../../../src/simulation/simulatedAgents.js'
import { runs } from '../../support/runs.js'

const { signal } = new AbortController()
const minuteMs = 60_000
/** In place of an hour, which would be long to simulate. */
const forceMs = 2 * minuteMs
const rulesOf = (purge: boolean): EnrolmentRules => ({
  force: { ...defaultEnrolmentRules.force, disconnectedMs: forceMs, afterRegistrationMs: forceMs },
  purge,
})
let keys = 0
/** Each request has a key of its own, as the node that was asked makes it. */
const nextKey = (): string => String(++keys).padStart(64, '0')

const requestOf = (name: string, more: Partial<EnrolmentRequest> = {}): EnrolmentRequest => ({
  ...{ name, ip: 'any', groups: [], source: '10.0.0.1', key: nextKey() },
  ...more,
})

class EnrolledCluster {
  readonly cluster: SimulatedCluster

  constructor(purge = false, nodes = 2) {
    this.cluster = new SimulatedCluster({ seed: 1, nodes, timings: { agentGroupStartDelayMs: 0 }, enrolmentRules: rulesOf(purge) })
  }

  async start(): Promise<this> {
    this.cluster.startAll()
    await this.cluster.clock.advance(10_000)
    return this
  }

  /** Undefined: nobody is there to ask, or it went away. */
  ask(node: string, request: EnrolmentRequest): Promise<KeyEntry | string | undefined> {
    const { running } = this.cluster.node(node)
    if (!running) return Promise.resolve(undefined)
    return running.agentOperations.enrol(request, signal).catch((thrown: unknown) => {
      const { code, message } = asClusterError(thrown)
      return code === 'duplicateAgentName' || code === 'duplicateAgentIp' ? message : code
    })
  }

  async enrol(node: string, request: EnrolmentRequest): Promise<KeyEntry | string | undefined> {
    let answer: KeyEntry | string | undefined
    void this.ask(node, request).then((given) => {
      answer = given
    })
    await this.cluster.clock.advance(2_000)
    return answer
  }

  lines(node = 'master'): string[] {
    const { files } = this.cluster.treeOf(node)
    if (!files.has(keysPath)) return []
    const content = this.cluster.node(node).disk.contentOf(this.cluster.absolute(keysPath)).toString()
    return content.split('\n').filter((line) => line !== '')
  }

  names(node = 'master'): string[] {
    return this.lines(node).map((line) => line.split(' ').slice(0, 2).join(' '))
  }
}

const idOf = (answer: KeyEntry | string | undefined): number | string | undefined => (typeof answer === 'object' ? answer.id : answer)

describe('an agent that enrols', () => {
  it('gets the same registration and groups within a minute, wherever it asks and whatever was killed', async () => {
    const here = await new EnrolledCluster().start()
    here.cluster.master.running?.agentOperations.createGroup('web', signal).catch(() => undefined)
    await here.cluster.clock.advance(2_000)
    const first = await here.enrol('w1', requestOf('web-1', { groups: ['web'] }))
    expect(first).toMatchObject({ id: 1, name: 'web-1' })
    here.cluster.crash('master', 'power')
    here.cluster.start('master')
    await here.cluster.clock.advance(20_000)
    expect(await here.enrol('master', requestOf('web-1', { groups: ['web'] }))).toEqual(first)
    expect(here.cluster.master.agentTable.list({}, 0)).toMatchObject([{ id: 1, groups: ['web'] }])
    // Somebody else is not the same.
    expect(await here.enrol('master', requestOf('web-1', { source: '10.0.0.2' }))).toMatch(/^Duplicate name 'web-1'.*registration time/)
    expect(await here.enrol('w1', requestOf('web-1', { keyHash: 'a'.repeat(40) }))).toMatch(/^Duplicate name/)
    await here.cluster.clock.advance(minuteMs)
    expect(await here.enrol('w1', requestOf('web-1', { groups: ['web'] }))).toMatch(/^Duplicate name/)
    expect(here.names()).toEqual(['001 web-1'])
  })

  it('is no orphan, at whatever instant of its enrolment the master is killed', async () => {
    const outcomes = new Set<string>()
    for (let afterMs = 0; afterMs < 1.5; afterMs += 0.1) {
      const here = await new EnrolledCluster(false, 1).start()
      const { clock } = here.cluster
      void here.ask('master', requestOf('web-1'))
      await clock.advance(afterMs)
      const wasWritten = here.lines().length > 0
      const wasInTable = here.cluster.master.agentTable.highestId() > 0
      outcomes.add(`${wasWritten} ${wasInTable}`)
      here.cluster.crash('master', 'process')
      here.cluster.start('master')
      await clock.advance(10_000)
      expect(await here.enrol('master', requestOf('web-1'))).toMatchObject({ name: 'web-1' })
      expect(here.names()).toEqual(['001 web-1'])
    }
    // Before it is in client.keys, between that and the table, and after.
    expect([...outcomes]).toEqual(['false false', 'true false', 'true true'])
  })

  it('gets nothing of it once an agent connected with the key', async () => {
    const here = await new EnrolledCluster().start()
    await here.enrol('master', requestOf('web-1'))
    here.cluster.master.running?.agentOperations.report([{ id: 1, kind: 'startup' }]).catch(() => undefined)
    await here.cluster.clock.advance(1_000)
    expect(await here.enrol('master', requestOf('web-1'))).toMatch(/^Duplicate name 'web-1'.*not disconnected/)
  })

  it.each([
    { purge: false, left: ['001 !web-1', '002 other', '003 web-1'] },
    { purge: true, left: ['002 other', '003 web-1'] },
  ])('replaces one that may go with a new ID, in one new file everywhere: purge $purge', async ({ left, purge }) => {
    const here = await new EnrolledCluster(purge).start()
    await here.enrol('master', requestOf('web-1'))
    await here.enrol('w1', requestOf('other'))
    await here.cluster.clock.advance(forceMs)
    const [old] = here.cluster.nodes.map(({ agentTable }) => agentTable.list({}, 0)[0])
    expect(old).toMatchObject({ id: 1, name: 'web-1' })
    expect(idOf(await here.enrol('w1', requestOf('web-1', { keyHash: 'b'.repeat(40) })))).toBe(3)
    expect(here.names()).toEqual(left)
    await here.cluster.clock.advance(1_000)
    expect(here.names('w1')).toEqual(left)
    for (const { agentTable } of here.cluster.nodes) expect(agentTable.list({}, 0).map(({ id }) => id)).toEqual([2, 3])
    // The file goes on being changed.
    expect(idOf(await here.enrol('w1', requestOf('next')))).toBe(4)
    expect(here.cluster.trace.lines().some((line) => line.includes("Duplicate name. Removing old agent 'web-1' (id '001')."))).toBe(true)
  })

  it('replaces the agent with its address and the agent with its name, both or neither', async () => {
    const here = await new EnrolledCluster().start()
    await here.enrol('master', requestOf('at-ip', { ip: '10.4.4.4' }))
    await here.cluster.clock.advance(forceMs)
    await here.enrol('master', requestOf('namesake', { ip: '10.4.4.5' }))
    expect(await here.enrol('w1', requestOf('namesake', { ip: '10.4.4.4', source: '10.9.9.9' }))).toMatch(
      /^Duplicate name 'namesake', rejecting enrollment. Agent '002'/,
    )
    expect(await here.enrol('w1', requestOf('third', { ip: '10.4.4.5' }))).toMatch(/^Duplicate IP '10.4.4.5', rejecting enrollment/)
    expect(here.names()).toEqual(['001 at-ip', '002 namesake'])
    await here.cluster.clock.advance(forceMs)
    expect(idOf(await here.enrol('w1', requestOf('namesake', { ip: '10.4.4.4' })))).toBe(3)
    expect(here.names()).toEqual(['001 !at-ip', '002 !namesake', '003 namesake'])
  })

  it('of many at once, also of one name, each name is registered once, and each agent is answered with it', async () => {
    const here = await new EnrolledCluster().start()
    const asking = Array.from({ length: 40 }, (_, index) => here.ask(index % 2 ? 'w1' : 'master', requestOf(`agent-${index % 20}`)))
    await here.cluster.clock.advance(2_000)
    const answers = await Promise.all(asking)
    expect(new Set(answers.map(idOf)).size).toBe(20)
    expect(answers.slice(20)).toEqual(answers.slice(0, 20))
    expect(here.names()).toHaveLength(20)
  })

  it('shows its old key by a hash, and then keeps its registration', async () => {
    const here = await new EnrolledCluster().start()
    const first = await here.enrol('master', requestOf('web-1'))
    await here.cluster.clock.advance(forceMs)
    const keyHash = typeof first === 'object' ? keyHashOf(first) : ''
    expect(await here.enrol('master', requestOf('web-1', { keyHash }))).toMatch(/^Duplicate name.*key already exists on the manager/)
  })
})

// ------------------------------------------------------------------------------------- whatever happens, in any order

type Step =
  | { readonly kind: 'enrol' | 'retry'; readonly at: string; readonly agent: number; readonly isLost: boolean }
  | { readonly kind: 'remove'; readonly index: number }
  | { readonly kind: 'crash'; readonly what: 'process' | 'power'; readonly inMs: number }
  | { readonly kind: 'wait'; readonly ms: number }

const steps: fc.Arbitrary<Step[]> = fc.array(
  fc.oneof(
    {
      weight: 5,
      arbitrary: fc.record({
        kind: fc.constantFrom('enrol' as const, 'retry' as const),
        at: fc.constantFrom('master', 'w1'),
        agent: fc.nat({ max: 3 }),
        isLost: fc.boolean(),
      }),
    },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('remove' as const), index: fc.nat({ max: 5 }) }) },
    {
      weight: 2,
      arbitrary: fc.record({
        kind: fc.constant('crash' as const),
        what: fc.constantFrom('process' as const, 'power' as const),
        inMs: fc.integer({ min: 0, max: 40 }).map((tenths) => tenths / 10),
      }),
    },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('wait' as const), ms: fc.constantFrom(50, 5_000, 2 * forceMs) }) },
  ),
  { maxLength: 25, size: 'max' },
)

describe('any series of enrolments, retries, removals and crashes', () => {
  it('leaves one life a name, keeps what was answered, repeats it within a minute, gives no ID twice', async () => {
    await fc.assert(
      fc.asyncProperty(steps, fc.boolean(), async (series, purge) => {
        const here = await new EnrolledCluster(purge).start()
        const { clock } = here.cluster
        /** By the agent's name, what the master was seen to say last and when. */
        const answered = new Map<string, { readonly entry: KeyEntry; readonly atMs: number }>()
        const namesOfIds = new Map<number, string>()
        const wrong: string[] = []
        const take = (name: string, entry: KeyEntry): void => {
          const before = answered.get(name)
          const owner = namesOfIds.get(entry.id) ?? name
          if (owner !== name) wrong.push(`${entry.id} was ${owner}, and is ${name}`)
          if (before && clock.now() - before.atMs < minuteMs - 5_000 && before.entry.id !== entry.id)
            wrong.push(`${name} got ${entry.id} after ${before.entry.id}`)
          if (before?.entry.id === entry.id && before.entry.key !== entry.key) wrong.push(`${name} got another key`)
          namesOfIds.set(entry.id, name)
          if (before?.entry.id !== entry.id) answered.set(name, { entry, atMs: clock.now() })
          if (!here.lines().some((line) => line.includes(` ${name} any ${entry.key}`))) wrong.push(`${name} is not in client.keys`)
        }
        /** Asked, and not answered because of a crash: it may have replaced the one that was answered, and gets that when it asks again. */
        const undecided = new Set<string>()
        /** When it was last seen to be in no client.keys: registered only after that, it cannot be refused for a minute. */
        const absentAtMs = new Map<string, number>()
        const refuse = (name: string, answer: string): void => {
          if (!answer.startsWith('Duplicate')) return
          if (clock.now() - (absentAtMs.get(name) ?? 0) < minuteMs - 20_000) wrong.push(`${name} is an orphan: ${answer}`)
        }
        for (const step of series) {
          const present = new Set(here.names().map((line) => line.split(' ')[1]))
          for (const name of ['agent-0', 'agent-1', 'agent-2', 'agent-3']) if (!present.has(name)) absentAtMs.set(name, clock.now())
          if (step.kind === 'wait') await clock.advance(step.ms)
          if (step.kind === 'remove') {
            const [name, { entry } = { entry: undefined }] = [...answered][step.index] ?? []
            if (name === undefined || !entry) continue
            // Nobody asks for it any more.
            await clock.advance(10_000)
            answered.delete(name)
            here.cluster.master.running?.agentOperations.remove(entry.id, signal).catch(() => undefined)
            await clock.advance(10_000)
          }
          if (step.kind === 'crash') {
            await clock.advance(step.inMs)
            here.cluster.crash('master', step.what)
            here.cluster.start('master')
          }
          if (step.kind === 'enrol' || step.kind === 'retry') {
            const name = `agent-${step.agent}`
            undecided.add(name)
            const asking = here.ask(step.at, requestOf(name, { source: `10.0.0.${step.agent}` }))
            void asking.then((answer) => {
              // What was lost on the way to the agent was decided all the same.
              if (typeof answer === 'object' || answer?.startsWith('Duplicate')) undecided.delete(name)
              if (typeof answer === 'object') take(name, answer)
              else refuse(name, answer ?? '')
            })
            if (!step.isLost) await clock.advance(10_000)
          }
        }
        await clock.advance(60_000)
        const live = here.names().filter((line) => !line.includes('!'))
        expect(new Set(live.map((line) => line.split(' ')[1])).size).toBe(live.length)
        const ids = here.names().map((line) => line.split(' ')[0])
        expect(new Set(ids).size).toBe(ids.length)
        for (const [name, { entry }] of answered) {
          const wanted = undecided.has(name) ? ` ${name} any ` : ` ${name} any ${entry.key}`
          if (!here.lines().some((line) => line.includes(wanted))) wrong.push(`${name} vanished`)
        }
        expect(wrong).toEqual([])
        await here.cluster.stopAll()
        expect(here.cluster.violations).toEqual([])
      }),
      { numRuns: runs(15), interruptAfterTimeLimit: 50_000 },
    )
  })
})
