/** One suite for the part of the AgentFiles port about client.keys, run on the real disk with its thread and on the simulated one in virtual time. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { ClusterError } from '../../src/base/errors.js'
import { limits } from '../../src/base/limits.js'
import type { KeyEntry, KeysChange, KeysPage } from '../../src/domain/agents/keyEntry.js'
import { type AgentFilesNode, agentFilesKinds } from '../support/agentFilesKinds.js'
import { type CompiledWorker, compileAgentFilesWorker } from '../support/compiledDiskWorker.js'

const going = new AbortController().signal
const stopped = AbortSignal.abort(new Error('stopped'))
const path = 'etc/client.keys'
const three = '001 web any aa\n002 db 10.0.0.0/8 bb\n003 mail any cc\n'
const key = 'k'.repeat(64)
const add = (name: string): KeysChange => ({ kind: 'add', name, ip: 'any', key, idFloor: 0 })

let compiled: CompiledWorker
beforeAll(() => {
  compiled = compileAgentFilesWorker()
})
afterAll(() => compiled.dispose())

const codeOf = async (promise: Promise<unknown>): Promise<string> => {
  try {
    await promise
    return 'none'
  } catch (thrown) {
    return thrown instanceof ClusterError ? thrown.code : String(thrown)
  }
}

describe.each(agentFilesKinds(() => compiled))('client.keys on $on', ({ create, settle }) => {
  let node: AgentFilesNode
  beforeEach(() => {
    node = create('master')
  })
  afterEach(async () => {
    await settle(node.files.close())
    node.world.dispose()
  })

  const check = async (all = false): Promise<KeysPage> => {
    const upserts: KeyEntry[] = []
    const removals: number[] = []
    for (let page = await settle(node.files.check(all, '', going)); ; page = await settle(node.files.nextPage(going))) {
      upserts.push(...page.upserts)
      removals.push(...page.removals)
      if (page.done) return { ...page, upserts, removals }
    }
  }

  it('returns all agents at first, then changes, and loses no agent to a flicker', async () => {
    node.world.write(path, three)
    const first = await check()
    expect(first).toMatchObject({ agents: 3, highestId: 3, removals: [], problems: [], againInMs: limits.keysTrustedMs })
    expect(first.upserts).toEqual([
      { id: 1, name: 'web', ip: 'any', key: 'aa' },
      { id: 2, name: 'db', ip: '10.0.0.0/8', key: 'bb' },
      { id: 3, name: 'mail', ip: 'any', key: 'cc' },
    ])
    node.world.write(path, three.replace(' mail', ' !mail').replace('001 web any aa\n', ''))
    expect(await check()).toMatchObject({ upserts: [], removals: [3], agents: 2 })
    node.world.remove(path)
    expect(await check()).toMatchObject({ upserts: [], removals: [], agents: 2 })
    node.world.write(path, `${three.replace(' mail', ' !mail')}bad\n`)
    const last = await check()
    expect(last).toMatchObject({ upserts: [{ id: 1 }], removals: [], agents: 2, problems: [expect.stringContaining('line 4')] })
    expect((await check(true)).upserts).toHaveLength(2)
  })

  it('is read in pages', async () => {
    const count = 2 * limits.keysPageEntriesMax + 5
    node.world.write(
      path,
      Array.from({ length: count }, (_, index) => `${String(index + 1).padStart(3, '0')} agent-${index} any kk\n`).join(''),
    )
    const { agents, highestId, idsDigest, upserts } = await check()
    expect([agents, highestId, upserts.length, idsDigest.length]).toEqual([count, count, count, 64])
  })

  it('is changed in one rewrite, with mode 0640, and keeps lines that cannot be read', async () => {
    node.world.write(path, `${three}\u00e9 odd\r\n# comment`, 0o644)
    const answers = await settle(node.files.change([add('new'), { kind: 'remove', id: 1 }, add('.x'), add('manager')], going))
    expect(answers.map((answer) => (answer.ok ? answer.entry.id : answer.code))).toEqual([4, 1, 'agentNameInvalid', 'agentNameInvalid'])
    expect(node.world.read(path)).toBe(`${three.replace(' web', ' !web')}\u00e9 odd\r\n# comment\n004 new any ${key}\n`)
    expect(node.world.modeOf(path)).toBe(0o640)
    expect(node.world.disk.readdir(`${node.world.home}/etc`)).toHaveLength(1)
    expect(await check()).toMatchObject({ agents: 3, highestId: 4, upserts: [{ id: 2 }, { id: 3 }, { id: 4 }], removals: [1] })
  })

  it('begins with the first agent, and is not changed when it cannot be trusted', async () => {
    node.world.mkdir('etc')
    expect(await settle(node.files.change([add('first')], going))).toEqual([{ ok: true, entry: { id: 1, name: 'first', ip: 'any', key } }])
    node.world.write(path, `001 first any ${key}\n\0\0`)
    expect(await settle(codeOf(node.files.change([add('second')], going)))).toBe('fileFailed')
    expect(node.world.read(path)).toBe(`001 first any ${key}\n\0\0`)
  })

  it('leaves no counters of agents that are gone', async () => {
    for (const name of ['001', '012', '1000', 'sender_counter']) node.world.write(`queue/rids/${name}`, '1:2:')
    await settle(node.files.forget([1, 1000, 4], going))
    expect(['001', '012', '1000', 'sender_counter'].filter((name) => node.world.exists(`queue/rids/${name}`))).toEqual([
      '012',
      'sender_counter',
    ])
  })

  it('has the group default beside it, created where etc/shared lacks it', async () => {
    expect(await settle(codeOf(node.files.createDefaultGroup(going)))).toBe('fileFailed')
    node.world.mkdir('etc/shared')
    expect(await settle(node.files.createDefaultGroup(going))).toBe(true)
    expect(await settle(node.files.createDefaultGroup(going))).toBe(false)
    expect(await settle(node.files.groups(going))).toEqual(['default'])
    expect(node.world.modeOf('etc/shared/default')).toBe(0o770)
  })

  it('is not changed by a call that was given up, on a worker, or after the end', async () => {
    node.world.write(path, three)
    expect(await settle(codeOf(node.files.change([add('new')], stopped)))).toBe('aborted')
    const worker = create('worker')
    worker.world.write(path, three)
    expect(await settle(codeOf(worker.files.change([add('new')], going)))).toBe('notOnWorker')
    expect((await settle(worker.files.check(false, '', going))).upserts).toHaveLength(3)
    await settle(worker.files.close())
    worker.world.dispose()
    await settle(node.files.close())
    expect(await settle(codeOf(node.files.change([add('new')], going)))).toBe('aborted')
    expect(node.world.read(path)).toBe(three)
  })
})
