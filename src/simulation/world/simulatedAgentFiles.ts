/** The AgentFiles port of a simulated node: the same code as the real one's, called inline after a little virtual time. */
import { type CreateAgentFilesOptions, createSynchronousAgentFiles } from '../../disk/agents/synchronousAgentFiles.js'
import type { AgentFiles } from '../../ports/agents.js'
import type { Disk } from '../../ports/files.js'
import type { Clock } from '../../ports/machine.js'
import { SimulatedCalls } from './simulatedCalls.js'

export interface SimulatedAgentFilesOptions extends CreateAgentFilesOptions {
  /** Of each call. */
  readonly delayMs?: number
}

export const createSimulatedAgentFiles = (disk: Disk, clock: Clock, options: SimulatedAgentFilesOptions): AgentFiles => {
  const files = createSynchronousAgentFiles(disk, options)
  const calls = new SimulatedCalls(clock, options.delayMs ?? 0.1)
  return {
    check: (all, confirmed, signal) => calls.run(signal, () => files.look(all, confirmed)),
    nextPage: () => calls.run(undefined, () => files.nextPage()),
    change: (changes, signal) => calls.run(signal, () => files.change(changes)),
    forget: (ids, signal) => calls.run(signal, () => files.forget(ids)),
    groups: (signal) => calls.run(signal, () => files.groups()),
    groupFiles: (group, signal) => calls.run(signal, () => files.groupFiles(group)),
    mergedSum: (groups, signal) => calls.run(signal, () => files.mergedSum(groups)),
    createGroup: (group, signal) => calls.run(signal, () => files.createGroup(group)),
    createDefaultGroup: (signal) => calls.run(signal, () => files.createDefaultGroup()),
    removeGroup: (group, signal) => calls.run(signal, () => files.removeGroup(group)),
    buildMerged: (multigroups, signal) => calls.run(signal, () => files.buildMerged(multigroups)),
    close: () => {
      calls.close()
      return Promise.resolve()
    },
  }
}
