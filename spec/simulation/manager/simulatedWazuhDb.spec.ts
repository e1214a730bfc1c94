/** The simulated wazuh-db: what its neighbours write, what is taken of it, what a kill takes back, and how it fails. */
import { describe, expect, it } from 'vitest'
import { SimulatedWazuhDb, type SimulatedWazuhDbOptions } from '../../../src/simulation/manager/simulatedWazuhDb.js'
import { VirtualClock } from '../../../src/simulation/world/virtualClock.js'
import { codeOf } from '../../../src/testing/compliance/complianceCase.js'
import { readTakenStates } from '../../../src/wire/wazuh/agentStates.js'
import { settledIn } from '../../support/settledIn.js'

const going = new AbortController().signal

const started = (options: Partial<SimulatedWazuhDbOptions> = {}) => {
  const clock = new VirtualClock()
  const db = new SimulatedWazuhDb({ clock, role: 'worker', nodeName: 'w1', ...options })
  const port = db.port(clock)
  const settle = settledIn(clock)
  const taken = async () => {
    const answer = await settle(port.takeStates(going))
    if (!answer) return undefined
    const read = readTakenStates(answer.text)
    if (!read.ok) throw read.error
    expect(read.value.dropped).toBe(0)
    return read.value.states
  }
  return { clock, db, port, settle, taken }
}

describe('the simulated wazuh-db', () => {
  it('has the strongest wish of an agent taken, once', async () => {
    const { db, taken } = started()
    for (const id of [1, 2, 3, 4]) db.insertAgent(id, `a${id}`)
    db.agentStarts(1)
    db.agentSendsKeepAlive(1)
    db.agentStops(1)
    db.agentSendsKeepAlive(2)
    db.agentStarts(3)
    const states = await taken()
    expect(states?.syncreq.map(({ id }) => id)).toEqual([1])
    expect(states?.syncreq[0]).toMatchObject({ connection_status: 'disconnected', node_name: 'w1' })
    expect(states?.syncreq_keepalive).toEqual([{ id: 2 }])
    expect(states?.syncreq_status).toMatchObject([{ id: 3, connection_status: 'pending' }])
    expect(await taken()).toBeUndefined()
  })

  it('has whole rows taken of a version before 4.13, and nothing of a master', async () => {
    const old = started({ isOld: true })
    old.db.insertAgent(1, 'a1')
    old.db.agentSendsKeepAlive(1)
    expect(await old.taken()).toMatchObject({ syncreq: [{ id: 1, name: 'a1', connection_status: 'active' }], syncreq_keepalive: [] })
    const master = started({ role: 'master' })
    master.db.insertAgent(1, 'a1')
    master.db.agentSendsKeepAlive(1)
    expect(await master.taken()).toBeUndefined()
  })

  it('loses by a kill what it answered until ten quiet seconds, or a minute, had passed', async () => {
    const { clock, db, port, settle } = started()
    db.insertAgent(1, 'a1')
    await clock.advance(9_000)
    db.kill()
    expect(db.agents()).toEqual([])
    db.start()
    db.insertAgent(2, 'a2')
    for (let second = 0; second < 61; second++) {
      await clock.advance(1_000)
      await settle(port.groupsHash(going))
    }
    db.insertAgent(3, 'a3')
    db.kill()
    expect(db.agents().map(({ id }) => id)).toEqual([2])
    expect(db.insertAgent(4, 'a4')).toBe(false)
  })

  it('fails while it is down or silent, and refuses what it is set to refuse', async () => {
    const { db, port, settle } = started({ role: 'master' })
    db.insertAgent(1, 'a1')
    db.insertAgent(2, 'a2')
    db.stop()
    expect(await settle(codeOf(port.agents(0, going)))).toBe('managerFailed')
    db.start()
    db.isSilent = true
    expect(await settle(codeOf(port.agents(0, going)))).toBe('managerFailed')
    db.heal()
    db.refused.add(2)
    const row = (id: number) => ({ id, name: 'new', connection_status: 'active', group_config_status: 'synced' }) as const
    const states = { syncreq: [row(1), row(2)], syncreq_keepalive: [{ id: 1, version: 'not reached' }], syncreq_status: [] }
    expect(await settle(codeOf(port.giveStates(states, going)))).toBe('managerRefused')
    expect(db.agents().map(({ name }) => name)).toEqual(['new', 'a2'])
    expect(db.agents()[0]).not.toHaveProperty('version')
  })

  it('leaves to a worker what groups are known, and says that others are not', async () => {
    const { db, port, settle } = started()
    db.insertGroup('default')
    const set = (groups: readonly string[]) => settle(codeOf(port.setGroups([{ id: 1, name: 'a1', groups }], going)))
    expect(await set(['later'])).toBe('managerRefused')
    expect(db.agents()).toEqual([])
    expect(await set(['default', 'later'])).toBe('managerRefused')
    db.insertGroup('later')
    expect(await set(['default', 'later'])).toBe('none')
    expect(await settle(port.groups(0, going))).toEqual({
      rows: [{ id: 1, name: 'a1', groups: ['default', 'later'] }],
      hash: db.groupsHash(),
      isMore: false,
    })
  })
})
