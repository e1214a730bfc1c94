/**
 * Takes received content in, block by block. Content counts as whole only when all of it was hashed, it has the digest that
 * was asked for, and it would survive a power loss; until then an interrupted transfer can go on where it stopped.
 */
import { createHash, type Hash, hash as hashOnce } from 'node:crypto'
import { type ErrorCode, errorTable } from '../../../base/errors.js'
import type { Digest, StageOutcome } from '../../../domain/files/treeValues.js'
import type { Disk } from '../../../ports/files.js'
import { type ContentPiece, decodeContentBlock } from '../../../wire/muster/contentBlock.js'
import { errnoOf, failureOf, isGone } from '../diskFailure.js'
import { isDigest, readBytes, readThrough } from '../fileHash.js'
import { type StageArea, writeAll } from './stageArea.js'

/** The one file that comes in at the moment: files come in order. */
interface Incoming {
  readonly digest: Digest
  readonly file: number
  readonly hash: Hash
  offset: number
}

/** Content that is all there and has its digest, but would not survive a power loss yet. */
interface Proven {
  readonly digest: Digest
  readonly file: number
  /** It came in several pieces, and has its own name only once it is durable. */
  readonly isPart: boolean
  /** Indexes of the files that wait for it. */
  readonly wanted: number[]
}

/** What becomes of a block once the files in `unsynced` are made durable. */
export interface Receipt {
  readonly unsynced: readonly number[]
  /** @param failures what was thrown by those that could not be made durable */
  settle(failures: ReadonlyMap<number, unknown>): StageOutcome
}

type PieceOutcome =
  | { readonly kind: 'more' | 'proven' | 'whole' }
  | { readonly kind: 'failed'; readonly code: string; readonly message: string }

const failed = (code: ErrorCode, message: string = `${errorTable[code].says}.`): PieceOutcome => ({ kind: 'failed', code, message })

export class ContentStage {
  readonly #disk: Disk
  readonly #area: StageArea
  readonly #buffer = new Uint8Array(readBytes)
  #incoming: Incoming | undefined
  readonly #proven = new Map<Digest, Proven>()
  /** What this process has proven and made durable, until somebody takes it. What an earlier one left behind is not in here. */
  readonly #whole = new Set<Digest>()
  /** Content whose failure was reported; what still comes of it is dropped. */
  #spoiled: Digest | undefined

  constructor(disk: Disk, area: StageArea) {
    this.#disk = disk
    this.#area = area
  }

