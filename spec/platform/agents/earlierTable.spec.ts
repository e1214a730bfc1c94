/** The table of an earlier build in the place of wazuh-db's database: it moves with all that its log holds, whenever the move is interrupted. */
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { AgentDatabase } from '../../../src/platform/agents/agentDatabase.js'
import { agentTablePath, earlierTablePath } from '../../../src/platform/agents/agentTablePath.js'
import { applicationId, migrate } from '../../../src/platform/agents/agentTableSchema.js'
import { type FileSteps, fileSteps } from '../../../src/platform/agents/earlierTable.js'
import { openAgentDatabase } from '../../../src/platform/agents/openAgentDatabase.js'
import { SqliteAgentTable } from '../../../src/platform/agents/sqliteAgentTable.js'

let home: string
let path: string
let earlierPath: string
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'muster-earlier-'))
  prepare(home)
})
afterEach(() => rmSync(home, { recursive: true }))

const prepare = (root: string): void => {
  path = join(root, agentTablePath)
  earlierPath = join(root, earlierTablePath)
  mkdirSync(dirname(earlierPath), { recursive: true })
}

const keys = (count: number) => Array.from({ length: count }, (_, at) => ({ id: at + 1, name: `agent${at + 1}`, ip: 'any', key: 'k' }))
const createTable = (at = path, role: 'master' | 'worker' = 'master') =>
  new SqliteAgentTable({ path: at, earlierPath: at === path ? earlierPath : join(home, 'none.db'), role })

/** Leaves what a daemon leaves when it is killed with a table open. */
const killed = (work: (making: string) => AgentDatabase | SqliteAgentTable): void => {
  const making = join(mkdtempSync(join(home, 'making-')), 'table.db')
  const open = work(making)
  for (const suffix of ['', '-wal', '-shm', '-journal'])
    if (existsSync(making + suffix)) copyFileSync(making + suffix, earlierPath + suffix)
  open.close()
}

const rows = 5

/** Tables as earlier builds left them, each with five agents in all. */
const leftovers: readonly (readonly [says: string, make: () => void])[] = [
  [
    'was closed',
    () => {
      const table = createTable(earlierPath)
      table.open()
      table.addAgents(keys(rows), 0)
      table.close()
    },
  ],
  [
    'was killed, with agents that are only in its log',
    () => {
      killed((making) => {
        const table = createTable(making)
        table.open()
        table.addAgents(keys(rows), 0)
        return table
      })
      expect(readFileSync(earlierPath).includes('agent5')).toBe(false)
    },
  ],
  [
    'was killed when all of it, that it is ours too, was only in its log',
    () => {
      killed((making) => {
        const database = new AgentDatabase(making)
        database.execute('PRAGMA journal_mode = WAL')
        migrate(database)
        database.run("INSERT INTO meta VALUES ('table', 'drawn'), ('groupsTable', 'drawn')")
        for (const { id, name } of keys(rows)) database.run("INSERT INTO agent (id, name, ip, key) VALUES (?, ?, 'any', 'k')", id, name)
        return database
      })
      expect(readFileSync(earlierPath).readUInt32BE(68)).not.toBe(applicationId)
    },
  ],
]

const left = (): string[] => readdirSync(dirname(earlierPath)).filter((name) => !/corrupt-.*-(wal|shm)$/.test(name))
const besideTable = (): string[] => readdirSync(dirname(path)).filter((name) => !/^agents\.db(-wal|-shm)?$/.test(name))

class Crash extends Error {}

/** Steps that end in the middle: `count` of them are done. */
const stepsUntil = (count: number): FileSteps => {
  let done = 0
  const step =
    <Given extends readonly string[]>(act: (...given: Given) => void) =>
    (...given: Given): void => {
      if (done++ === count) throw new Crash()
      act(...given)
    }
  const { copy, remove, rename, sync, write } = fileSteps
  return { copy: step(copy), write: step(write), sync: step(sync), rename: step(rename), remove: step(remove) }
}

/** A start that gets that far. Returns whether it finished. */
const startUntil = (count: number): boolean => {
  try {
    openAgentDatabase({ path, earlierPath, isDamaged: false, steps: stepsUntil(count) }).database.abandon()
    return true
  } catch (thrown) {
    if (thrown instanceof Crash) return false
    throw thrown
  }
}

