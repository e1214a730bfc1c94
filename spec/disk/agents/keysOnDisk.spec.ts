import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ClusterError } from '../../../src/base/errors.js'
import { limits } from '../../../src/base/limits.js'
import { AgentKeys } from '../../../src/disk/agents/keysOnDisk.js'
import { forgetCounters } from '../../../src/disk/agents/messageCounters.js'
import { idsDigest } from '../../../src/domain/agents/agentIds.js'
import type { KeyEntry, KeysChange, KeysPage } from '../../../src/domain/agents/keyEntry.js'

import { createMemoryWorld, filesBelow, type MemoryWorld } from '../../support/files/diskWorlds.js'

import { sha256 } from '../../support/files/treeEdits.js'

const path = 'etc/client.keys'
const { keysTrustedMs } = limits

class Crash extends Error {}

/** One node, and what its listener knows. */
class Node {
  readonly world: MemoryWorld
  readonly received = new Map<number, KeyEntry>()
  keys: AgentKeys

  constructor(world: MemoryWorld = createMemoryWorld(), role: 'master' | 'worker' = 'master') {
    this.world = world
    this.keys = new AgentKeys(world.disk, { home: world.home, role, managerName: 'manager' })
  }

  /** All pages of a check as one. */
  check(all = false): KeysPage {
    const problems: string[] = []
    const upserts: KeyEntry[] = []
    const removals: number[] = []
    for (let page = this.keys.check(all, ''); ; page = this.keys.nextPage()) {
      expect(page.upserts.length + page.removals.length).toBeLessThanOrEqual(limits.keysPageEntriesMax)
      upserts.push(...page.upserts)
      removals.push(...page.removals)
      problems.push(...page.problems)
      expect(page.ids === undefined || page.done).toBe(true)
      if (!page.done) continue
      for (const entry of upserts) this.received.set(entry.id, entry)
      for (const id of removals) this.received.delete(id)
      const ids = Uint32Array.from(this.received.keys()).sort()
      expect(page.agents).toBe(ids.length)
      expect(page.idsDigest).toBe(idsDigest(ids))
      if (page.ids) expect(page.ids).toEqual(ids)
      return { ...page, upserts, removals, problems }
    }
  }

  pass(ms: number): void {
    this.world.clock.nowMs += ms
  }

  write(text: string | Uint8Array): void {
    this.pass(1)
    this.world.write(path, text, 0o640)
  }

  /** Puts something else in place of the file, which then fails in an operation. */
  replace(put: () => void, failing?: 'open' | 'read'): void {
    this.world.remove(path)
    put()
    if (failing) this.world.disk.fail({ operation: failing, code: 'EIO', path: `/home/${path}` })
  }

  /** Checks until nothing is pending. */
  settle(): KeysPage {
    let page = this.check()
    while (page.againInMs !== undefined) {
      this.pass(page.againInMs)
      page = this.check()
    }
    return page
  }
}

const add = (name: string, idFloor = 0, ip = 'any'): KeysChange => ({ kind: 'add', name, ip, key: 'k'.repeat(64), idFloor })
const remove = (id: number): KeysChange => ({ kind: 'remove', id })
const three = '001 web any aa\n002 db any bb\n003 mail any cc\n'

const nodeWith = (text: string): Node => {
  const node = new Node()
  node.write(text)
  node.settle()
  return node
}

const codeOf = (act: () => unknown): string => {
  try {
    act()
    return 'none'
  } catch (thrown) {
    if (thrown instanceof ClusterError) return thrown.code
    throw thrown
  }
}

