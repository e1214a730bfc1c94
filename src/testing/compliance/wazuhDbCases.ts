/** The suite for the WazuhDb port: what the actors rely on, of a wazuh-db from 4.13 or before it, or of the simulated one. */
import assert from 'node:assert/strict'
import { limits } from '../../base/limits.js'
import type { WazuhAgent, WazuhGroupsRow, WazuhStates } from '../../domain/manager/wazuhAgent.js'
import type { WazuhDb } from '../../ports/manager.js'
import { readTakenStates } from '../../wire/wazuh/agentStates.js'
import { assertHas, type ComplianceCase, casesOf, codeOf } from './complianceCase.js'

/** What else happens to a wazuh-db: by the other daemons of its manager, and by its operator. */
export interface WazuhDbSurroundings {
  /** wazuh-authd on a master, wazuh-modulesd on a worker. */
  insertAgent(id: number, name: string): void
  deleteAgent(id: number): void
  /** wazuh-modulesd. */
  insertGroup(name: string): void
  /** An operator of a master. */
  assignGroups(id: number, groups: readonly string[]): void
  /** wazuh-remoted. Details are columns of the agent's row. */
  agentStarts(id: number): void
  agentSendsKeepAlive(id: number, details?: Partial<WazuhAgent>): void
  agentStops(id: number): void
  remotedStarts(): void
  /** As services end: everything is kept. */
  stop(): void | Promise<void>
  /** What was not committed, which is all of the last seconds, is lost. */
  kill(): void | Promise<void>
  start(): void | Promise<void>
}

export interface WazuhDbSuite {
  readonly db: WazuhDb
  readonly surroundings: WazuhDbSurroundings
  /** Waits for a call; one in virtual time lets the time pass meanwhile. */
  readonly settle: <T>(call: Promise<T>) => Promise<T>
  readonly dispose: () => Promise<void>
}

export interface WazuhDbSuiteOptions {
  readonly role: 'master' | 'worker'
  /** Of the manager. */
  readonly nodeName: string
}

const going = new AbortController().signal
const nodeName = 'w1'
const noStates: WazuhStates = { syncreq: [], syncreq_keepalive: [], syncreq_status: [] }

/** A full row with what wazuh-db cannot do without. */
const row = (id: number, more: Partial<WazuhAgent> = {}): WazuhAgent => ({
  ...{ id, name: `a${id}`, connection_status: 'active', group_config_status: 'synced' },
  ...more,
})

const idsOf = (rows: readonly { readonly id: number }[]): readonly number[] => rows.map(({ id }) => id)

