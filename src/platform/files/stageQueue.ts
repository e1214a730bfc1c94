/**
 * Blocks on their way to the content thread: what comes in while the thread is busy goes to it together, because a hop between
 * threads costs more than a block. Blocks are staged in the order in which they came.
 */

import { asClusterError, ClusterError } from '../../base/errors.js'
import { limits } from '../../base/limits.js'
import type { Digest, StageOutcome } from '../../domain/files/treeValues.js'
import { filesInBlock } from '../../wire/muster/contentBlock.js'
import { isRefusal, refusalIn } from '../machine/threadAnswer.js'
import type { DiskThread } from './diskThreads.js'
import type { ArrivedBlock } from './diskWorker.js'

interface Waiting {
  readonly block: Uint8Array
  readonly digests: readonly Digest[]
  readonly signal: AbortSignal
  resolve(outcome: StageOutcome): void
  reject(error: ClusterError): void
}

/** The header of the only chunk in a frame; no other record, that may still be in use, fits in besides. */
const frameOverheadBytesMax = 16

export class StageQueue {
  readonly #thread: () => DiskThread
  readonly #waiting: Waiting[] = []
  #draining: Promise<void> | undefined

  constructor(thread: () => DiskThread) {
    this.#thread = thread
  }

  /** Takes the block over: it must not be used afterwards. Fails with `aborted` when its turn comes too late, and as the thread does. */
  stage(block: Uint8Array, digests: readonly Digest[], signal: AbortSignal): Promise<StageOutcome> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ block, digests, signal, resolve, reject })
      this.#draining ??= this.#drain()
    })
  }

  /** Resolves when nothing waits any more. */
  async settled(): Promise<void> {
    await this.#draining
  }

  async #drain(): Promise<void> {
    // What is taken in within the same turn of the event loop goes together.
    await Promise.resolve()
    while (this.#waiting.length > 0) await this.#stageTogether(this.#waiting.splice(0, limits.contentBlocksPerTaskMax))
    this.#draining = undefined
  }

  async #stageTogether(batch: readonly Waiting[]): Promise<void> {
    const going: Waiting[] = []
    const blocks: ArrivedBlock[] = []
    for (const waiting of batch) {
      try {
        if (waiting.signal.aborted) throw new ClusterError('aborted', { cause: waiting.signal.reason })
        blocks.push({ digests: digestsOf(waiting.block, waiting.digests), block: movable(waiting.block) })
        going.push(waiting)
      } catch (thrown) {
        waiting.reject(asClusterError(thrown, 'internal'))
      }
    }
    if (going.length === 0) return
    try {
      const answers = await this.#thread().run(
        'stage',
        blocks,
        blocks.map(({ block }) => block.buffer),
      )
      for (const [index, waiting] of going.entries()) {
        const answer = answers[index]
        if (answer === undefined) waiting.reject(new ClusterError('internal', { message: 'The thread did not answer for a block' }))
        else if (isRefusal(answer)) waiting.reject(refusalIn(answer))
        else waiting.resolve(answer)
      }
    } catch (thrown) {
      for (const waiting of going) waiting.reject(asClusterError(thrown, 'internal'))
    }
  }
}

/** A buffer that is nearly all block can be moved to another thread; a smaller part of one is copied. */
export const movable = (block: Uint8Array): Uint8Array<ArrayBuffer> => {
  const { buffer, byteLength, byteOffset } = block
  if (buffer instanceof ArrayBuffer && buffer.byteLength - byteLength <= frameOverheadBytesMax)
    return new Uint8Array(buffer, byteOffset, byteLength)
  return Uint8Array.from(block)
}

/** Only the digests that the block is about, because all of them are many. */
const digestsOf = (block: Uint8Array, digests: readonly Digest[]): ReadonlyMap<number, Digest> => {
  const files = filesInBlock(block)
  if (!files.ok) throw files.error
  const needed = new Map<number, Digest>()
  for (const file of files.value) {
    const digest = digests[file]
    if (digest !== undefined) needed.set(file, digest)
  }
  return needed
}
