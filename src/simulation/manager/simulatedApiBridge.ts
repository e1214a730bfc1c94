/** Wazuh's framework of a simulated manager: it answers what it is set to, after the time that it is set to. */
import { ClusterError } from '../../base/errors.js'
import type { Clock } from '../../ports/machine.js'
import type { ApiBridge, CarriedAnswer } from '../../ports/manager.js'

const chunkBytes = 64 * 1024

/** What it makes of a request: an answer, or the JSON of the exception that it raises. */
export type FrameworkAnswer = { readonly answer: string } | { readonly exception: string }

export class SimulatedApiBridge {
  /** Requests that are being carried out. */
  running = 0
  /** How long it takes with each. */
  delayMs = 5
  isOff = false
  answer: (request: string) => FrameworkAnswer = (request) => ({ answer: request })
  /** Of what is under way. */
  readonly #ends = new Set<(error: ClusterError) => void>()

  /** For a process of a node; `clock` is its own. */
  port(clock: Clock): ApiBridge {
    let isClosed = false
    return {
      run: async (request, signal) => {
        signal.throwIfAborted()
        if (this.isOff) throw new ClusterError('apiBridgeOff')
        if (isClosed) throw new ClusterError('aborted', { message: 'The node is stopping' })
        this.running += 1
        try {
          await this.#worked(clock, signal)
        } finally {
          this.running -= 1
        }
        const made = this.answer(Buffer.from(request).toString())
        if ('exception' in made) throw new ClusterError('managerRefused', { message: made.exception })
        return inChunks(Buffer.from(made.answer), signal)
      },
      close: async () => {
        isClosed = true
        this.end()
      },
    }
  }

  /** What is under way fails. */
  end(): void {
    for (const end of [...this.#ends]) end(new ClusterError('managerFailed', { message: 'The framework was ended' }))
  }

  #worked(clock: Clock, signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const settle = (then: () => void): void => {
        clock.clearTimeout(timer)
        this.#ends.delete(end)
        signal.removeEventListener('abort', onAbort)
        then()
      }
      const end = (error: ClusterError): void => settle(() => reject(error))
      const onAbort = (): void => settle(() => reject(signal.reason))
      const timer = clock.setTimeout(() => settle(resolve), this.delayMs)
      this.#ends.add(end)
      signal.addEventListener('abort', onAbort, { once: true })
    })
  }
}

const inChunks = (bytes: Buffer, signal: AbortSignal): CarriedAnswer => ({
  bytes: bytes.byteLength,
  content: (async function* () {
    for (let from = 0; from < bytes.byteLength; from += chunkBytes) {
      signal.throwIfAborted()
      yield bytes.subarray(from, from + chunkBytes)
    }
  })(),
})