const assertMoved = (): void => {
  const table = createTable()
  expect(table.open()).not.toHaveProperty('setAside')
  expect(table.list({}, 0).map(({ name }) => name)).toEqual(keys(rows).map(({ name }) => name))
  table.close()
  expect(left()).toEqual([])
  expect(besideTable()).toEqual([])
}

describe.each(leftovers)('the table of an earlier build that %s', (_, make) => {
  it('moves at the first start, and is reported once', () => {
    make()
    const table = createTable()
    const says = `The agents' table of an earlier build was moved from ${earlierPath} to ${path}.`
    expect(table.open()).toMatchObject({ earlier: { level: 'info', says } })
    table.close()
    assertMoved()
    expect(createTable().open()).not.toHaveProperty('earlier')
  })

  it('moves whole after a crash at any step', () => {
    let crashes = 0
    for (let isWhole = false; !isWhole; ) {
      prepare(join(home, String(crashes)))
      make()
      isWhole = startUntil(crashes++)
      assertMoved()
    }
    expect(crashes).toBeGreaterThan(10)
  })

  it('moves whole after any number of starts that crash', () => {
    let run = 0
    fc.assert(
      fc.property(fc.array(fc.nat({ max: 30 }), { maxLength: 4 }), (crashes) => {
        prepare(join(home, String(run++)))
        make()
        for (const count of crashes) startUntil(count)
        assertMoved()
      }),
      { numRuns: 10 },
    )
  })
})

describe('the table of an earlier build', () => {
  const makeBoth = (): void => {
    createTable().open()
    leftovers[0]?.[1]()
  }

  it('is left alone with a warning when there is another one in its new place', () => {
    makeBoth()
    const before = readFileSync(earlierPath)
    const table = createTable()
    expect(table.open()).toMatchObject({ earlier: { level: 'warning', says: expect.stringContaining(`${earlierPath} is another`) } })
    expect(table.list({}, 0)).toEqual([])
    table.close()
    expect(readFileSync(earlierPath)).toEqual(before)
    expect(besideTable()).toEqual([])
  })

  it('is set aside where it is when it is damaged, and an empty one is made in the new place', () => {
    leftovers[0]?.[1]()
    truncateSync(earlierPath, 8_192)
    const damaged = readFileSync(earlierPath)
    const table = createTable()
    const { setAside } = table.open()
    expect(setAside).toContain(`${earlierPath} was set aside as ${earlierPath}.corrupt-`)
    table.close()
    expect(left()).toEqual([expect.stringMatching(/^global\.db\.corrupt-/)])
    expect(readFileSync(join(dirname(earlierPath), left()[0] ?? ''))).toEqual(damaged)
    expect(besideTable()).toEqual([])
  })

  it('that another process still writes to does not move', () => {
    leftovers[0]?.[1]()
    const steps: FileSteps = {
      ...fileSteps,
      copy: (from, to) => {
        fileSteps.copy(from, to)
        writeFileSync(from, Buffer.alloc(1), { flag: 'a' })
      },
    }
    expect(() => openAgentDatabase({ path, earlierPath, isDamaged: false, steps })).toThrow(/while another program writes to it/)
    expect(existsSync(path)).toBe(false)
  })

  it('is left alone with a warning when it cannot be read', () => {
    symlinkSync('nowhere', earlierPath)
    const table = createTable()
    expect(table.open()).toMatchObject({ earlier: { level: 'warning', says: expect.stringContaining('it cannot be read') } })
    table.close()
  })

  it('is moved, with a warning, when the old file cannot be deleted', () => {
    leftovers[0]?.[1]()
    const remove = (file: string): void => {
      if (file === earlierPath) throw Object.assign(new Error('EACCES: permission denied'), { code: 'EACCES', syscall: 'unlink' })
      fileSteps.remove(file)
    }
    const { database, found } = openAgentDatabase({ path, earlierPath, isDamaged: false, steps: { ...fileSteps, remove } })
    expect(found.earlier).toEqual({ level: 'warning', says: expect.stringContaining('could not be deleted: EACCES') })
    expect(database.number('SELECT count(*) FROM agent')).toBe(rows)
    database.close()
    assertMoved()
  })
})
