/** The file of the agents' table: how one that is damaged, older, newer, locked or large is handled. */
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { ClusterError } from '../../../src/base/errors.js'
import { limits } from '../../../src/base/limits.js'
import { AgentDatabase } from '../../../src/platform/agents/agentDatabase.js'
import { agentTablePath, earlierTablePath } from '../../../src/platform/agents/agentTablePath.js'
import { agentMigrations, migrate } from '../../../src/platform/agents/agentTableSchema.js'
import { SqliteAgentStore } from '../../../src/platform/agents/sqliteAgentStore.js'
import { SqliteAgentTable } from '../../../src/platform/agents/sqliteAgentTable.js'
import { firstMs } from '../../support/agents/agentArbitraries.js'
import { type CompiledWorker, compileWorker } from '../../support/compiledDiskWorker.js'

const needed = ['base', 'domain', 'platform', 'wire', 'ports']
let compiled: CompiledWorker
let home: string
let path: string
beforeAll(() => {
  compiled = compileWorker('platform/agents/agentStoreWorker', needed)
})
afterAll(() => compiled.dispose())
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'muster-agents-'))
  path = join(home, agentTablePath)
})
afterEach(() => rmSync(home, { recursive: true }))

const createTable = (role: 'master' | 'worker' = 'master'): SqliteAgentTable =>
  new SqliteAgentTable({ path, earlierPath: join(home, earlierTablePath), role })
const createStore = (): SqliteAgentStore => new SqliteAgentStore({ home, role: 'master', workerFile: compiled.workerFile })
const keys = (count: number) =>
  Array.from({ length: count }, (_, index) => ({ id: index + 1, name: `agent${index + 1}`, ip: 'any', key: 'k' }))
const fill = (count: number): string => {
  const table = createTable()
  const { table: name } = table.open()
  table.addAgents(keys(count), 0)
  table.close()
  return name
}
const codeOf = (act: () => unknown): string => {
  try {
    act()
    return 'none'
  } catch (thrown) {
    return thrown instanceof ClusterError ? thrown.code : String(thrown)
  }
}
const asideIn = (directory: string): string[] => readdirSync(directory).filter((name) => /^agents\.db\.corrupt-[0-9TZ-]+$/.test(name))

describe('the file of the agents', () => {
  it('is made with its directories, for its owner and group only, and is the same when it is opened again', () => {
    const name = fill(3)
    expect(statSync(path).mode & 0o777).toBe(0o640)
    const table = createTable()
    expect(table.open()).toEqual({ table: name, groupsLost: true })
    expect(table.counts().byStatus.never_connected).toBe(3)
    table.close()
  })

  it.each([
    ['is no database', () => writeFileSync(path, 'garbage '.repeat(1_000))],
    ['is empty', () => truncateSync(path, 0)],
    ['lost the name of its kind', () => writeFileSync(path, Buffer.alloc(100), { flag: 'r+' })],
    ['lost its second half', () => truncateSync(path, Math.floor(statSync(path).size / 2))],
    ['has a torn page', () => writeFileSync(path, Buffer.concat([readFileSync(path).subarray(0, 8_192), Buffer.alloc(40_960, 7)]))],
  ])('is set aside when it %s: an empty one is made, and a sentence says so', (_, damage) => {
    const name = fill(2_000)
    damage()
    const damaged = readFileSync(path)
    const table = createTable()
    const opened = table.open()
    expect(opened.table).not.toBe(name)
    const [aside = ''] = asideIn(dirname(path))
    expect(opened.setAside).toContain(aside)
    expect(opened.setAside).toMatch(
      /^The agents' table .* was set aside as .*\. An empty one was made: .* a master from the first worker that has them\.$/,
    )
    expect(readFileSync(join(dirname(path), aside))).toEqual(damaged)
    expect(table.counts().byStatus.never_connected).toBe(0)
    table.addAgents(keys(1), 0)
    table.close()
    expect(createTable().open().setAside).toBeUndefined()
  })

  it.each([
    ['noise', () => undefined],
    ['noise and its log is cut off', () => truncateSync(`${path}-wal`, 0)],
  ])('is set aside when it is found during use to be %s', async (_, damage) => {
    const name = fill(2_000)
    const store = createStore()
    await store.open()
    // A change by another process: what the thread has in memory is out of date.
    const other = new AgentDatabase(path)
    other.run("UPDATE agent SET ip = '10.0.0.1'")
    damage()
    writeFileSync(path, Buffer.alloc(statSync(path).size, 7), { flag: 'r+' })
    other.close()
    await expect(store.list({}, 0)).rejects.toMatchObject({ code: 'tableDamaged', message: expect.stringContaining(path) })
    await expect(store.highestId()).rejects.toMatchObject({ code: 'tableDamaged' })
    const opened = await store.open()
    expect(opened.table).not.toBe(name)
    expect(opened.setAside).toContain(asideIn(dirname(path))[0])
    await store.addAgents(keys(2), 0)
    expect((await store.list({}, 0)).map(({ id }) => id)).toEqual([1, 2])
    await store.close()
  })

  it('is refused untouched when a newer version made it', () => {
    fill(2)
    const newer = new AgentDatabase(path)
    newer.execute(`PRAGMA user_version = ${agentMigrations.length + 1}`)
    newer.close()
    const before = readFileSync(path)
    expect(codeOf(() => createTable().open())).toBe('tableNewer')
    expect(readFileSync(path)).toEqual(before)
    expect(asideIn(dirname(path))).toEqual([])
  })

  it('is not set aside when it cannot be reached', () => {
    writeFileSync(join(home, 'queue'), 'a file where a directory should be')
    expect(codeOf(() => createTable().open())).toMatch(/ENOTDIR|EEXIST/)
    expect(existsSync(path)).toBe(false)
  })

  it('is brought from each older version to the newest, all steps or none', () => {
    mkdirSync(dirname(path), { recursive: true })
    const steps = ['CREATE TABLE old (id INTEGER PRIMARY KEY)', 'ALTER TABLE old ADD COLUMN name TEXT', 'this is not SQL']
    const database = new AgentDatabase(path)
    migrate(database, steps.slice(0, 1))
    database.run('INSERT INTO old VALUES (?)', 7)
    migrate(database, steps.slice(0, 2))
    expect(database.rows('SELECT json_array(id, name) AS row FROM old')).toEqual([[7, null]])
    expect(() => migrate(database, [...steps.slice(0, 2), 'CREATE TABLE half (id INTEGER)', ...steps.slice(2)])).toThrow()
    expect(database.number('PRAGMA user_version')).toBe(2)
    expect(database.number("SELECT count(*) FROM sqlite_schema WHERE name = 'half'")).toBe(0)
    expect(codeOf(() => migrate(database, steps.slice(0, 1)))).toBe('tableNewer')
    database.close()
  })

  it('counts versions from zero again when a worker becomes a master', () => {
    const asWorker = createTable('worker')
    const { table: before } = asWorker.open()
    asWorker.addAgents(keys(1), 0)
    asWorker.takeGroups([{ id: 1, groups: ['web'] }])
    asWorker.settleGroups({ table: 'its master', version: 9, hash: '' }, undefined)
    asWorker.close()
    const asMaster = createTable()
    const { table } = asMaster.open()
    expect(table).not.toBe(before)
    expect(asMaster.groupsState()).toMatchObject({ table, version: 0 })
    expect(asMaster.groupsPage(0, 0).rows).toEqual([{ id: 1, groups: ['web'] }])
    asMaster.close()
  })

  it('is unchanged by a change that fails in the middle', () => {
    const table = createTable()
    table.open()
    table.addAgents(keys(2), 0)
    // The second row cannot be stored: an invalid name reaches no table in practice.
    const broken = [{ id: 3, name: 'c', ip: 'any', key: 'k' }, JSON.parse('{"id": 4, "name": null, "ip": "any", "key": "k"}')]
    expect(() => table.addAgents(broken, 0)).toThrow()
    expect(table.counts().byStatus.never_connected).toBe(2)
    expect(table.highestId()).toBe(2)
    expect(table.removeAgents([3])).toBe(0)
    table.close()
  })
})

