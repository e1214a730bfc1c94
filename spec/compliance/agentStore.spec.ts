/** The suite for the AgentStore port, run on SQLite in its thread and on the simulated table in virtual time. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { Manager } from '../../src/domain/agents/leftToManager.js'
import { SqliteAgentStore } from '../../src/platform/agents/sqliteAgentStore.js'
import { SqliteAgentTable } from '../../src/platform/agents/sqliteAgentTable.js'
import { MemoryAgentStore } from '../../src/simulation/world/memoryAgentStore.js'
import { MemoryAgentTable } from '../../src/simulation/world/memoryAgentTable.js'
import { VirtualClock } from '../../src/simulation/world/virtualClock.js'
import { type AgentStoreSuite, agentStoreCases } from '../../src/testing/compliance/agentStoreCases.js'
import { filters, operationsOn, viewOf } from '../support/agents/agentOperations.js'
import { type CompiledWorker, compileWorker } from '../support/compiledDiskWorker.js'
import { runs } from '../support/runs.js'
import { settledIn } from '../support/settledIn.js'

const needed = ['base', 'domain', 'platform', 'wire', 'ports']
let compiled: CompiledWorker
let home: string
beforeAll(() => {
  compiled = compileWorker('platform/agents/agentStoreWorker', needed)
})
afterAll(() => compiled.dispose())
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'muster-agents-'))
})
afterEach(() => rmSync(home, { recursive: true }))

const sqlite = (): AgentStoreSuite => {
  const below = mkdtempSync(join(home, 'case-'))
  return {
    create: (role, manager) => new SqliteAgentStore({ home: join(below, role), role, manager, workerFile: compiled.workerFile }),
    settle: (call) => call,
    dispose: () => rmSync(below, { recursive: true }),
  }
}

const simulated = (): AgentStoreSuite => {
  const clock = new VirtualClock()
  const tables = new Map<string, MemoryAgentTable>()
  const tableOf = (role: 'master' | 'worker', manager: Manager): MemoryAgentTable => {
    const table = tables.get(role) ?? new MemoryAgentTable(role, `table of a ${role}`, manager)
    tables.set(role, table)
    return table
  }
  return {
    create: (role, manager) => new MemoryAgentStore(tableOf(role, manager), clock),
    settle: settledIn(clock),
    dispose: () => undefined,
  }
}

describe.each([
  { on: 'SQLite', suite: sqlite },
  { on: 'the simulated table', suite: simulated },
])('the agents of a node in $on', ({ suite }) => {
  for (const { title, run } of agentStoreCases(suite)) it(title, run)
})

const keys = (count: number) =>
  Array.from({ length: count }, (_, index) => ({ id: index + 1, name: `agent${index + 1}`, ip: 'any', key: 'k' }))

const owners = (['master', 'worker'] as const).flatMap((role) => (['none', 'wazuh'] as const).map((manager) => ({ role, manager })))

describe.each(owners)('the table of a $role where the manager is $manager', ({ manager, role }) => {
  it('is the same in SQL as by the rules of the domain, whatever is done to it', () => {
    let run = 0
    fc.assert(
      fc.property(operationsOn(role), filters, (operations, filter) => {
        const real = new SqliteAgentTable({ path: join(home, `${run++}.db`), earlierPath: join(home, 'none.db'), role, manager })
        const model = new MemoryAgentTable(role, '00000000-0000-0000-0000-000000000000', manager)
        try {
          for (const table of [real, model]) {
            table.open()
            table.addAgents(keys(4), 0)
          }
          for (const operate of operations) expect(operate(real)).toEqual(operate(model))
          expect(viewOf(real, filter)).toEqual(viewOf(model, filter))
        } finally {
          real.close()
        }
      }),
      // A failure is shrunk for as long as a run may take, not for ever.
      { numRuns: runs(25), interruptAfterTimeLimit: 50_000 },
    )
  })
})
