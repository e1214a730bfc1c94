/** What the operations on a synced tree take and return: plain data that crosses threads. */
import type { ByteRange, ContentRecipe } from './content/contentRecipe.js'
import type { DiskWrites } from './content/syncPace.js'

/** Why a version says nothing about who exists. */
export type KeysNonsense = 'noise' | 'noLine'

/** A SHA-256 digest as 64 lower-case hexadecimal digits. */
export type Digest = string

export interface FileEntry {
  /** Relative to the node's home, normalized, with `/`; inside one of the synced items. */
  readonly path: string
  /** Bytes. */
  readonly size: number
  /** Permission bits: on the master those that the item says, on a worker those that the file has. */
  readonly mode: number
  readonly digest: Digest
  /** There, but its content is not known (unreadable on the master): nobody creates, updates or deletes it. */
  readonly held?: true
  /** Of client.keys on a master: its content cannot be what anybody meant. */
  readonly nonsense?: KeysNonsense
}

export interface FileFailure {
  readonly path: string
  readonly code: string
  readonly message: string
}

/** What a scan of the tree found changed since the scan before, in pages of at most limits.scanPageEntriesMax. */
export interface ScanPage {
  readonly upserts: readonly FileEntry[]
  readonly removals: readonly string[]
  /** Problems seen now and not in the scan before. */
  readonly problems: readonly FileFailure[]
  /** Files in the tree. */
  readonly files: number
  /**
   * Directories of items that are not there at the moment, and directories that a master cannot read. On a master nothing can
   * be said about the files below them then, least of all that nobody should have them.
   */
  readonly unknownDirectories: readonly string[]
  readonly done: boolean
}

/** Content wanted, in order; `from` is where the next block starts. With an `end`, only a range of the file is. */
export interface ContentRequest {
  readonly files: readonly { readonly path: string; readonly digest: Digest; readonly offset: number; readonly end?: number }[]
  readonly from: { readonly file: number; readonly offset: number }
  readonly compress: boolean
}

export interface StageOutcome {
  /** Indexes (into the digests of the request) of files that are now whole and proven. */
  readonly complete: readonly number[]
  readonly failed: readonly (Omit<FileFailure, 'path'> & { readonly file: number })[]
  /** How the files of the next block will be made durable, where that is chosen by measurement. */
  readonly diskWrites?: DiskWrites
}

/** New content of a file, to be built out of the content that it has. */
export interface PatchStart {
  readonly path: string
  /** Of the new content. */
  readonly digest: Digest
  readonly size: number
  readonly recipe: ContentRecipe
}

/** The missing parts of a patch, of which blocks come in. */
export interface PatchRanges {
  readonly digest: Digest
  readonly ranges: readonly ByteRange[]
}

export interface WriteStep {
  readonly path: string
  readonly digest: Digest
  /** `stage`: staged content; `copy`: content that a path of the tree has, be it this one. */
  readonly from: { readonly kind: 'stage' } | { readonly kind: 'copy'; readonly path: string }
}

/** A file that this process has just put in its place, whole: nobody has to read it to know its content. */
export interface WrittenFile {
  readonly path: string
  readonly digest: Digest
  /** Of its stat, see stampOf. */
  readonly stamp: string
}

export interface AppliedPlan {
  readonly failures: readonly FileFailure[]
  /** The tree's own view of what it changed, to bring the manifest up to date without hashing again. */
  readonly upserts: readonly FileEntry[]
  readonly removals: readonly string[]
}

/** An edit that came in the middle of its own transfer: nothing is wrong, and the next check fetches the file again. */
export const isPassing = ({ code }: FileFailure): boolean => code === 'digestMismatch' || code === 'fileGone'
