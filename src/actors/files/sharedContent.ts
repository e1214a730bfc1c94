/**
 * Content on its way to several workers at once: a block that was read for one transfer is kept for others that ask for the same,
 * so that a master with many new workers reads and packs its tree about once. For a transfer that is alone nothing is kept.
 */
import { createHash } from 'node:crypto'
import { ClusterError } from '../../base/errors.js'
import { limits } from '../../base/limits.js'
import type { ContentRequest } from '../../domain/files/treeValues.js'
import type { Files } from '../../ports/files.js'

type Answer = Awaited<ReturnType<Files['read']>>

/** What one transfer reads, block by block. */
export interface SharedReading {
  read(request: ContentRequest, signal: AbortSignal): Promise<Answer>
  /** Must be called once, when nothing more will be read. */
  end(): void
}

interface Kept {
  readonly answer: Promise<Answer>
  /** What it holds on to; 0 until it was read. */
  bytes: number
}

/** A read that several wait for goes on although one of them leaves. */
const untilRead = new AbortController().signal

const assertGoing = (signal: AbortSignal): void => {
  if (signal.aborted) throw new ClusterError('aborted', { cause: signal.reason })
}

export class SharedContent {
  readonly #files: Pick<Files, 'read'>
  readonly #bytesMax: number
  /** By what was asked for and where; the oldest first. */
  readonly #kept = new Map<string, Kept>()
  #keptBytes = 0
  #readings = 0

  constructor(files: Pick<Files, 'read'>, bytesMax: number = limits.sharedContentBytesMax) {
    this.#files = files
    this.#bytesMax = bytesMax
  }

  /** Bytes of the blocks that are kept. */
  get keptBytes(): number {
    return this.#keptBytes
  }

  begin(files: ContentRequest['files']): SharedReading {
    this.#readings += 1
    let asked: string | undefined
    return {
      read: async (request, signal) => {
        assertGoing(signal)
        asked ??= digestOf(files)
        const key = `${asked} ${request.compress} ${request.from.file} ${request.from.offset}`
        const known = this.#kept.get(key)
        if (!known && this.#readings === 1) return this.#files.read(request, signal)
        const answer = await (known ?? this.#readOnce(key, request)).answer
        assertGoing(signal)
        return answer
      },
      end: () => {
        this.#readings -= 1
        if (this.#readings === 0) this.#forget([...this.#kept.keys()])
      },
    }
  }

  #readOnce(key: string, request: ContentRequest): Kept {
    const kept: Kept = { answer: this.#files.read(request, untilRead), bytes: 0 }
    this.#kept.set(key, kept)
    kept.answer.then(
      ({ block }) => this.#keep(key, kept, block.buffer.byteLength),
      () => this.#forget([key]),
    )
    return kept
  }

  #keep(key: string, kept: Kept, bytes: number): void {
    if (this.#kept.get(key) !== kept) return
    kept.bytes = bytes
    this.#keptBytes += bytes
    for (const oldest of this.#kept.keys()) {
      if (this.#keptBytes <= this.#bytesMax) break
      this.#forget([oldest])
    }
  }

  #forget(keys: readonly string[]): void {
    for (const key of keys) {
      this.#keptBytes -= this.#kept.get(key)?.bytes ?? 0
      this.#kept.delete(key)
    }
  }
}

const digestOf = (files: ContentRequest['files']): string => {
  const hash = createHash('sha256')
  hash.update(files.map(({ digest, end, offset, path }) => `${path}\0${digest} ${offset} ${end ?? ''}`).join('\0'))
  return hash.digest('hex')
}
