/** The suite for the keys' part of the AgentFiles port: what it must do to client.keys, on a real disk or a simulated one. */
import assert from 'node:assert/strict'
import { limits } from '../../base/limits.js'
import type { KeyEntry, KeysChange, KeysPage } from '../../domain/agents/keyEntry.js'
import type { AgentFiles } from '../../ports/agents.js'
import { assertHas, type ComplianceCase, casesOf, codeOf } from './complianceCase.js'
import type { NodeHome } from './nodeHome.js'

export interface AgentFilesNode {
  readonly files: AgentFiles
  readonly home: NodeHome
}

export interface AgentFilesSuite {
  /** The files of a new node with an empty home; created with `suiteItems`, and with `manager` as the name of the manager. */
  readonly create: (role: 'master' | 'worker') => AgentFilesNode
  /** Waits for a call; files in virtual time let the time pass meanwhile. */
  readonly settle: <T>(call: Promise<T>) => Promise<T>
}

const going = new AbortController().signal
const stopped = AbortSignal.abort(new Error('stopped'))
const path = 'etc/client.keys'
const three = '001 web any aa\n002 db 10.0.0.0/8 bb\n003 mail any cc\n'
const key = 'k'.repeat(64)
const add = (name: string): KeysChange => ({ kind: 'add', name, ip: 'any', key, idFloor: 0 })
const idsOf = ({ upserts }: KeysPage): readonly number[] => upserts.map(({ id }) => id)

const tests: Readonly<Record<string, (keys: MasterKeys) => Promise<void>>> = {
  'returns all agents at first, then changes, and loses no agent to a flicker': async (keys) => {
    keys.home.write(path, three)
    const first = await keys.check()
    assertHas(first, { agents: 3, highestId: 3, removals: [], problems: [], againInMs: limits.keysTrustedMs })
    assert.deepEqual(first.upserts, [
      { id: 1, name: 'web', ip: 'any', key: 'aa' },
      { id: 2, name: 'db', ip: '10.0.0.0/8', key: 'bb' },
      { id: 3, name: 'mail', ip: 'any', key: 'cc' },
    ])
    keys.home.write(path, three.replace(' mail', ' !mail').replace('001 web any aa\n', ''))
    assertHas(await keys.check(), { upserts: [], removals: [3], agents: 2 })
    keys.home.remove(path)
    assertHas(await keys.check(), { upserts: [], removals: [], agents: 2 })
    keys.home.write(path, `${three.replace(' mail', ' !mail')}bad\n`)
    const last = await keys.check()
    assertHas(last, { removals: [], agents: 2 })
    assert.deepEqual(idsOf(last), [1])
    assert.equal(last.problems.length, 1)
    assert.match(last.problems[0] ?? '', /line 4/)
    assert.equal((await keys.check(true)).upserts.length, 2)
  },

  'is read in pages': async (keys) => {
    const count = 2 * limits.keysPageEntriesMax + 5
    keys.home.write(
      path,
      Array.from({ length: count }, (_, index) => `${String(index + 1).padStart(3, '0')} agent-${index} any kk\n`).join(''),
    )
    const { agents, highestId, idsDigest, upserts } = await keys.check()
    assert.deepEqual([agents, highestId, upserts.length, idsDigest.length], [count, count, count, 64])
  },

  'is changed in one rewrite, with mode 0640, and keeps lines that cannot be read': async (keys) => {
    keys.home.write(path, `${three}\u00e9 odd\r\n# comment`, 0o644)
    const answers = await keys.settle(keys.files.change([add('new'), { kind: 'remove', id: 1 }, add('.x'), add('manager')], going))
    assert.deepEqual(
      answers.map((answer) => (answer.ok ? answer.entry.id : answer.code)),
      [4, 1, 'agentNameInvalid', 'agentNameInvalid'],
    )
    assert.equal(keys.home.read(path), `${three.replace(' web', ' !web')}\u00e9 odd\r\n# comment\n004 new any ${key}\n`)
    assert.equal(keys.home.modeOf(path), 0o640)
    assert.deepEqual([...keys.home.filesBelow('etc').keys()], [path])
    const changed = await keys.check()
    assertHas(changed, { agents: 3, highestId: 4, removals: [1] })
    assert.deepEqual(idsOf(changed), [2, 3, 4])
  },

  'begins with the first agent, and is not changed when it cannot be trusted': async (keys) => {
    keys.home.mkdir('etc')
    assert.deepEqual(await keys.settle(keys.files.change([add('first')], going)), [
      { ok: true, entry: { id: 1, name: 'first', ip: 'any', key } },
    ])
    keys.home.write(path, `001 first any ${key}\n\0\0`)
    assert.equal(await keys.settle(codeOf(keys.files.change([add('second')], going))), 'fileFailed')
    assert.equal(keys.home.read(path), `001 first any ${key}\n\0\0`)
  },

  'leaves no counters of agents that are gone': async (keys) => {
    for (const name of ['001', '012', '1000', 'sender_counter']) keys.home.write(`queue/rids/${name}`, '1:2:')
    await keys.settle(keys.files.forget([1, 1000, 4], going))
    assert.deepEqual(
      ['001', '012', '1000', 'sender_counter'].filter((name) => keys.home.exists(`queue/rids/${name}`)),
      ['012', 'sender_counter'],
    )
  },

  'has the group default beside it, created where etc/shared lacks it': async (keys) => {
    assert.equal(await keys.settle(codeOf(keys.files.createDefaultGroup(going))), 'fileFailed')
    keys.home.mkdir('etc/shared')
    assert.equal(await keys.settle(keys.files.createDefaultGroup(going)), true)
    assert.equal(await keys.settle(keys.files.createDefaultGroup(going)), false)
    assert.deepEqual(await keys.settle(keys.files.groups(going)), ['default'])
    assert.equal(keys.home.modeOf('etc/shared/default'), 0o770)
  },

  'is not changed by a call that was given up, on a worker, or after the end': async (keys) => {
    keys.home.write(path, three)
    assert.equal(await keys.settle(codeOf(keys.files.change([add('new')], stopped))), 'aborted')
    const worker = keys.create('worker')
    worker.home.write(path, three)
    assert.equal(await keys.settle(codeOf(worker.files.change([add('new')], going))), 'notOnWorker')
    assert.equal((await keys.settle(worker.files.check(false, '', going))).upserts.length, 3)
    await keys.settle(worker.files.close())
    worker.home.dispose()
    await keys.settle(keys.files.close())
    assert.equal(await keys.settle(codeOf(keys.files.change([add('new')], going))), 'aborted')
    assert.equal(keys.home.read(path), three)
  },
}

