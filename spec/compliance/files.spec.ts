/** The suite for the Files port, run on the real disk with its threads and on the simulated one in virtual time. */
import { afterAll, beforeAll, describe, it } from 'vitest'
import { createFiles } from '../../src/platform/files/createFiles.js'
import { createSimulatedFiles } from '../../src/simulation/world/simulatedFiles.js'
import { VirtualClock } from '../../src/simulation/world/virtualClock.js'
import { filesCases } from '../../src/testing/compliance/filesCases.js'
import type { FilesSuite } from '../../src/testing/compliance/filesPair.js'
import { suiteItems as synced } from '../../src/testing/compliance/nodeHome.js'
import { type CompiledWorker, compileDiskWorker } from '../support/compiledDiskWorker.js'
import { createMemoryWorld, createNodeWorld, type DiskWorld, nodeHomeIn } from '../support/files/diskWorlds.js'
import { settledIn } from '../support/settledIn.js'

let compiled: CompiledWorker
beforeAll(() => {
  compiled = compileDiskWorker()
})
afterAll(() => compiled.dispose())

const optionsIn = ({ home }: DiskWorld, role: 'master' | 'worker') => ({ home, synced, role, stageDir: `${home}/queue/cluster/node` })

const onDisk = (options: { readonly contentRestMs?: number }): FilesSuite => ({
  create: (role) => {
    const world = createNodeWorld()
    const { workerFile } = compiled
    return { home: nodeHomeIn(world), files: createFiles({ ...optionsIn(world, role), ...options, workerFile }) }
  },
  settle: (call) => call,
})

const simulated = (): FilesSuite => {
  const clock = new VirtualClock()
  return {
    create: (role) => {
      const world = createMemoryWorld()
      const files = createSimulatedFiles(world.disk, clock, { ...optionsIn(world, role), changes: world.disk })
      return { home: nodeHomeIn(world), files }
    },
    settle: settledIn(clock),
  }
}

describe.each([
  { on: 'the real disk', suite: () => onDisk({}) },
  { on: 'the real disk, when the thread for content ends after each task', suite: () => onDisk({ contentRestMs: 0 }) },
  { on: 'the simulated disk', suite: simulated },
])('the files of a node on $on', ({ suite }) => {
  for (const { title, run } of filesCases(suite)) it(title, run)
})