describe('a check of client.keys', () => {
  it('returns all agents first, then changes, and all IDs once the file was stable long enough', () => {
    const node = new Node()
    node.write(three)
    const first = node.check()
    expect(first).toMatchObject({ agents: 3, highestId: 3, removals: [], problems: [], againInMs: keysTrustedMs })
    expect(first.ids).toBeUndefined()
    node.pass(keysTrustedMs)
    const second = node.check()
    expect(second).toMatchObject({ upserts: [], removals: [], ids: Uint32Array.of(1, 2, 3) })
    expect(second.againInMs).toBeUndefined()
    node.write(`${three.replace(' db', ' !db').replace('001 web any aa\n', '')}007 new any dd\n`)
    expect(node.check()).toMatchObject({ upserts: [{ id: 7 }], removals: [2], agents: 3, highestId: 7, againInMs: keysTrustedMs })
    node.pass(keysTrustedMs)
    const last = node.check()
    expect(last).toMatchObject({ removals: [1], agents: 2 })
    expect(last.ids).toBeUndefined()
    expect(node.check()).toMatchObject({ upserts: [], removals: [], agents: 2 })
  })

  it('in full returns all agents, those marked as removed, and the IDs', () => {
    const node = nodeWith(`${three}004 !gone any dd\n`)
    node.received.clear()
    expect(node.check(true)).toMatchObject({ upserts: [{ id: 1 }, { id: 2 }, { id: 3 }], removals: [4], ids: Uint32Array.of(1, 2, 3) })
    node.write(three.replace('001 web any aa\n', ''))
    node.check()
    node.received.clear()
    expect(node.check(true)).toMatchObject({ agents: 3, ids: Uint32Array.of(1, 2, 3) })
  })

  it('splits a large result into pages', () => {
    const count = 2 * limits.keysPageEntriesMax + 1
    const node = new Node()
    node.write(Array.from({ length: count }, (_, index) => `${String(index + 1).padStart(3, '0')} agent-${index} any kk\n`).join(''))
    expect(node.check().upserts).toHaveLength(count)
    node.pass(keysTrustedMs)
    expect(node.check().ids).toHaveLength(count)
  })

  it('reads a file again when it is written twice within one tick of the clock', () => {
    const node = new Node()
    node.world.write(path, '001 web any aa\n')
    node.check()
    node.world.write(path, '001 web any bb\n')
    expect(node.check().upserts).toEqual([{ id: 1, name: 'web', ip: 'any', key: 'bb' }])
  })

  it.each<[string, (node: Node) => void, RegExp]>([
    ['is missing', (node) => node.world.remove(path), /is missing/],
    ['is empty', (node) => node.write(''), /lists no agents/],
    ['has only comments', (node) => node.write('# nobody\n\n'), /lists no agents/],
    ['has only lines that cannot be used', (node) => node.write('web any aa\nx\n'), /lists no agents/],
    ['has a NUL byte in it', (node) => node.write('001 web any aa\n\0\0\0'), /not a text file/],
    ['is a directory', (node) => node.replace(() => node.world.mkdir(path)), /not a file/],
    ['is a FIFO', (node) => node.replace(() => node.world.fifo(path)), /not a file/],
    ['cannot be opened', (node) => node.replace(() => node.write(three), 'open'), /EIO/],
    ['cannot be read', (node) => node.replace(() => node.write('x'), 'read'), /EIO/],
  ])('removes no agent when the file %s, reports it once if it lasts, and changes nothing', (_, spoil, sentence) => {
    const node = nodeWith(three)
    spoil(node)
    expect(node.check()).toMatchObject({ problems: [], removals: [], againInMs: keysTrustedMs })
    node.pass(keysTrustedMs)
    expect(node.check().problems).toEqual([expect.stringMatching(sentence)])
    for (let hour = 0; hour < 3; hour++) {
      node.pass(3_600_000)
      expect(node.check()).toMatchObject({ problems: [], removals: [], agents: 3 })
    }
    const before = node.world.exists(path) && node.world.disk.lstat(`/home/${path}`).kind === 'file' ? node.world.read(path) : undefined
    expect(codeOf(() => node.keys.change([add('new')]))).toBe('fileFailed')
    if (before !== undefined) expect(node.world.read(path)).toBe(before)
    node.world.disk.heal()
    node.world.remove(path)
    node.write(`${three}004 new any dd\n`)
    expect(node.check()).toMatchObject({ upserts: [{ id: 4 }], removals: [], agents: 4 })
  })

  it.each<[string, (node: Node) => void, RegExp]>([
    ['is a directory', (node) => node.world.mkdir(path), /not a file/],
    ['cannot be opened', (node) => node.replace(() => node.write(three), 'open'), /EIO/],
    ['has a NUL byte in it', (node) => node.write('\0'), /not a text file/],
  ])('of a new node says at once, and once, that the file %s', (_, spoil, sentence) => {
    const node = new Node()
    spoil(node)
    expect(node.check()).toMatchObject({ problems: [expect.stringMatching(sentence)], agents: 0 })
    node.pass(keysTrustedMs)
    expect(node.check().problems).toEqual([])
    node.world.disk.heal()
    node.world.remove(path)
    node.write(three)
    expect(node.check().agents).toBe(3)
  })

  it('of a new node without agents is at rest, and never says that no agent exists', () => {
    const node = new Node()
    for (const spoil of [() => undefined, () => node.write(''), () => node.write('# none yet\n')]) {
      spoil()
      node.pass(keysTrustedMs)
      const page = node.check()
      expect(page).toMatchObject({ upserts: [], removals: [], problems: [], agents: 0 })
      expect([page.ids, page.againInMs]).toEqual([undefined, undefined])
    }
  })

  it('reports each unusable line once, and again after it was fixed in between', () => {
    const node = new Node()
    node.write(`${three}bad\n`)
    expect(node.check().problems).toEqual([expect.stringMatching(/^'etc\/client\.keys', line 4: /)])
    node.write(`# moved\n${three}bad\n003 other any dd\n`)
    expect(node.check().problems).toEqual([expect.stringMatching(/line 6: a line before it has the same ID/)])
    node.write(three)
    expect(node.check().problems).toEqual([])
    node.write(`${three}bad\n`)
    expect(node.check().problems).toHaveLength(1)
    node.write(three + Array.from({ length: 500 }, (_, index) => `bad ${index}\n`).join(''))
    const many = node.check().problems
    expect(many).toHaveLength(limits.keysProblemsMax + 1)
    expect(many.at(-1)).toMatch(/400 more lines/)
  })

  it('on a master warns once, when nine tenths of the most agents exist', () => {
    const node = new Node()
    node.keys = new AgentKeys(node.world.disk, { home: node.world.home, role: 'master', managerName: 'manager', agentsMax: 10 })
    const lines = (count: number): string =>
      Array.from({ length: count }, (_, index) => `${String(index + 1).padStart(3, '0')} a${index} any k\n`).join('')
    for (const [count, problems] of [
      [8, []],
      [9, ["'etc/client.keys' has 9 agents, the limit is 10: remove those that are not needed any more."]],
      [10, []],
    ] as const) {
      node.write(lines(count))
      expect(node.check().problems).toEqual(problems)
    }
  })

  it('on a master warns once that others can read it, and again after it was fixed in between', () => {
    const node = new Node()
    node.write(three)
    expect(node.check().problems).toEqual([])
    const exposed = [expect.stringMatching(/^'etc\/client\.keys': every user of this machine can read it \(mode 644\).*chmod 640$/)]
    for (const [mode, problems] of [
      [0o644, exposed],
      [0o644, []],
      [0o660, []],
      [0o644, exposed],
    ] as const) {
      node.pass(1)
      node.world.chmod(path, mode)
      expect(node.check().problems).toEqual(problems)
    }
    const worker = new Node(createMemoryWorld(), 'worker')
    worker.world.write(path, three, 0o644)
    expect(worker.check().problems).toEqual([])
  })

  it('of random bytes in the file never fails, and removes no agent that is still named', () =>
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), fc.nat(three.length), fc.boolean(), (noise, at, isWhole) => {
        const node = nodeWith(three)
        const spoiled = isWhole ? Buffer.from(noise) : Buffer.concat([Buffer.from(three.slice(0, at)), noise, Buffer.from(three.slice(at))])
        node.write(spoiled)
        expect(node.check().removals).toEqual([])
        const isNoise = spoiled.some((byte) => byte < 0x20 && ![9, 10, 13].includes(byte))
        node.settle()
        if (isNoise || isWhole) expect([...node.received.keys()].sort()).toEqual([1, 2, 3])
        else expect(node.received.size).toBeGreaterThanOrEqual(2)
        expect(node.world.disk.openFiles).toBe(0)
      }),
    ))
})

