/**
 * The synced files of a node, as the actors need them, and the synchronous disk below them. The daemon plugs in `platform/` and `transport/`, the simulation its own; one suite (spec/compliance) holds both to the same behaviour.
 * Every port fails with a ClusterError.
 */

import type { ByteRange, ContentRecipe } from '../domain/files/content/contentRecipe.js'
import type {
  AppliedPlan,
  ContentRequest,
  FileEntry,
  PatchRanges,
  PatchStart,
  ScanPage,
  StageOutcome,
  WriteStep,
  WrittenFile,
} from '../domain/files/treeValues.js'

export interface TreeWatch {
  /** Every directory of the tree that is there is watched at the moment. */
  readonly isWhole: boolean
  close(): Promise<void>
}

/**
 * The synced tree of one node. The calls are whole operations, not system calls, because the real ones run inside threads
 * (see tree/ for the code that both worlds share).
 */
export interface Files {
  /** Scans everything, or only `paths` and what is below them; then returns the first page of what changed since the last scan. */
  scan(paths: readonly string[] | undefined, signal: AbortSignal): Promise<ScanPage>
  /** The next page of the last scan, until a page says `done`. */
  nextPage(signal: AbortSignal): Promise<ScanPage>
  /** This process has just written the file, whole. Returns its entry, which no scan reports; nothing when another file is there by now. */
  wrote(file: WrittenFile, signal: AbortSignal): Promise<FileEntry | undefined>
  /** Calls back with paths that may have changed, or with nothing when anything may have. */
  watch(onHint: (paths: readonly string[] | undefined) => void): Promise<TreeWatch>
  /** One block of content (see wire/muster/contentBlock), from `from` on, at most limits.streamChunkBytesMax bytes long. */
  read(request: ContentRequest, signal: AbortSignal): Promise<{ readonly block: Uint8Array; readonly next: ContentRequest | undefined }>
  /** Offsets of what is already staged, by digest: an interrupted transfer goes on from there. */
  staged(digests: readonly string[], signal: AbortSignal): Promise<readonly number[]>
  /** Writes one received block to the stage. The block is used up: its memory may be moved to where it is written. */
  stage(block: Uint8Array, digests: readonly string[], signal: AbortSignal): Promise<StageOutcome>
  /** Of which chunks a file is made. Fails with `fileGone`, with `tooLarge` outside the sizes of a delta, and with `digestMismatch`. */
  recipe(path: string, digest: string, signal: AbortSignal): Promise<ContentRecipe>
  /** Begins to build new content in the stage out of an old one; returns what is missing, nothing when the old one is of no use. */
  beginPatch(start: PatchStart, signal: AbortSignal): Promise<readonly ByteRange[] | undefined>
  /** Writes one received block of what is missing, and returns how many bytes it brought. The block is used up, as in `stage`. */
  fillPatch(block: Uint8Array, ranges: PatchRanges, signal: AbortSignal): Promise<number>
  /** From now on the content is staged. Fails with `digestMismatch`. */
  finishPatch(digest: string, signal: AbortSignal): Promise<void>
  /** Brings the plan's files into place, then deletes. Every failure is per file. */
  apply(plan: { readonly writes: readonly WriteStep[]; readonly removals: readonly string[] }, signal: AbortSignal): Promise<AppliedPlan>
  /** Of the rules, decoders and lists of this node, by path: BLAKE2b-512, hexadecimal. */
  rulesetDigests(signal: AbortSignal): Promise<Readonly<Record<string, string>>>
  /** Bytes that may still be written where content is staged. */
  freeBytes(signal: AbortSignal): Promise<number>
  /** Forgets all that is staged. */
  clearStage(signal: AbortSignal): Promise<void>
  close(): Promise<void>
}

export interface DiskStat {
  readonly kind: 'file' | 'directory' | 'symlink' | 'other'
  readonly size: number
  readonly mode: number
  readonly mtimeNs: bigint
  readonly ctimeNs: bigint
  readonly inode: bigint
  /** How many names it has. */
  readonly links: number
}

export interface DiskEntry {
  /** Raw bytes as the file system has them: they need not be UTF-8. */
  readonly name: Uint8Array
  readonly kind: DiskStat['kind']
}

/**
 * Synchronous file calls, for use inside a thread or a simulation, with absolute paths. They throw errors with the `code`s
 * of Node (ENOENT, ENOSPC, …).
 */
export interface Disk {
  now(): number
  lstat(path: string): DiskStat
  stat(path: string): DiskStat
  realpath(path: string): string
  readdir(path: string): readonly DiskEntry[]
  open(path: string, flags: 'r' | 'r+' | 'w' | 'wx', mode?: number): number
  fstat(file: number): DiskStat
  read(file: number, into: Uint8Array, offset: number, length: number, position: number): number
  write(file: number, from: Uint8Array, offset: number, length: number, position: number): number
  truncate(file: number, size: number): void
  sync(file: number): void
  close(file: number): void
  /** Opens a directory, to be closed like a file. Fails with ENOTDIR for a symlink in its place. */
  openDirectory(path: string): number
  /** A path to an open directory, to go on from with `/name`: it leads there whatever becomes of the directory's own name. */
  heldPath(directory: number): string
  chmod(file: number, mode: number): void
  /** Gives a file the owner and the group of another, or of a directory, as far as the system lets this process do so. */
  keepOwner(file: number, of: number): void
  mkdir(path: string, mode: number): void
  rename(from: string, to: string): void
  unlink(path: string): void
  rmdir(path: string): void
}
