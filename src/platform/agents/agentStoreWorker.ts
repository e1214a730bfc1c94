/** What runs inside the thread of the agents' table: one operation after the other; while the table is locked, it waits in small steps. */
import { setTimeout as pause } from 'node:timers/promises'
import { workerData } from 'node:worker_threads'
import { limits } from '../../base/limits.js'
import type { AgentTable } from '../../ports/agents.js'
import { refusalOf, type ThreadRefusal } from '../machine/threadAnswer.js'
import { MovedAnswer, runTasks } from '../machine/threadTasks.js'
import { isDamage, isLocked, tableFailure } from './agentDatabase.js'
import { SqliteAgentTable, type SqliteAgentTableOptions } from './sqliteAgentTable.js'

export interface AgentCall {
  readonly name: keyof AgentTable
  /** As the operation takes them. */
  readonly given: readonly unknown[]
}

const options: SqliteAgentTableOptions = workerData
const table = new SqliteAgentTable(options)

const pauseMs = 20

const moved = (answer: unknown): unknown => {
  if (typeof answer !== 'object' || answer === null || !('batch' in answer) || !(answer.batch instanceof Uint8Array)) return answer
  return new MovedAnswer(answer, [answer.batch])
}

const refusal = (thrown: unknown): ThreadRefusal => {
  const failure = tableFailure(options.path, thrown)
  if (failure.code === 'tableDamaged') table.giveUp(failure, isDamage(thrown))
  return refusalOf(failure)
}

const call = async ({ given, name }: AgentCall): Promise<unknown> => {
  const operations: AgentTable = table
  const operation = operations[name].bind(table) as (...given: readonly unknown[]) => unknown
  const untilMs = performance.now() + limits.agentTableLockedMsMax
  for (;;) {
    try {
      return moved(operation(...given))
    } catch (thrown) {
      if (!isLocked(thrown) || performance.now() > untilMs) return refusal(thrown)
      await pause(pauseMs)
    }
  }
}

runTasks({ call })