describe('a change of client.keys', () => {
  it('is one rewrite, seen by the next check, with mode 0640 and nothing left behind', () => {
    const node = nodeWith(three)
    const answers = node.keys.change([add('new'), remove(2), add('web'), add('far', 41)])
    expect(answers.map((answer) => (answer.ok ? answer.entry.id : answer.code))).toEqual([4, 2, 'duplicateAgentName', 42])
    expect(node.world.read(path)).toBe(
      `001 web any aa\n002 !db any bb\n003 mail any cc\n004 new any ${'k'.repeat(64)}\n042 far any ${'k'.repeat(64)}\n`,
    )
    expect(node.world.modeOf(path)).toBe(0o640)
    expect(node.world.disk.readdir('/home/etc')).toHaveLength(1)
    expect(node.check()).toMatchObject({ upserts: [{ id: 4 }, { id: 42 }], removals: [2] })
  })

  it('is shown once by the next check, with the digest of the file as it then is', () => {
    const node = nodeWith(three)
    const shown = (): boolean => {
      const { written } = node.check()
      if (written) expect(written).toMatchObject({ path, digest: sha256(node.world.read(path)) })
      return written !== undefined
    }
    expect(shown()).toBe(false)
    for (const changes of [[add('a1')], [add('a2'), add('a3')], [remove(1)], [add('a4')]]) {
      node.keys.change(changes)
      expect([shown(), shown()]).toEqual([true, false])
    }
    node.write(`${node.world.read(path)}099 mine any dd\n`)
    expect(shown()).toBe(false)
    node.keys.change([add('a5')])
    expect(shown()).toBe(true)
  })

  it('sees what an operator wrote just before, and keeps it', () => {
    const node = nodeWith(three)
    node.write(`${three}009 mine any dd`)
    expect(node.keys.change([add('mine'), add('new'), remove(9)])).toMatchObject([
      { ok: false },
      { ok: true, entry: { id: 10 } },
      { ok: true },
    ])
    expect(node.world.read(path)).toBe(`${three}009 !mine any dd\n010 new any ${'k'.repeat(64)}\n`)
    expect(node.check()).toMatchObject({ upserts: [{ id: 10 }], removals: [9] })
  })

  it('keeps what an operator writes in the middle of it', () => {
    const node = nodeWith(three)
    let isWritten = false
    node.world.disk.onStep = (operation) => {
      if (operation !== 'keepOwner' || isWritten) return
      isWritten = true
      node.write(`${three}004 mine any dd\n`)
    }
    expect(node.keys.change([add('new')])).toMatchObject([{ ok: true, entry: { id: 5 } }])
    node.world.disk.onStep = undefined
    expect(node.world.read(path)).toBe(`${three}004 mine any dd\n005 new any ${'k'.repeat(64)}\n`)
  })

  it('that does not apply writes nothing', () => {
    const node = nodeWith(three)
    node.world.disk.onStep = (operation) => expect(['lstat', 'open', 'fstat', 'read', 'close']).toContain(operation)
    expect(node.keys.change([remove(9), add('web'), { kind: 'add', name: 'db', ip: 'any', key: 'bb', idFloor: 7 }])).toMatchObject([
      { code: 'unknownAgent' },
      { code: 'duplicateAgentName' },
      { ok: true, entry: { id: 2 } },
    ])
  })

  it('creates a new file only where there never was an agent', () => {
    const node = new Node()
    node.world.mkdir('etc')
    expect(node.keys.change([remove(1)])).toMatchObject([{ code: 'unknownAgent' }])
    expect(codeOf(() => node.keys.change([add('web', 1)]))).toBe('fileFailed')
    expect(node.world.exists(path)).toBe(false)
    expect(node.keys.change([add('web')])).toMatchObject([{ entry: { id: 1 } }])
    expect(node.world.modeOf(path)).toBe(0o640)
    expect(node.check().upserts).toHaveLength(1)
    node.keys.change([remove(1)])
    node.settle()
    node.world.remove(path)
    expect(codeOf(() => node.keys.change([add('web')]))).toBe('fileFailed')
    node.write('')
    expect(codeOf(() => node.keys.change([add('web')]))).toBe('fileFailed')
    // A process that starts while the file is being saved knows the agents only from their table.
    expect(codeOf(() => new Node(node.world).keys.change([add('web', 1)]))).toBe('fileFailed')
    expect(node.world.read(path)).toBe('')
    node.write('# nobody\n')
    expect(node.keys.change([add('web')])).toMatchObject([{ entry: { id: 2 } }])
  })

  it('follows a symbolic link within etc, and is refused if the link leads out of it', () => {
    const node = new Node()
    node.world.write('etc/kept/keys', three)
    node.world.symlink('kept/keys', path)
    node.keys.change([remove(1)])
    expect(node.world.read('etc/kept/keys')).toContain('001 !web any aa\n')
    expect(node.world.disk.lstat(`/home/${path}`).kind).toBe('symlink')
    const out = new Node()
    out.world.write('elsewhere/keys', three)
    out.world.symlink('../elsewhere/keys', path)
    expect(() => out.keys.change([remove(1)])).toThrow(
      "'etc/client.keys' is a symbolic link that leads out of 'etc', so it is not synced: put the file itself in its place.",
    )
    expect(filesBelow(out.world, 'elsewhere')).toEqual(new Map([['elsewhere/keys', `660 ${three}`]]))
    expect(out.world.disk.readdir('/home/etc')).toHaveLength(1)
  })

  it('is refused on a worker, and when it has too many entries', () => {
    const node = nodeWith(three)
    expect(codeOf(() => new Node(node.world, 'worker').keys.change([remove(2)]))).toBe('notOnWorker')
    expect(codeOf(() => node.keys.change(Array<KeysChange>(limits.keysChangesMax + 1).fill(remove(2))))).toBe('tooLarge')
  })

  it('that crashes at any call, with or without power loss, leaves the old or the new file', () => {
    const changes = [add('new'), remove(2)]
    for (let step = 1, isDone = false; !isDone; step++) {
      for (const isPower of [false, true]) {
        const node = nodeWith(three)
        let steps = 0
        node.world.disk.onStep = () => {
          if (++steps >= step) throw new Crash()
        }
        isDone = false
        try {
          node.keys.change(changes)
          isDone = true
        } catch (thrown) {
          if (!(thrown instanceof Crash)) throw thrown
        }
        node.world.disk.onStep = undefined
        if (isPower) node.world.disk.crash()
        else node.world.disk.killProcess()
        const done = `001 web any aa\n002 !db any bb\n003 mail any cc\n004 new any ${'k'.repeat(64)}\n`
        expect([three, done]).toContain(node.world.read(path))
        if (isDone) expect(node.world.read(path)).toBe(done)
        const again = new Node(node.world)
        expect(again.keys.change(changes)).toHaveLength(2)
        expect(node.world.read(path)).toBe(done)
        expect(node.world.disk.readdir('/home/etc')).toHaveLength(1)
      }
    }
  })

  it('on a disk that fails in any way leaves the old file or the new one, and says why', () => {
    for (const operation of [
      'open',
      'fstat',
      'read',
      'write',
      'sync',
      'close',
      'chmod',
      'keepOwner',
      'lstat',
      'rename',
      'unlink',
      'openDirectory',
    ] as const)
      for (const [errno, code] of [
        ['EIO', 'fileFailed'],
        ['ENOSPC', 'diskFull'],
      ] as const) {
        const node = nodeWith(three)
        const stop = node.world.disk.fail({ operation, code: errno })
        const changed = `${three}004 new any ${'k'.repeat(64)}\n`
        const result = codeOf(() => node.keys.change([add('new')]))
        stop()
        node.world.disk.killProcess()
        // What cannot be read is not trusted, whatever the errno; and a file that has not changed is not read at all.
        expect([code, 'fileFailed', operation === 'read' ? 'none' : code]).toContain(result)
        expect(result === 'none' ? [changed] : [three, changed]).toContain(node.world.read(path))
        expect(node.keys.change([add('new')])).toMatchObject([{ ok: true, entry: { id: 4 } }])
      }
  })
})

