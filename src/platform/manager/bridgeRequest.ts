/** One request to the program that carries out requests in Wazuh's framework: its answer is read a chunk at a time. */
import { ClusterError } from '../../base/errors.js'
import { limits } from '../../base/limits.js'
import type { CarriedAnswer } from '../../ports/manager.js'

export interface BridgeRequestOptions {
  readonly signal: AbortSignal
  /** Asks for the next chunk. */
  more(): void
  /** Once: it is over here. Not `isWhole`: the program may still be at it. */
  over(isWhole: boolean): void
}

export class BridgeRequest {
  readonly answer: Promise<CarriedAnswer>
  readonly #options: BridgeRequestOptions
  #head: { resolve(answer: CarriedAnswer): void; reject(error: unknown): void } | undefined
  /** Came and was not read yet: the first comes by itself, each other one when it was asked for. */
  readonly #chunks: Buffer[] = []
  #reader: (() => void) | undefined
  /** Of the answer, what did not come yet. */
  #leftBytes = 0
  #failure: unknown
  #isOver = false
  readonly #onAbort = (): void => this.fail(this.#options.signal.reason)

  constructor(options: BridgeRequestOptions) {
    this.#options = options
    this.answer = new Promise((resolve, reject) => {
      this.#head = { resolve, reject }
    })
    options.signal.addEventListener('abort', this.#onAbort, { once: true })
  }

  onAnswer({ bytes, kind }: { readonly kind: 'answer' | 'exception'; readonly bytes: number }): void {
    const head = this.#head
    this.#head = undefined
    if (!head) return
    this.#leftBytes = bytes
    if (bytes === 0) this.#end(true)
    const content = this.#content()
    if (kind === 'answer') head.resolve({ bytes, content })
    else exceptionOf(bytes, content).then((error) => head.reject(error), head.reject)
  }

  onChunk(chunk: Buffer): void {
    if (chunk.byteLength > this.#leftBytes) {
      this.fail(new ClusterError('managerFailed', { message: "An answer of Wazuh's framework is longer than it was announced" }))
      return
    }
    this.#leftBytes -= chunk.byteLength
    this.#chunks.push(chunk)
    if (this.#leftBytes === 0) this.#end(true)
    this.#wake()
  }

  /** Nothing more comes, or is wanted. */
  fail(reason: unknown): void {
    if (this.#isOver) return
    this.#failure = reason
    this.#chunks.length = 0
    this.#end(false)
    this.#head?.reject(reason)
    this.#head = undefined
    this.#wake()
  }

  async *#content(): AsyncGenerator<Uint8Array, void, undefined> {
    try {
      for (;;) {
        const chunk = this.#chunks.shift()
        if (chunk) {
          if (!this.#isOver) this.#options.more()
          yield chunk
        } else if (this.#failure !== undefined) throw this.#failure
        else if (this.#isOver) return
        else
          await new Promise<void>((resolve) => {
            this.#reader = resolve
          })
      }
    } finally {
      this.fail(new ClusterError('aborted', { message: 'The caller no longer reads the answer' }))
    }
  }

  #wake(): void {
    this.#reader?.()
    this.#reader = undefined
  }

  #end(isWhole: boolean): void {
    if (this.#isOver) return
    this.#isOver = true
    this.#options.signal.removeEventListener('abort', this.#onAbort)
    this.#options.over(isWhole)
  }
}

const exceptionOf = async (bytes: number, content: AsyncIterable<Uint8Array>): Promise<ClusterError> => {
  if (bytes > limits.carriedExceptionBytesMax)
    return new ClusterError('managerFailed', { message: `Wazuh's framework raised an exception of ${bytes} bytes` })
  const chunks: Uint8Array[] = []
  for await (const chunk of content) chunks.push(chunk)
  return new ClusterError('managerRefused', { message: Buffer.concat(chunks).toString() })
}