/** client.keys of a master. */
class MasterKeys {
  readonly #suite: AgentFilesSuite
  readonly files: AgentFiles
  readonly home: NodeHome

  constructor(suite: AgentFilesSuite) {
    this.#suite = suite
    const { files, home } = suite.create('master')
    this.files = files
    this.home = home
  }

  create(role: 'master' | 'worker'): AgentFilesNode {
    return this.#suite.create(role)
  }

  settle<T>(call: Promise<T>): Promise<T> {
    return this.#suite.settle(call)
  }

  async check(all = false): Promise<KeysPage> {
    const upserts: KeyEntry[] = []
    const removals: number[] = []
    for (let page = await this.settle(this.files.check(all, '', going)); ; page = await this.settle(this.files.nextPage(going))) {
      upserts.push(...page.upserts)
      removals.push(...page.removals)
      if (page.done) return { ...page, upserts, removals }
    }
  }

  async end(): Promise<void> {
    await this.settle(this.files.close())
    this.home.dispose()
  }
}

/**
 * Holds the files of agents to: client.keys is read whole at first and then by its changes, a damaged one loses no agent, it is
 * changed in one rewrite and only by a master; counters of agents that are gone and the group `default` are cared for.
 */
export const agentFilesCases = (suite: () => AgentFilesSuite): readonly ComplianceCase[] =>
  casesOf<MasterKeys>(
    () => Promise.resolve(new MasterKeys(suite())),
    (keys) => keys.end(),
    tests,
  )