describe('the counters of agents that are gone', () => {
  const world = (): MemoryWorld => {
    const made = createMemoryWorld()
    for (const name of ['001', '002', '1000', 'sender_counter']) made.write(`queue/rids/${name}`, '1:2:')
    return made
  }
  const namesIn = (made: MemoryWorld): string[] => made.disk.readdir('/home/queue/rids').map(({ name }) => Buffer.from(name).toString())

  it('are deleted by the file names of their IDs', () => {
    const made = world()
    forgetCounters(made.disk, made.home, [1, 1000, 7])
    expect(namesIn(made)).toEqual(['002', 'sender_counter'])
    forgetCounters(createMemoryWorld().disk, '/home', [1])
  })

  it('are not searched for outside the home, and only files are deleted', () => {
    const made = createMemoryWorld()
    made.disk.edit('/outside/001', Buffer.from('x'))
    made.mkdir('queue')
    made.symlink('/outside', 'queue/rids')
    expect(codeOf(() => forgetCounters(made.disk, made.home, [1]))).toBe('pathRefused')
    expect(made.disk.contentOf('/outside/001').toString()).toBe('x')
    const other = world()
    other.mkdir('queue/rids/003')
    other.symlink('002', 'queue/rids/004')
    forgetCounters(other.disk, other.home, [3, 4])
    expect(namesIn(other)).toEqual(['001', '002', '1000', 'sender_counter', '003', '004'])
  })

  it('that cannot be deleted do not keep the others', () => {
    const made = world()
    made.disk.fail({ operation: 'unlink', code: 'EIO', path: '/home/queue/rids/001' })
    expect(codeOf(() => forgetCounters(made.disk, made.home, [1, 2]))).toBe('fileFailed')
    expect(namesIn(made)).not.toContain('002')
  })
})
