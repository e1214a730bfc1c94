/**
 * Takes received content in, block by block. Content counts as whole only when all of it was hashed, it has the digest that
 * was asked for, and it would survive a power loss; until then an interrupted transfer can go on where it stopped.
 */
import { createHash, type Hash } from 'node:crypto'
import { type ContentPiece, decodeContentBlock } from '../domain/contentBlock.js'
import type { Digest, StageOutcome } from '../domain/tree.js'
import { type ErrorCode, errorTable } from '../errors.js'
import type { Disk } from '../ports.js'
import { errnoOf, failureOf } from './diskFailure.js'
import { isDigest, readBytes, readThrough } from './fileHash.js'
import { type StageArea, stagedFileMode, writeAll } from './stageArea.js'

/** The one file that comes in at the moment: files come in order. */
interface Incoming {
  readonly digest: Digest
  readonly file: number
  readonly hash: Hash
  offset: number
}

type PieceOutcome =
  | { readonly kind: 'more' }
  | { readonly kind: 'whole' }
  | { readonly kind: 'failed'; readonly code: string; readonly message: string }

const failed = (code: ErrorCode, message: string = `${errorTable[code].says}.`): PieceOutcome => ({ kind: 'failed', code, message })

export class ContentStage {
  readonly #disk: Disk
  readonly #area: StageArea
  readonly #buffer = new Uint8Array(readBytes)
  #incoming: Incoming | undefined
  /** What was in the area when a transfer began: only what is named here has to be looked for. */
  #whole: Set<string> | undefined
  /** Content whose failure was told; what still comes of it is dropped. */
  #spoiled: Digest | undefined

  constructor(disk: Disk, area: StageArea) {
    this.#disk = disk
    this.#area = area
  }

  /** Bytes of each content that need not be sent again. */
  staged(digests: readonly Digest[]): number[] {
    this.#spoiled = undefined
    this.#area.doubt()
    const names = this.#area.names()
    this.#whole = new Set(names)
    return this.#area.offsets(digests, names)
  }

  /**
   * @param digestOf the digest that was asked for, by index of the file
   * @throws ClusterError `malformed` for a block that is none
   */
  stage(block: Uint8Array, digestOf: (file: number) => Digest | undefined): StageOutcome {
    const pieces = decodeContentBlock(block)
    if (!pieces.ok) throw pieces.error
    const complete: number[] = []
    const failures: { file: number; code: string; message: string }[] = []
    for (const piece of pieces.value) {
      const digest = digestOf(piece.file)
      const outcome =
        digest !== undefined && isDigest(digest) ? this.#take(piece, digest) : failed('malformed', 'Nobody asked for this file.')
      if (outcome.kind === 'whole') complete.push(piece.file)
      else if (outcome.kind === 'failed') failures.push({ file: piece.file, code: outcome.code, message: outcome.message })
    }
    return { complete, failed: failures }
  }

  clear(): void {
    this.close()
    this.#whole = undefined
    this.#area.clear()
  }

  /** Lets go of the file that comes in; what is there of it stays. */
  close(): void {
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
      const { code, message } = failureOf(digest, thrown, 'staged')
      this.#spoil(digest)
      return { kind: 'failed', code, message }
    }
  }

  #takeSafely(piece: ContentPiece, digest: Digest): PieceOutcome {
    if (piece.status === 'failed') return failed(piece.failure?.code ?? 'transferFailed', piece.failure?.message)
    if (piece.status === 'gone') return failed('fileGone')
    if (piece.status === 'changed') return failed('digestMismatch')
    if (this.#incoming?.digest !== digest && this.#isWhole(digest)) return { kind: piece.status === 'last' ? 'whole' : 'more' }
    const incoming = this.#incomingAt(digest, piece.offset)
    if (!incoming) return failed('transferFailed', 'The file does not go on where it stopped; it is fetched again.')
    writeAll(this.#disk, incoming.file, piece.bytes, incoming.offset)
    incoming.hash.update(piece.bytes)
    incoming.offset += piece.bytes.length
    return piece.status === 'last' ? this.#finish(incoming) : { kind: 'more' }
  }

  #finish(incoming: Incoming): PieceOutcome {
    if (incoming.hash.digest('hex') !== incoming.digest) return failed('digestMismatch')
    // The name must never be there before the content is.
    this.#disk.sync(incoming.file)
    this.close()
    this.#disk.rename(this.#area.partPath(incoming.digest), this.#area.wholePath(incoming.digest))
    this.#whole?.add(incoming.digest)
    return { kind: 'whole' }
  }

  #isWhole(digest: Digest): boolean {
    this.#whole ??= new Set(this.#area.names())
    return this.#whole.has(digest) && this.#area.has(digest)
  }

  /** The file that the next bytes go to; undefined when there is less of it than the sender thinks. */
  #incomingAt(digest: Digest, offset: number): Incoming | undefined {
    if (this.#incoming?.digest === digest && this.#incoming.offset === offset) return this.#incoming
    this.close()
    this.#area.make()
    const path = this.#area.partPath(digest)
    const file = this.#disk.open(path, offset === 0 ? 'w' : 'r+', stagedFileMode)
    this.#incoming = { digest, file, hash: createHash('sha256'), offset }
    if (offset === 0) return this.#incoming
    const { hash } = this.#incoming
    const present = readThrough(this.#disk, file, this.#buffer, offset, (part) => hash.update(part))
    if (present !== offset) return undefined
    this.#disk.truncate(file, offset)
    return this.#incoming
  }

  /** Gives the space back: what failed is fetched anew. */
  #spoil(digest: Digest): void {
    this.#spoiled = digest
    if (this.#incoming?.digest === digest) this.close()
    this.#area.doubt()
    try {
      this.#area.remove(this.#area.partPath(digest))
    } catch (thrown) {
      // The failure itself is told already; what cannot be deleted is overwritten or cleared later.
      if (errnoOf(thrown) === undefined) throw thrown
    }
  }
}
