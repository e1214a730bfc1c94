/** The AgentFiles port of a simulated node: the same code as the real one's, called inline after a little virtual time. */
import {
  type AgentFilesOperation,
  agentFilesOperations,
  type CreateAgentFilesOptions,
  createSynchronousAgentFiles,
} from '../../disk/agents/synchronousAgentFiles.js'
import type { AgentFiles } from '../../ports/agents.js'
import type { Disk } from '../../ports/files.js'
import type { Clock } from '../../ports/machine.js'
import { calledOperations } from '../../ports/operations.js'
import { SimulatedCalls } from './simulatedCalls.js'

export interface SimulatedAgentFilesOptions extends CreateAgentFilesOptions {
  /** Of each call. */
  readonly delayMs?: number
}

export const createSimulatedAgentFiles = (disk: Disk, clock: Clock, options: SimulatedAgentFilesOptions): AgentFiles => {
  const files = createSynchronousAgentFiles(disk, options)
  const calls = new SimulatedCalls(clock, options.delayMs ?? 0.1)
  return {
    ...calledOperations<AgentFiles, AgentFilesOperation>(agentFilesOperations, (name, given, signal) =>
      calls.run(name === 'nextPage' ? undefined : signal, () => files[name](...given)),
    ),
    close: () => {
      calls.close()
      return Promise.resolve()
    },
  }
}
