/** The suite for the WazuhDb port, run on the adapter over the fake of 4.14.7, over the commands of before 4.13, and simulated. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it } from 'vitest'
import { createWazuhDb } from '../../src/platform/manager/wazuhDb.js'
import { SimulatedWazuhDb } from '../../src/simulation/manager/simulatedWazuhDb.js'
import { VirtualClock } from '../../src/simulation/world/virtualClock.js'
import { type WazuhDbSuite, type WazuhDbSuiteOptions, wazuhDbCases } from '../../src/testing/compliance/wazuhDbCases.js'
import { FakeWazuhDb } from '../support/manager/wazuhDb/fakeWazuhDb.js'
import { settledIn } from '../support/settledIn.js'

const overSockets =
  (isOld: boolean) =>
  async (options: WazuhDbSuiteOptions): Promise<WazuhDbSuite> => {
    const home = mkdtempSync(join(tmpdir(), 'muster-wdb-'))
    const fake = new FakeWazuhDb({ home, isOld, ...options })
    await fake.start()
    return {
      db: createWazuhDb({ home, warn: () => {} }),
      surroundings: fake,
      settle: (call) => call,
      dispose: async () => {
        await fake.close()
        rmSync(home, { recursive: true })
      },
    }
  }

const simulated =
  (isOld: boolean) =>
  async (options: WazuhDbSuiteOptions): Promise<WazuhDbSuite> => {
    const clock = new VirtualClock()
    const db = new SimulatedWazuhDb({ clock, isOld, ...options })
    return { db: db.port(clock), surroundings: db, settle: settledIn(clock), dispose: async () => {} }
  }

describe.each([
  ['from 4.13', false],
  ['before 4.13', true],
])('wazuh-db %s', (_, isOld) => {
  describe('over its sockets', () => {
    for (const { run, title } of wazuhDbCases(overSockets(isOld))) it(title, run)
  })
  describe('simulated', () => {
    for (const { run, title } of wazuhDbCases(simulated(isOld))) it(title, run)
  })
})
