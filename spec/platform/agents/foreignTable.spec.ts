/** A file of another program where the agents' table is, or where earlier builds had it: it stays byte for byte what its owner made it. */
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { ClusterError } from '../../../src/base/errors.js'
import { AgentDatabase } from '../../../src/platform/agents/agentDatabase.js'
import { agentTablePath, earlierTablePath } from '../../../src/platform/agents/agentTablePath.js'
import { SqliteAgentTable } from '../../../src/platform/agents/sqliteAgentTable.js'

let home: string
let path: string
let earlierPath: string
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'muster-foreign-'))
  path = join(home, agentTablePath)
  earlierPath = join(home, earlierTablePath)
  for (const file of [path, earlierPath]) mkdirSync(dirname(file), { recursive: true })
})
afterEach(() => rmSync(home, { recursive: true }))

const createTable = (): SqliteAgentTable => new SqliteAgentTable({ path, earlierPath, role: 'master' })

const thrownBy = (act: () => unknown): unknown => {
  try {
    act()
    return undefined
  } catch (thrown) {
    return thrown
  }
}

/** All that an owner of a directory can see of its files. */
const seen = (directory: string) =>
  readdirSync(directory).map((name) => {
    const file = join(directory, name)
    const { ctimeNs, ino, mode, mtimeNs } = statSync(file, { bigint: true })
    return { name, content: readFileSync(file).toString('latin1'), ctimeNs, ino, mode, mtimeNs }
  })

/** A database of another program, as `journal` keeps it; its connection stays open, with rows that are in no main file yet. */
const foreignAt = (file: string, journal: 'WAL' | 'DELETE'): AgentDatabase => {
  const foreign = new AgentDatabase(file)
  foreign.execute(`PRAGMA journal_mode = ${journal}; CREATE TABLE agent (id INTEGER PRIMARY KEY, name TEXT)`)
  foreign.run('INSERT INTO agent (name) VALUES (?)', 'one')
  return foreign
}

describe.each(['WAL', 'DELETE'] as const)('a database of another program, with the journal %s', (journal) => {
  it("in the place of the agents' table is refused with a sentence that names it, and stays as it is", () => {
    const foreign = foreignAt(path, journal)
    const before = seen(dirname(path))
    const thrown = thrownBy(() => createTable().open())
    expect(thrown).toBeInstanceOf(ClusterError)
    expect(thrown).toMatchObject({ code: 'tableNotOurs', retryable: false, message: expect.stringContaining(`${path} `) })
    expect(seen(dirname(path))).toEqual(before)
    foreign.run('INSERT INTO agent (name) VALUES (?)', 'two')
    expect(foreign.number('SELECT count(*) FROM agent')).toBe(2)
    foreign.abandon()
  })

  it("in the place of an earlier build's table is left alone while its owner writes to it", () => {
    const foreign = foreignAt(earlierPath, journal)
    for (let round = 2; round < 6; round++) {
      const before = seen(dirname(earlierPath))
      const table = createTable()
      expect(table.open()).not.toHaveProperty('earlier')
      table.addAgents([{ id: round, name: `agent${round}`, ip: 'any', key: 'k' }], 0)
      table.close()
      if (round === 4) writeFileSync(path, 'this is no database'.repeat(1_000))
      expect(seen(dirname(earlierPath))).toEqual(before)
      foreign.run('INSERT INTO agent (name) VALUES (?)', String(round))
      expect(foreign.number('SELECT count(*) FROM agent')).toBe(round)
    }
    expect(foreign.text('PRAGMA integrity_check')).toBe('ok')
    foreign.abandon()
  })

  it("that replaces the agents' table in use is refused once the table is opened again", () => {
    const table = createTable()
    table.open()
    table.giveUp(new ClusterError('tableDamaged'), true)
    for (const suffix of ['', '-wal', '-shm']) rmSync(path + suffix, { force: true })
    const foreign = foreignAt(path, journal)
    const before = seen(dirname(path))
    expect(thrownBy(() => table.open())).toMatchObject({ code: 'tableNotOurs' })
    expect(seen(dirname(path))).toEqual(before)
    foreign.abandon()
  })
})

describe("what lies in the place of an earlier build's table", () => {
  it.each([
    ['no database', 'this is no database'.repeat(100)],
    ['empty', ''],
  ])('is not touched when it is %s', (_, content) => {
    writeFileSync(earlierPath, content)
    const before = seen(dirname(earlierPath))
    const table = createTable()
    expect(table.open()).toEqual({ table: expect.any(String), groupsLost: true })
    table.close()
    expect(seen(dirname(earlierPath))).toEqual(before)
  })
})

describe("a link in the place of the agents' table", () => {
  it('is not followed', () => {
    const elsewhere = join(home, 'elsewhere.db')
    symlinkSync(elsewhere, path)
    expect(thrownBy(() => createTable().open())).toMatchObject({ code: 'ELOOP' })
    expect(existsSync(elsewhere)).toBe(false)
  })
})