const worker: Readonly<Record<string, (use: Used) => Promise<void>>> = {
  'gives what became of its agents once, and then nothing until something does': async (use) => {
    use.insertAgents(3)
    assert.equal(await use.settle(use.db.takeStates(going)), undefined)
    use.around.agentStarts(1)
    use.around.agentSendsKeepAlive(1, { version: 'Wazuh v4.14.7' })
    use.around.agentSendsKeepAlive(2)
    const taken = await use.taken()
    assert.deepEqual([...new Set(taken.all)].sort(), [1, 2])
    assertHas(taken.states.syncreq[0] ?? {}, {
      id: 1,
      name: 'a1',
      version: 'Wazuh v4.14.7',
      connection_status: 'active',
      node_name: nodeName,
    })
    assert.equal(await use.settle(use.db.takeStates(going)), undefined)
    use.around.agentStops(3)
    assert.deepEqual((await use.taken()).all, [3])
  },

  'gives whole rows with their labels, and says what it cannot say of the others': async (use) => {
    use.insertAgents(1)
    use.around.agentStarts(1)
    const labels = [
      { key: '"!hidden"', value: 'näh "q"' },
      { key: '"rack"', value: 'r1' },
    ]
    const facts = {
      version: 'Wazuh v4.14.7',
      os_name: 'Debian',
      os_uname: 'Linux |a |6.1',
      config_sum: 'c',
      merged_sum: 'm',
      ip: '10.0.0.1',
    }
    use.around.agentSendsKeepAlive(1, { ...facts, labels })
    const [agent] = (await use.taken()).states.syncreq
    assertHas(agent ?? {}, { ...facts, labels, connection_status: 'active', group_config_status: 'synced' })
    assert.ok((agent?.last_keepalive ?? 0) > 1_700_000_000, 'it says when')
  },

  'gives every agent of many, each once': async (use) => {
    use.insertAgents(700)
    for (let id = 1; id <= 700; id++) use.around.agentSendsKeepAlive(id, { version: 'v', os_uname: 'u'.repeat(200) })
    assert.deepEqual(
      [...(await use.taken()).all].sort((a, b) => a - b),
      use.ids(700),
    )
  },

  'says nothing to the master when wazuh-remoted starts': async (use) => {
    use.insertAgents(1)
    use.around.agentSendsKeepAlive(1)
    await use.taken()
    use.around.remotedStarts()
    assert.equal(await use.settle(use.db.takeStates(going)), undefined)
    assertHas((await use.agents())[0] ?? {}, { id: 1, connection_status: 'disconnected' })
  },

  'takes groups of agents that it knows, and says when a group is not there yet': async (use) => {
    use.insertAgents(3)
    use.around.insertGroup('default')
    const rows = [use.groups(1, 'default', 'later'), use.groups(2, 'later'), use.groups(3, 'default')]
    assert.equal(await use.settle(codeOf(use.db.setGroups(rows, going))), 'managerRefused')
    assert.deepEqual(await use.groupsOf(), [use.groups(1, 'default'), use.groups(2), use.groups(3, 'default')])
    use.around.insertGroup('later')
    await use.settle(use.db.setGroups(rows, going))
    assert.deepEqual(await use.groupsOf(), rows)
    await use.settle(use.db.setGroups([use.groups(1), use.groups(2, 'default', 'later')], going))
    assert.deepEqual(await use.groupsOf(), [use.groups(1), use.groups(2, 'default', 'later'), use.groups(3, 'default')])
    assert.deepEqual((await use.settle(use.db.takeGroups(going))).rows, [])
  },

  'makes the row of an agent that it does not know by its groups': async (use) => {
    use.around.insertGroup('web')
    await use.settle(use.db.setGroups([{ id: 7, name: 'seven', groups: ['web'] }, use.groups(8)], going))
    assert.deepEqual(
      (await use.agents()).map(({ id, name, connection_status }) => ({ id, name, connection_status })),
      [{ id: 7, name: 'seven', connection_status: 'never_connected' }],
    )
    // SHA-1 of 4b5e57f6, with which the SHA-256 of "web" begins.
    assert.equal(await use.settle(use.db.groupsHash(going)), 'aa3281d67632c78f193f38f001ef955066572b4a')
  },

  'refuses to send groups that do not fit into a request': async (use) => {
    const rows = Array.from({ length: 1_000 }, (_, index) => use.groups(index + 1, 'x'.repeat(100)))
    assert.equal(await use.settle(codeOf(use.db.setGroups(rows, going))), 'tooLarge')
    assert.deepEqual(await use.agents(), [])
  },
}