  /** Bytes of each content that need not be sent again. */
  staged(digests: readonly Digest[]): number[] {
    this.#spoiled = undefined
    this.#area.distrust()
    const names = this.#area.names()
    for (const digest of this.#whole) if (!names.has(digest)) this.#whole.delete(digest)
    return this.#area.offsets(digests, names)
  }

  /** Takes a block in and makes its files durable, one after the other. */
  stage(block: Uint8Array, digestOf: (file: number) => Digest | undefined): StageOutcome {
    const receipt = this.receive(block, digestOf)
    const failures = new Map<number, unknown>()
    for (const file of receipt.unsynced) {
      try {
        this.#disk.sync(file)
      } catch (thrown) {
        if (errnoOf(thrown) === undefined) throw thrown
        failures.set(file, thrown)
      }
    }
    return receipt.settle(failures)
  }

  /**
   * Takes a block in, and leaves it to the caller to make its files durable: many at a time cost little more than one.
   * Must be settled before anything else is asked.
   * @param digestOf the digest that was asked for, by index of the file
   * @throws ClusterError `malformed` for an invalid block
   */
  receive(block: Uint8Array, digestOf: (file: number) => Digest | undefined): Receipt {
    const pieces = decodeContentBlock(block)
    if (!pieces.ok) throw pieces.error
    const complete: number[] = []
    const failures: { file: number; code: string; message: string }[] = []
    for (const piece of pieces.value) {
      const digest = digestOf(piece.file)
      const outcome =
        digest !== undefined && isDigest(digest) ? this.#take(piece, digest) : failed('malformed', 'This file was not requested.')
      if (outcome.kind === 'whole') complete.push(piece.file)
      else if (outcome.kind === 'proven' && digest !== undefined) this.#proven.get(digest)?.wanted.push(piece.file)
      else if (outcome.kind === 'failed') failures.push({ file: piece.file, code: outcome.code, message: outcome.message })
    }
    return {
      unsynced: Array.from(this.#proven.values(), (proven) => proven.file),
      settle: (unsynced) => {
        for (const proven of this.#proven.values()) {
          const outcome = this.#settle(proven, unsynced)
          if (outcome.kind === 'failed')
            for (const file of proven.wanted) failures.push({ file, code: outcome.code, message: outcome.message })
          else complete.push(...proven.wanted)
        }
        return { complete, failed: failures }
      },
    }
  }

  clear(): void {
    this.close()
    this.#whole.clear()
    this.#area.clear()
  }

  /** Lets go of the file that comes in; what is there of it stays. */
  close(): void {
    this.#closeIncoming()
    for (const { digest, file } of this.#proven.values()) {
      this.#proven.delete(digest)
      this.#disk.close(file)
    }
  }

  #closeIncoming(): void {
    const incoming = this.#incoming
    this.#incoming = undefined
    if (incoming) this.#disk.close(incoming.file)
  }

  #take(piece: ContentPiece, digest: Digest): PieceOutcome {
    if (this.#spoiled === digest && piece.offset > 0) return { kind: 'more' }
    this.#spoiled = undefined
    try {
      const outcome = this.#takeSafely(piece, digest)
      if (outcome.kind === 'failed') this.#spoil(digest)
      return outcome
    } catch (thrown) {
      const { code, message } = failureOf(digest, thrown, 'staged', 'Its content')
      this.#spoil(digest)
      return { kind: 'failed', code, message }
    }
  }

  #takeSafely(piece: ContentPiece, digest: Digest): PieceOutcome {
    if (piece.status === 'failed') return failed(piece.failure?.code ?? 'transferFailed', piece.failure?.message)
    if (piece.status === 'gone') return failed('fileGone')
    if (piece.status === 'changed') return failed('digestMismatch')
    if (this.#proven.has(digest)) return { kind: piece.status === 'last' ? 'proven' : 'more' }
    if (this.#incoming?.digest !== digest && this.#isWhole(digest)) return { kind: piece.status === 'last' ? 'whole' : 'more' }
    if (piece.offset === 0 && piece.status === 'last') return this.#takeWhole(piece.bytes, digest)
    const incoming = this.#incomingAt(digest, piece.offset)
    if (!incoming) return failed('transferFailed', 'The file does not go on where it stopped; fetching it again.')
    writeAll(this.#disk, incoming.file, piece.bytes, incoming.offset)
    incoming.hash.update(piece.bytes)
    incoming.offset += piece.bytes.length
    return piece.status === 'last' ? this.#finish(incoming) : { kind: 'more' }
  }

  /** Content in one piece is proven before there is a file: it needs no name of its own while it is written. */
  #takeWhole(bytes: Uint8Array, digest: Digest): PieceOutcome {
    if (hashOnce('sha256', bytes, 'hex') !== digest) return failed('digestMismatch')
    this.#closeIncoming()
    this.#area.make()
    const file = this.#area.create(this.#area.wholePath(digest))
    try {
      writeAll(this.#disk, file, bytes, 0)
    } catch (thrown) {
      this.#disk.close(file)
      throw thrown
    }
    this.#proven.set(digest, { digest, file, isPart: false, wanted: [] })
    return { kind: 'proven' }
  }

  #finish(incoming: Incoming): PieceOutcome {
    if (incoming.hash.digest('hex') !== incoming.digest) return failed('digestMismatch')
    this.#incoming = undefined
    this.#proven.set(incoming.digest, { digest: incoming.digest, file: incoming.file, isPart: true, wanted: [] })
    return { kind: 'proven' }
  }

  #settle({ digest, file, isPart }: Proven, unsynced: ReadonlyMap<number, unknown>): PieceOutcome {
    this.#proven.delete(digest)
    try {
      this.#disk.close(file)
      if (unsynced.has(file)) throw unsynced.get(file)
      if (isPart) this.#disk.rename(this.#area.partPath(digest), this.#area.wholePath(digest))
      this.#whole.add(digest)
      return { kind: 'whole' }
    } catch (thrown) {
      const { code, message } = failureOf(digest, thrown, 'staged', 'Its content')
      this.#spoil(digest)
      return { kind: 'failed', code, message }
    }
  }

  #isWhole(digest: Digest): boolean {
    return this.#whole.has(digest) && this.#area.has(digest)
  }

  /** The file that the next bytes go to; undefined when there is less of it than the sender thinks. */
  #incomingAt(digest: Digest, offset: number): Incoming | undefined {
    if (this.#incoming?.digest === digest && this.#incoming.offset === offset) return this.#incoming
    this.#closeIncoming()
    this.#area.make()
    const path = this.#area.partPath(digest)
    const file = offset === 0 ? this.#area.create(path) : this.#reopenPart(digest)
    this.#incoming = { digest, file, hash: createHash('sha256'), offset }
    if (offset === 0) return this.#incoming
    const { hash } = this.#incoming
    const present = readThrough(this.#disk, file, this.#buffer, offset, (part) => hash.update(part))
    if (present !== offset) return undefined
    this.#disk.truncate(file, offset)
    return this.#incoming
  }

  /** Of content that is whole but was staged by an earlier process nothing is proven: it goes on as a part. */
  #reopenPart(digest: Digest): number {
    const path = this.#area.partPath(digest)
    try {
      return this.#area.reopen(path, 'r+')
    } catch (thrown) {
      if (!isGone(errnoOf(thrown))) throw thrown
      this.#disk.rename(this.#area.wholePath(digest), path)
      return this.#area.reopen(path, 'r+')
    }
  }

  /** Gives the space back: what failed is fetched again. */
  #spoil(digest: Digest): void {
    this.#spoiled = digest
    if (this.#incoming?.digest === digest) this.#closeIncoming()
    this.#area.distrust()
    try {
      this.#area.remove(this.#area.partPath(digest))
      if (!this.#whole.has(digest)) this.#area.remove(this.#area.wholePath(digest))
    } catch (thrown) {
      // The failure itself is reported already; what cannot be deleted is overwritten or cleared later.
      if (errnoOf(thrown) === undefined) throw thrown
    }
  }
}
