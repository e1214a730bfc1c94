/** The AgentStore port over a file of SQLite: all of it happens in a thread of its own, one call after the other. */
import { join } from 'node:path'
import { ClusterError } from '../../base/errors.js'
import { limits } from '../../base/limits.js'
import { CalledAgentStore, type StoreAnswer, type StoreCall } from '../../calledAgentStore.js'
import type { Manager } from '../../domain/agents/leftToManager.js'
import type { StoreOperation } from '../../ports/agents.js'
import { OwnThread } from '../machine/ownThread.js'
import type { AgentCall } from './agentStoreWorker.js'
import { agentTablePath, earlierTablePath } from './agentTablePath.js'
import type { SqliteAgentTableOptions } from './sqliteAgentTable.js'

export interface SqliteAgentStoreOptions {
  readonly home: string
  readonly role: 'master' | 'worker'
  /** Whether a real manager has the agents; `none` when left out. */
  readonly manager?: Manager
  /** The compiled agentStoreWorker; the one beside this file when left out. */
  readonly workerFile?: URL
}

/** By the name that agentStoreWorker runs it by. */
interface TableTasks {
  call: { readonly task: AgentCall; readonly answer: unknown }
}

/** What a table that does not answer may delay a stop. */
const closeMsMax = 1_000
const defaultWorkerFile = new URL('./agentStoreWorker.js', import.meta.url)

export class SqliteAgentStore extends CalledAgentStore {
  readonly #thread: OwnThread<TableTasks>
  #calls = 0

  constructor({ home, manager = 'none', role, workerFile = defaultWorkerFile }: SqliteAgentStoreOptions) {
    super()
    const workerData: SqliteAgentTableOptions = {
      path: join(home, agentTablePath),
      earlierPath: join(home, earlierTablePath),
      role,
      manager,
    }
    this.#thread = new OwnThread({
      workerFile,
      workerData,
      closed: "The agents' table is closed",
      died: 'tableFailed',
      failed: () => 'tableFailed',
    })
  }

  /** Waits for the call that is under way, but not long for a locked table; the calls behind it fail. */
  close(): Promise<void> {
    return this.#thread.closeAfter('call', { name: 'close', given: [] }, closeMsMax)
  }

  protected async call<K extends StoreOperation>(name: K, given: StoreCall<K>): Promise<StoreAnswer<K>> {
    if (this.#calls >= limits.agentCallsWaitingMax)
      throw new ClusterError('overloaded', { message: "Too many calls wait for the agents' table" })
    this.#calls += 1
    try {
      const own = given.map((value) => (value instanceof Uint8Array ? ownBytes(value) : value))
      const moved = own.flatMap((value) => (value instanceof Uint8Array ? [value.buffer] : []))
      return (await this.#thread.run('call', { name, given: own }, moved)) as StoreAnswer<K>
    } finally {
      this.#calls -= 1
    }
  }
}

/** What is part of a larger buffer, such as a frame, is copied: the rest is not ours to move. */
const ownBytes = (bytes: Uint8Array): Uint8Array<ArrayBuffer> => {
  const isWhole = bytes.byteLength === bytes.buffer.byteLength
  return isWhole && bytes.buffer instanceof ArrayBuffer ? new Uint8Array(bytes.buffer) : Uint8Array.from(bytes)
}
