/** Agent info with a scripted master: what is sent when, and that nothing counts as sent before the master has said so. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { agentInfoSend } from '../../../src/actors/agents/agentInfo.js'
import { type ChildEvent, type Hosted, startHosted } from '../../../src/actors/kit/host.js'
import { ClusterError } from '../../../src/base/errors.js'
import { limits } from '../../../src/base/limits.js'
import { VirtualClock } from '../../../src/simulation/world/virtualClock.js'
import { decodeAgentBatch } from '../../../src/wire/muster/agentBatch.js'
import type { RequestBody } from '../../../src/wire/muster/messages.js'
import { localAgentsOver } from '../../support/agents/localAgentsOver.js'
import { recordingLog } from '../../support/recordingLog.js'
import { ScriptedLink } from '../../support/scriptedLink.js'

type Report = RequestBody<'agentInfo.report'>

/** The master's reply to the next batch: taken, another table by now, or no reply. */
type Reply = 'taken' | 'newTable' | 'lost'

const intervalMs = 10_000

const isReport = (body: unknown): body is Report => typeof body === 'object' && body !== null && 'batch' in body

/** A worker with the agents 1 to 5, and a master that gives `replies`, then takes everything. */
const startSender = async (replies: Reply[] = []) => {
  const clock = new VirtualClock()
  const log = recordingLog()
  const world = localAgentsOver(clock, 'worker', 'w1')
  world.writeKeys([1, 2, 3, 4, 5])
  /** By table: the newest report on each agent. */
  const tables = new Map<string, Map<number, string>>()
  let table = 'first'
  let batches = 0
  let endsOfRounds = 0
  const dialled = (): ScriptedLink => new ScriptedLink('master', async (_type, body) => (isReport(body) ? answer(body) : undefined))
  const answer = ({ batch, last, table: asked }: Report): unknown => {
    if (last && asked === table) endsOfRounds += 1
    if (batch.byteLength > 0 && asked === table) {
      const reply = replies.shift() ?? 'taken'
      if (reply === 'newTable') table = `${table}'`
      if (reply === 'lost') throw new ClusterError('linkLost')
      if (reply === 'taken') {
        batches += 1
        const decoded = decodeAgentBatch(batch, 'w1', clock.now())
        if (!decoded.ok) throw decoded.error
        const rows = tables.get(table) ?? new Map<number, string>()
        tables.set(table, rows)
        for (const { id, status } of decoded.value.updates.presences) rows.set(id, status)
      }
    }
    return { table, taken: 0, unknown: 0, refused: 0 }
  }
  const ends: ChildEvent[] = []
  const keeping = await world.keepTable()
  const logic = agentInfoSend({ agents: world.agents, clock, intervalMs, answerMsMax: 1_000 })
  const connect = (): Hosted => startHosted(logic, { clock, input: { link: dialled(), log }, onEnd: (event) => ends.push(event) })
  let thread = connect()
  return {
    clock,
    log,
    world,
    known: () => [...(tables.get(table) ?? [])].sort(),
    batches: () => batches,
    endsOfRounds: () => endsOfRounds,
    reconnect: () => {
      thread.stop()
      thread = connect()
    },
    measure: () => world.agents.clock.measure(clock.now(), clock.monotonicMs()),
    report: (id: number, kind: 'startup' | 'keepAlive') => settled(clock, world.agents.reports.add([{ id, kind }])),
    stop: async () => {
      thread.stop()
      keeping.stop()
      await world.agents.close()
      await clock.settle()
      expect(thread.timers + keeping.timers + clock.pending).toBe(0)
      expect(ends).toEqual([])
    },
  }
}

const settled = async <T>(clock: VirtualClock, promise: Promise<T>): Promise<T> => {
  await clock.advance(1)
  return promise
}

describe('agent info', () => {
  it('is sent at once when an agent connects and is active, and at the interval when it only stays alive', async () => {
    const { batches, clock, known, measure, report, stop } = await startSender()
    measure()
    await clock.advance(intervalMs + 100)
    await report(1, 'startup')
    await clock.advance(200)
    expect(known()).toEqual([[1, 'pending']])
    await report(1, 'keepAlive')
    await clock.advance(200)
    expect(known()).toEqual([[1, 'active']])
    const sent = batches()
    await report(1, 'keepAlive')
    await clock.advance(1_000)
    expect(batches()).toBe(sent)
    await clock.advance(intervalMs)
    expect(batches()).toBe(sent + 1)
    await stop()
  })

  it("waits until this node knows the master's time", async () => {
    const { clock, known, measure, report, stop } = await startSender()
    await report(1, 'startup')
    await clock.advance(3 * intervalMs)
    expect(known()).toEqual([])
    measure()
    await clock.advance(1_000)
    expect(known()).toEqual([[1, 'pending']])
    await stop()
  })

  it('is sent although the table was locked when the time was first known', async () => {
    const { clock, known, measure, report, stop, world } = await startSender()
    await report(1, 'startup')
    world.table.isLocked = true
    measure()
    await clock.advance(limits.agentTableLockedMsMax + 1_000)
    world.table.isLocked = false
    await clock.advance(3 * intervalMs)
    expect(known()).toEqual([[1, 'pending']])
    await stop()
  })

  it("reaches the master's current table, whatever is lost or recreated on the way", () =>
    fc.assert(
      fc.asyncProperty(
        fc.array(fc.constantFrom<Reply>('taken', 'newTable', 'lost'), { maxLength: 6 }),
        fc.array(fc.integer({ min: 1, max: 5 }), { minLength: 1, maxLength: 8 }),
        async (replies, ids) => {
          const { clock, known, measure, report, stop } = await startSender(replies)
          measure()
          for (const id of ids) {
            await report(id, 'startup')
            await clock.advance(100)
          }
          await clock.advance(10 * intervalMs)
          expect(known().map(([id]) => id)).toEqual([...new Set(ids)].sort())
          await stop()
        },
      ),
      { numRuns: 60 },
    ))

  it('is not sent again once it is acknowledged', async () => {
    const { batches, clock, measure, report, stop } = await startSender()
    measure()
    await report(1, 'startup')
    await clock.advance(200)
    expect(batches()).toBe(1)
    await clock.advance(5 * intervalMs)
    expect(batches()).toBe(1)
    await stop()
  })

  it('says again that nothing is new only after a minute or over a new link', async () => {
    const { clock, endsOfRounds, log, measure, reconnect, report, stop } = await startSender()
    measure()
    await clock.advance(55_000)
    expect(endsOfRounds()).toBe(1)
    expect(log.lines.filter((line) => line.includes('Updated 0 chunks.'))).toHaveLength(6)
    await clock.advance(15_000)
    expect(endsOfRounds()).toBe(2)
    reconnect()
    await clock.advance(20_000)
    expect(endsOfRounds()).toBe(3)
    await report(1, 'startup')
    await clock.advance(200)
    expect(endsOfRounds()).toBe(4)
    await stop()
  })
})
