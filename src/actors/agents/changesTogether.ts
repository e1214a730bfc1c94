/** Changes of client.keys take turns with the checks of it; those that wait for a turn are written together, and answered one by one. */

import { ClusterError, isErrorCode } from '../../base/errors.js'
import type { InTurn } from '../../base/inTurn.js'
import { limits } from '../../base/limits.js'
import type { KeyEntry, KeysAnswer, KeysChange } from '../../domain/agents/keyEntry.js'
import type { AgentFiles } from '../../ports/agents.js'

export interface ChangesTogetherOptions {
  readonly files: Pick<AgentFiles, 'change'>
  /** The turns in which client.keys is read and changed. */
  readonly inTurn: InTurn
  /** They are written; they are answered once this resolves. */
  readonly onWritten: (signal: AbortSignal) => Promise<void>
}

interface WaitingChange {
  readonly change: KeysChange
  readonly resolve: (answer: KeysAnswer) => void
  readonly reject: (thrown: unknown) => void
}

export class ChangesTogether {
  readonly #options: ChangesTogetherOptions
  readonly #waiting: WaitingChange[] = []

  constructor(options: ChangesTogetherOptions) {
    this.#options = options
  }

  /** Fails with what the rules say. */
  async make(change: KeysChange): Promise<KeyEntry> {
    const answer = await new Promise<KeysAnswer>((resolve, reject) => {
      this.#waiting.push({ change, resolve, reject })
      if (this.#waiting.length === 1) void this.#options.inTurn.run(() => this.#write())
    })
    if (answer.ok) return answer.entry
    throw new ClusterError(isErrorCode(answer.code) ? answer.code : 'internal', { message: answer.message })
  }

  async #write(): Promise<void> {
    const { files, inTurn, onWritten } = this.#options
    const together = this.#waiting.splice(0, limits.keysChangesMax)
    if (this.#waiting.length > 0) void inTurn.run(() => this.#write())
    // Who asked may go away; what is begun is finished for the others.
    const { signal } = new AbortController()
    try {
      const answers = await files.change(
        together.map(({ change }) => change),
        signal,
      )
      await onWritten(signal)
      for (const [index, { reject, resolve }] of together.entries()) {
        const answer = answers[index]
        if (answer) resolve(answer)
        else reject(new ClusterError('internal', { message: 'A change of client.keys was not answered' }))
      }
    } catch (thrown) {
      for (const { reject } of together) reject(thrown)
    }
  }
}