const master: Readonly<Record<string, (use: Used) => Promise<void>>> = {
  'takes whole rows, which overwrite every column, and leaves out agents that it does not know': async (use) => {
    use.insertAgents(2)
    const labels = [{ key: 'rack', value: 'r1' }]
    const whole = row(1, { ip: '10.0.0.1', os_name: 'Debian', version: 'v', node_name: 'w2', last_keepalive: 1_700_000_001, labels })
    await use.give({ syncreq: [whole, row(99)] })
    assertHas((await use.agents())[0] ?? {}, whole)
    await use.give({ syncreq: [row(1)] })
    const [after] = await use.agents()
    assertHas(after ?? {}, { name: 'a1', ip: undefined, os_name: undefined, version: undefined, labels: undefined })
    assert.deepEqual(idsOf(await use.agents()), [1, 2])
    assert.equal(await use.settle(use.db.takeStates(going)), undefined)
  },

  'takes keep-alives as of now, and statuses last': async (use) => {
    use.insertAgents(3)
    await use.give({
      syncreq: [row(3, { connection_status: 'disconnected' })],
      syncreq_keepalive: [{ id: 1, version: 'v' }, { id: 3 }, { id: 99 }],
      syncreq_status: [
        { id: 2, connection_status: 'disconnected', disconnection_time: 1_700_000_000, status_code: 4, version: 'v' },
        { id: 3, connection_status: 'pending', disconnection_time: 0, status_code: 0 },
        { id: 99, connection_status: 'active' },
      ],
    })
    const [first, second, third, ...others] = await use.settle(use.db.presencesOf([1, 2, 3, 99], going))
    assertHas(first ?? {}, { id: 1, connection_status: 'active' })
    assert.ok((first?.last_keepalive ?? 0) > 1_700_000_000, 'a keep-alive counts as of now')
    assertHas(second ?? {}, { id: 2, connection_status: 'disconnected' })
    assertHas(third ?? {}, { id: 3, connection_status: 'pending' })
    assert.deepEqual(others, [])
  },

  'refuses at the first row that breaks a rule: those ahead of it are written, those after it are not': async (use) => {
    use.insertAgents(3)
    // Not an existing status.
    const wrong = { ...row(2, { version: 'new' }), connection_status: 'gone' } as unknown as WazuhAgent
    const states = { ...noStates, syncreq: [row(1, { version: 'new' }), wrong, row(3, { version: 'new' })] }
    assert.equal(await use.settle(codeOf(use.db.giveStates(states, going))), 'managerRefused')
    assert.deepEqual(
      (await use.agents()).map(({ version }) => version),
      ['new', undefined, undefined],
    )
    await use.give({ syncreq: [row(3, { version: 'newer' })] })
    assertHas((await use.agents())[2] ?? {}, { version: 'newer' })
  },

  'refuses to send more rows, or more bytes, than a request may have': async (use) => {
    use.insertAgents(1)
    const tooMany = Array.from({ length: limits.wazuhDbRowsMax + 1 }, (_, index) => ({ id: index + 1 }))
    const tooLong = Array.from({ length: 200 }, (_, index) => row(index + 1, { os_uname: 'u'.repeat(400) }))
    assert.equal(await use.settle(codeOf(use.db.giveStates({ ...noStates, syncreq_keepalive: tooMany }, going))), 'tooLarge')
    assert.equal(await use.settle(codeOf(use.db.giveStates({ ...noStates, syncreq: tooLong }, going))), 'tooLarge')
    assertHas((await use.agents())[0] ?? {}, { os_uname: undefined })
  },

  'says where agents are, in order, as far as they are there': async (use) => {
    use.insertAgents(600)
    await use.give({ syncreq: [row(2, { node_name: 'w2', last_keepalive: 1_700_000_002 })] })
    const asked = [600, 0, 601, 2, 2, 5]
    const found = await use.settle(use.db.presencesOf(asked, going))
    assert.deepEqual(idsOf(found), [2, 5, 600])
    assertHas(found[0] ?? {}, { node_name: 'w2', last_keepalive: 1_700_000_002, connection_status: 'active' })
    assertHas(found[1] ?? {}, { connection_status: 'never_connected' })
    assert.deepEqual(await use.settle(use.db.presencesOf([], going)), [])
    assert.equal((await use.settle(use.db.presencesOf(use.ids(limits.wazuhDbPresencesMax), going))).length, limits.wazuhDbPresencesMax)
    const tooMany = use.db.presencesOf(use.ids(limits.wazuhDbPresencesMax + 1), going)
    assert.equal(await use.settle(codeOf(tooMany)), 'tooLarge')
  },

  'shows all agents in pages, in order, with their labels, however long the rows are': async (use) => {
    use.insertAgents(300)
    const labels = Array.from({ length: 10 }, (_, index) => ({ key: `k${index}`, value: 'v'.repeat(100) }))
    for (let id = 101; id <= 200; id += 20)
      await use.give({ syncreq: Array.from({ length: 20 }, (_, index) => row(id + index, { os_uname: 'u'.repeat(800), labels })) })
    const agents = await use.agents()
    assert.deepEqual(idsOf(agents), use.ids(300))
    assertHas(agents[150] ?? {}, { name: 'a151', os_uname: 'u'.repeat(800), labels })
    assertHas(agents[0] ?? {}, { name: 'a1', connection_status: 'never_connected', labels: undefined })
    assert.deepEqual(await use.settle(use.db.agents(300, going)), [])
  },

  'counts the active agents of each node, and not the manager itself': async (use) => {
    use.insertAgents(6)
    assert.deepEqual(await use.settle(use.db.activeAgents(going)), new Map())
    const at = (id: number, node_name: string, more: Partial<WazuhAgent> = {}) => row(id, { node_name, ...more })
    await use.give({ syncreq: [at(1, 'w1'), at(2, "o'w"), at(3, 'w1'), at(4, 'w1', { connection_status: 'disconnected' })] })
    assert.deepEqual(
      new Map(await use.settle(use.db.activeAgents(going))),
      new Map([
        ["o'w", 1],
        ['w1', 2],
      ]),
    )
  },

  'gives the groups that changed once, with their hash, and those that were taken away': async (use) => {
    use.insertAgents(3)
    for (const name of ['default', 'web']) use.around.insertGroup(name)
    assert.deepEqual(await use.settle(use.db.takeGroups(going)), { rows: [], isMore: false })
    assert.equal(await use.settle(use.db.groupsHash(going)), undefined)
    use.around.assignGroups(1, ['default', 'web'])
    use.around.assignGroups(3, ['web'])
    const taken = await use.settle(use.db.takeGroups(going))
    assert.deepEqual(taken.rows, [use.groups(1, 'default', 'web'), use.groups(3, 'web')])
    assert.equal(taken.hash, await use.settle(use.db.groupsHash(going)))
    assert.deepEqual((await use.settle(use.db.takeGroups(going))).rows, [])
    use.around.assignGroups(1, [])
    assert.deepEqual((await use.settle(use.db.takeGroups(going))).rows, [use.groups(1)])
    assert.deepEqual(await use.groupsOf(), [use.groups(1), use.groups(2), use.groups(3, 'web')])
    assert.deepEqual((await use.settle(use.db.groups(2, going))).rows, [use.groups(3, 'web')])
  },

  'gives the groups of many agents in pages, each row once': async (use) => {
    const groups = Array.from({ length: 20 }, (_, index) => `group-with-a-long-name-${index}`)
    use.insertAgents(400)
    for (const name of groups) use.around.insertGroup(name)
    for (let id = 1; id <= 400; id++) use.around.assignGroups(id, groups)
    assert.deepEqual(idsOf(await use.groupsOf()), use.ids(400))
    const taken: WazuhGroupsRow[] = []
    for (;;) {
      const page = await use.settle(use.db.takeGroups(going))
      taken.push(...page.rows)
      assert.equal(page.hash === undefined, page.isMore)
      if (!page.isMore) break
    }
    assert.deepEqual(idsOf(taken), use.ids(400))
    const before = await use.settle(use.db.groupsHash(going))
    await use.settle(use.db.recalculateGroups(going))
    assert.equal(await use.settle(use.db.groupsHash(going)), before)
  },
}

