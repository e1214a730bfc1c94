/** The suite for the AgentFiles port, run on the real disk with its thread and on the simulated one in virtual time. */
import { afterAll, beforeAll, describe, it } from 'vitest'
import { createAgentFiles } from '../../src/platform/agents/agentFiles.js'
import { createSimulatedAgentFiles } from '../../src/simulation/world/simulatedAgentFiles.js'
import { VirtualClock } from '../../src/simulation/world/virtualClock.js'
import { type AgentFilesSuite, agentFilesCases } from '../../src/testing/compliance/agentFilesCases.js'
import { suiteItems as synced } from '../../src/testing/compliance/nodeHome.js'
import { type CompiledWorker, compileAgentFilesWorker } from '../support/compiledDiskWorker.js'
import { createMemoryWorld, createNodeWorld, nodeHomeIn } from '../support/files/diskWorlds.js'
import { settledIn } from '../support/settledIn.js'

const managerName = 'manager'

let compiled: CompiledWorker
beforeAll(() => {
  compiled = compileAgentFilesWorker()
})
afterAll(() => compiled.dispose())

const real = (): AgentFilesSuite => ({
  create: (role) => {
    const world = createNodeWorld()
    const files = createAgentFiles({ home: world.home, synced, role, managerName, workerFile: compiled.workerFile })
    return { home: nodeHomeIn(world), files }
  },
  settle: (call) => call,
})

const simulated = (): AgentFilesSuite => {
  const clock = new VirtualClock()
  return {
    create: (role) => {
      const world = createMemoryWorld()
      const files = createSimulatedAgentFiles(world.disk, clock, { home: world.home, synced, role, managerName })
      return { home: nodeHomeIn(world), files }
    },
    settle: settledIn(clock),
  }
}

describe.each([
  { on: 'the real disk', suite: real },
  { on: 'the simulated disk', suite: simulated },
])('the files of agents on $on', ({ suite }) => {
  for (const { title, run } of agentFilesCases(suite)) it(title, run)
})
