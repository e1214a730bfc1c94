/** A master with the key that keeps a worker's threads busy: they rest between rounds, and take no more than can exist. */
import { describe, expect, it } from 'vitest'
import { agentGroupsApply } from '../../../src/actors/agents/agentGroups.js'
import { agentInfoSend } from '../../../src/actors/agents/agentInfo.js'
import { startHosted } from '../../../src/actors/kit/host.js'
import { VirtualClock } from '../../../src/simulation/world/virtualClock.js'
import { encodeGroupsRows } from '../../../src/wire/muster/groupsRows.js'
import type { RequestName } from '../../../src/wire/muster/messages.js'
import { localAgentsOver } from '../../support/agents/localAgentsOver.js'
import { recordingLog } from '../../support/recordingLog.js'
import { ScriptedLink } from '../../support/scriptedLink.js'

const intervalMs = 10_000

/** A worker with three agents, and what it asks a master with these answers. */
const workerOf = async (answer: (type: RequestName, asked: number) => unknown) => {
  const clock = new VirtualClock()
  const world = localAgentsOver(clock, 'worker', 'w1')
  world.writeKeys([1, 2, 3])
  const table = await world.keepTable()
  world.agents.clock.measure(clock.now(), clock.monotonicMs())
  const asked: RequestName[] = []
  const link: ScriptedLink = new ScriptedLink(
    'master',
    (type) =>
      new Promise((resolve) => {
        asked.push(type)
        const count = asked.length
        clock.setTimeout(() => resolve(answer(type, count)), 0.2)
      }),
  )
  const log = recordingLog()
  const stop = async (): Promise<void> => {
    table.stop()
    await world.agents.close()
  }
  return { asked, clock, link, log, stop, world }
}

describe('a master that lies', () => {
  it('and names another table each time is asked a few times in an interval, whatever updates there are', async () => {
    const { asked, clock, link, log, stop, world } = await workerOf((_type, count) => ({
      table: `t${count}`,
      taken: 0,
      unknown: 0,
      refused: 0,
    }))
    const logic = agentInfoSend({ agents: world.agents, clock, intervalMs, answerMsMax: 1_000 })
    const thread = startHosted(logic, { clock, input: { link, log }, onEnd: () => undefined })
    for (let second = 0; second < 60; second++) {
      void world.agents.reports.add([{ id: 1 + (second % 3), kind: 'startup' }])
      await clock.advance(1_000)
    }
    expect(asked.length).toBeGreaterThan(5)
    expect(asked.length).toBeLessThan(8 * 10)
    expect(log.lines.filter((line) => line.startsWith('error')).length).toBeLessThan(8)
    thread.stop()
    await stop()
  })

  it.each([
    ['without rows', (page: number) => ({ ids: [], next: page + 1 })],
    ['of the same agents', (page: number) => ({ ids: [1, 2, 3], next: page + 3 })],
    ['that go back', (page: number) => ({ ids: [1_000_000 - page], next: 1_000_000 - page })],
    ['that promise more than they have', (page: number) => ({ ids: [page], next: page + 5 })],
  ])('and sends pages of groups without end, %s, is asked a few times in an interval', async (_what, pageOf) => {
    const state = { table: 'of the master', version: 7, hash: 'no hash', ids: '' }
    let page = 0
    const { asked, clock, link, log, stop, world } = await workerOf((type) => {
      if (type !== 'agentGroups.fetch') return state
      page += 1
      const { ids, next } = pageOf(page)
      return { ...state, rows: encodeGroupsRows(ids.map((id) => ({ id, groups: ['default'] }))), next }
    })
    const logic = agentGroupsApply({
      agents: world.agents,
      clock,
      intervalMs,
      keysMsMax: 1_000,
      mismatchesMax: 3,
      requestMsMax: 1_000,
    })
    const thread = startHosted(logic, { clock, input: { link, log }, onEnd: () => undefined })
    for (let second = 0; second < 60; second++) {
      link.receiveNotice('agentGroups.state', { ...state, version: 7 + second })
      await clock.advance(1_000)
    }
    expect(asked.length).toBeLessThan(8 * 4)
    expect(log.lines.join('\n')).toContain('pages of groups')
    thread.stop()
    await stop()
  })
})