const both: Readonly<Record<string, (use: Used) => Promise<void>>> = {
  'fails while it is down, and works when it is up again': async (use) => {
    use.insertAgents(1)
    await use.around.stop()
    assert.equal(await use.settle(codeOf(use.db.takeStates(going))), 'managerFailed')
    assert.equal(await use.settle(codeOf(use.db.giveStates({ ...noStates, syncreq: [row(1)] }, going))), 'managerFailed')
    assert.equal(await use.settle(codeOf(use.db.agents(0, going))), 'managerFailed')
    assert.equal(await use.settle(codeOf(use.db.takeGroups(going))), 'managerFailed')
    await use.around.start()
    assert.deepEqual(idsOf(await use.agents()), [1])
    assert.equal(await use.settle(use.db.takeStates(going)), undefined)
  },

  'loses by a kill what it had not committed, though it had answered': async (use) => {
    use.insertAgents(1)
    await use.around.stop()
    await use.around.start()
    use.around.insertAgent(2, 'a2')
    await use.give({ syncreq: [row(1, { version: 'lost' })] })
    await use.around.kill()
    assert.equal(await use.settle(codeOf(use.db.agents(0, going))), 'managerFailed')
    assert.equal(await use.settle(codeOf(use.db.takeStates(going))), 'managerFailed')
    await use.around.start()
    const agents = await use.agents()
    assert.deepEqual(idsOf(agents), [1])
    assertHas(agents[0] ?? {}, { version: undefined })
  },

  'does nothing for a call that was given up before it began, and answers the next': async (use) => {
    use.insertAgents(1)
    const stopped = AbortSignal.abort()
    assert.equal(await use.settle(codeOf(use.db.giveStates({ ...noStates, syncreq: [row(1, { version: 'new' })] }, stopped))), 'aborted')
    assert.equal(await use.settle(codeOf(use.db.agents(0, stopped))), 'aborted')
    assertHas((await use.agents())[0] ?? {}, { version: undefined })
  },

  'gives each of many calls at the same time its own answer': async (use) => {
    use.insertAgents(40)
    const asked = use.ids(40).map((id) => use.db.presencesOf([id], going))
    assert.deepEqual((await use.settle(Promise.all(asked))).flatMap(idsOf), use.ids(40))
  },

  'leaves an agent out that was deleted, and the manager itself always': async (use) => {
    use.insertAgents(2)
    use.around.deleteAgent(1)
    assert.deepEqual(idsOf(await use.agents()), [2])
    assert.deepEqual(await use.settle(use.db.presencesOf([0, 1], going)), [])
  },
}

