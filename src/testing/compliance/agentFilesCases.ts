/** The suite for the keys' part of the AgentFiles port: what it must do to client.keys, on a real disk or a simulated one. */
import assert from 'node:assert/strict'
import { limits } from '../../base/limits.js'
import type { KeyEntry, KeysChange, KeysPage } from '../../domain/agents/keyEntry.js'
import { type HashName, hashNames } from '../../domain/files/hashNames.js'
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

/** As Python's hashlib has them, which Wazuh's API asks. */
const digestsOfAbc: Readonly<Record<HashName, string>> = {
  md5: '900150983cd24fb0d6963f7d28e17f72',
  sha1: 'a9993e364706816aba3e25717850c26c9cd0d89d',
  sha224: '23097d223405d8228642a477bda255b32aadbce4bda0b3f7e36c9da7',
  sha256: 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad',
  sha384: 'cb00753f45a35e8bb5a03d699ac65007272c32ab0eded1631a8b605a43ff5bed8086072ba1e7cc2358baeca134c825a7',
  sha512:
    'ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f',
  blake2b:
    'ba80a53f981c4d0d6a2797b69f12f6e94c212f14685ac4b74b12bb6fdbffa2d17d87c5392aab792dc252d5de4533cc9518d38aa8dbf1925ab92386edd4009923',
  blake2s: '508c5e8c327c14e2e1a72ba34eeb452f37458b209ed63a294d999b4c86675982',
  sha3_224: 'e642824c3f8cf24ad09234ee7d3c766fc9a3a5168d0c94ad73b46fdf',
  sha3_256: '3a985da74fe225b2045c172d6bd390bd855f086e3e9d525b46bfe24511431532',
  sha3_384: 'ec01498288516fc926459f58e2c6ad8df9b473cb0fc08c2596da7cf0e49be4b298d88cea927ac7f539f1edf228376d25',
  sha3_512:
    'b751850b1a57168a5693cd924b6b096e08f621827444f70d884f5d0240d2712e10e116e9192af3c91a7ec57647e3934057340b4cf408d5a56592f8274eec53f0',
}

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

  'lists the files of groups with digests by any hash, all of them or those asked for': async (keys) => {
    keys.home.write('etc/shared/web/agent.conf', 'abc')
    keys.home.write('etc/shared/web/merged.mg', 'abc')
    keys.home.write('etc/shared/web/other', 'abc')
    for (const hash of hashNames) {
      const files = await keys.settle(keys.files.groupFiles('web', hash, undefined, going))
      assert.deepEqual(
        files,
        ['agent.conf', 'merged.mg', 'other'].map((name) => ({ name, bytes: 3, digest: digestsOfAbc[hash] })),
        hash,
      )
    }
    const some = await keys.settle(keys.files.groupFiles('web', 'md5', ['merged.mg', 'missing'], going))
    assert.deepEqual(some, [{ name: 'merged.mg', bytes: 3, digest: digestsOfAbc.md5 }])
    assert.equal(await keys.settle(codeOf(keys.files.groupFiles('db', 'md5', [], going))), 'groupMissing')
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