describe('the thread of the agents', () => {
  it('waits while something else holds the table locked', async () => {
    const store = createStore()
    await store.open()
    const other = new AgentDatabase(path)
    other.execute('BEGIN EXCLUSIVE')
    let isDone = false
    const added = store.addAgents(keys(1), 0).then(() => {
      isDone = true
    })
    // A call of another store is answered: the thread waits, it is not just slow to begin.
    const neighbour = new SqliteAgentStore({ home: join(home, 'neighbour'), role: 'master', workerFile: compiled.workerFile })
    await neighbour.open()
    await neighbour.addAgents(keys(1), 0)
    expect(isDone).toBe(false)
    other.execute('COMMIT')
    await added
    expect((await store.counts()).byStatus.never_connected).toBe(1)
    other.execute('BEGIN EXCLUSIVE')
    const waiting = store.addAgents(keys(2), 0).catch((thrown: unknown) => thrown)
    await store.close()
    expect(await waiting).toMatchObject({ code: 'aborted' })
    other.close()
    await neighbour.close()
  })

  it('says what is wrong when the table cannot be opened', async () => {
    writeFileSync(join(home, 'queue'), 'a file where a directory should be')
    const store = createStore()
    await expect(store.open()).rejects.toMatchObject({ code: 'tableFailed', message: expect.stringContaining(path) })
    rmSync(join(home, 'queue'))
    await store.open()
    await store.close()
  })

  it('lists 100 000 agents in pages', async () => {
    const count = 100_000
    const store = createStore()
    await store.open()
    await store.addAgents(keys(count), 0)
    const presences = Array.from({ length: count / 2 }, (_, index) => ({
      ...{ id: 2 * index + 1, seenMs: firstMs, epochMs: firstMs, node: 'w1' },
      ...{ status: 'active' as const, disconnectedMs: 0, disconnection: 'none' as const },
    }))
    expect((await store.record({ presences, details: [] }, firstMs, true)).defaulted).toBe(count / 2)
    const filter = { statuses: ['active' as const], nodes: ['w1'], group: 'default' }
    let listed = 0
    for (let after = 0; ; ) {
      const page = await store.list(filter, after)
      const last = page.at(-1)
      if (!last) break
      expect(page.length).toBeLessThanOrEqual(limits.agentPageRowsMax)
      expect(page[0]?.id).toBeGreaterThan(after)
      listed += page.length
      after = last.id
    }
    expect(listed).toBe(count / 2)
    expect(await store.shape({})).toEqual({
      count,
      idDigits: 6,
      statusChars: 'never_connected'.length,
      nameChars: 11,
      ipChars: 3,
      versionChars: 0,
      nodeChars: 2,
    })
    await store.close()
  })
})