/** A wazuh-db, and what tests do with it. */
class Used {
  readonly #suite: WazuhDbSuite

  constructor(suite: WazuhDbSuite) {
    this.#suite = suite
  }

  get db(): WazuhDb {
    return this.#suite.db
  }

  get around(): WazuhDbSurroundings {
    return this.#suite.surroundings
  }

  settle<T>(call: Promise<T>): Promise<T> {
    return this.#suite.settle(call)
  }

  dispose(): Promise<void> {
    return this.#suite.dispose()
  }

  ids(count: number): readonly number[] {
    return Array.from({ length: count }, (_, index) => index + 1)
  }

  insertAgents(count: number): void {
    for (const id of this.ids(count)) this.around.insertAgent(id, `a${id}`)
  }

  groups(id: number, ...groups: readonly string[]): WazuhGroupsRow {
    return { id, name: `a${id}`, groups }
  }

  give(states: Partial<WazuhStates>): Promise<void> {
    return this.settle(this.db.giveStates({ ...noStates, ...states }, going))
  }

  /** All that is to be taken, and whose it is. */
  async taken(): Promise<{ readonly states: WazuhStates; readonly all: readonly number[] }> {
    const pages: WazuhStates[] = []
    for (let isMore = true; isMore; ) {
      const taken = await this.settle(this.db.takeStates(going))
      if (!taken) break
      const read = readTakenStates(taken.text)
      assert.ok(read.ok, 'what was taken can be read')
      assert.equal(read.value.dropped, 0)
      pages.push(read.value.states)
      isMore = taken.isMore
    }
    const states = {
      syncreq: pages.flatMap(({ syncreq }) => syncreq),
      syncreq_keepalive: pages.flatMap(({ syncreq_keepalive }) => syncreq_keepalive),
      syncreq_status: pages.flatMap(({ syncreq_status }) => syncreq_status),
    }
    return { states, all: idsOf([...states.syncreq, ...states.syncreq_keepalive, ...states.syncreq_status]) }
  }

  /** By all pages. */
  async agents(): Promise<readonly WazuhAgent[]> {
    const agents: WazuhAgent[] = []
    for (;;) {
      const page = await this.settle(this.db.agents(agents.at(-1)?.id ?? 0, going))
      if (page.length === 0) return agents
      agents.push(...page)
    }
  }

  /** By all pages. */
  async groupsOf(): Promise<readonly WazuhGroupsRow[]> {
    const rows: WazuhGroupsRow[] = []
    for (;;) {
      const page = await this.settle(this.db.groups(rows.at(-1)?.id ?? 0, going))
      rows.push(...page.rows)
      if (!page.isMore) return rows
    }
  }
}

/** Holds a wazuh-db to: taking is once, giving overwrites, pages are whole, groups and their hash, and how it fails. */
export const wazuhDbCases = (suite: (options: WazuhDbSuiteOptions) => Promise<WazuhDbSuite>): readonly ComplianceCase[] => {
  const casesFor = (role: 'master' | 'worker', tests: Readonly<Record<string, (use: Used) => Promise<void>>>): readonly ComplianceCase[] =>
    casesOf<Used>(
      async () => new Used(await suite({ role, nodeName })),
      (use) => use.dispose(),
      tests,
    )
  return [...casesFor('worker', worker), ...casesFor('master', { ...master, ...both })]
}
