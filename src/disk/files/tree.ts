/**
 * The operations on one node's synced tree, over a synchronous disk: what the Files port does, without its threads. The real
 * port keeps three of these, one for scanning and applying, one for content and one for patches; the simulated port one for all.
 */
import { commonMode, type SyncedItems } from '../../domain/files/syncedItems.js'
import type { ContentRequest, Digest, StageOutcome } from '../../domain/files/treeValues.js'
import type { Disk, Files } from '../../ports/files.js'
import type { Synchronous } from '../../ports/operations.js'
import { ContentPatch } from './content/contentPatch.js'
import { ContentReader, type ReadContent } from './content/contentReader.js'
import { ContentStage, type Receipt } from './content/contentStage.js'
import { RecipeReader } from './content/recipeReader.js'
import { StageArea } from './content/stageArea.js'
import type { TreeOptions } from './fileCheck.js'
import { HeldDisk } from './heldDisk.js'
import { createPlanApplier } from './planApplier.js'
import { parentOf } from './relativePath.js'
import { rulesetDigests } from './rulesetDigests.js'
import { Scanner } from './scanner.js'

export interface CreateTreeOptions extends TreeOptions {
  /** Absolute; created when needed. Best on the file system of the home: then content is renamed into place. */
  readonly stageDir: string
}

export const treeOperations = [
  ...(['scan', 'nextPage', 'wrote', 'apply', 'staged', 'clearStage'] as const),
  ...(['recipe', 'beginPatch', 'fillPatch', 'finishPatch', 'rulesetDigests'] as const),
] as const

export type TreeOperation = (typeof treeOperations)[number]

/** The methods of the Files port, synchronous; those that are called with other values than there are written out. */
export interface Tree extends Synchronous<Files, TreeOperation> {
  /** @param firstFile how the first file of the request is numbered in the block, when it is a part of a larger one */
  read(request: ContentRequest, firstFile?: number): ReadContent
  /** @throws ClusterError `malformed` for an invalid block */
  stage(block: Uint8Array, digestOf: (file: number) => Digest | undefined): StageOutcome
  /** Like `stage`, but leaves it to the caller to make the files durable. */
  receive(block: Uint8Array, digestOf: (file: number) => Digest | undefined): Receipt
  /** Closes the file that is being received, if any. */
  close(): void
}

/** Most files get no other mode later. The owner must be able to go on with them. */
const stagedMode = (synced: SyncedItems): number => commonMode(synced) | 0o600

export const createTree = (anyDisk: Disk, options: CreateTreeOptions): Tree => {
  const itemDirs = options.synced.items.map(({ dir }) => `${options.home}/${dir}`)
  const disk = new HeldDisk(anyDisk, [...itemDirs, parentOf(options.stageDir)])
  const area = new StageArea(disk, options.stageDir, stagedMode(options.synced))
  const scanner = new Scanner(disk, options)
  const apply = createPlanApplier(disk, options, area, scanner)
  const reader = new ContentReader(disk, options)
  const stage = new ContentStage(disk, area)
  const recipes = new RecipeReader(disk, options)
  const patch = new ContentPatch(disk, options, area)
  const { operation } = disk
  return {
    scan: (paths) => operation(() => scanner.scan(paths)),
    nextPage: () => operation(() => scanner.nextPage()),
    wrote: (file) => operation(() => scanner.wrote(file)),
    read: (request, firstFile) => operation(() => reader.read(request, firstFile)),
    staged: (digests) => operation(() => stage.staged(digests)),
    stage: (block, digestOf) => operation(() => stage.stage(block, digestOf)),
    receive: (block, digestOf) => {
      const { settle, unsynced } = operation(() => stage.receive(block, digestOf))
      return { unsynced, settle: (failures) => operation(() => settle(failures)) }
    },
    recipe: (path, digest) => operation(() => recipes.recipe(path, digest)),
    beginPatch: (start) => operation(() => patch.begin(start)),
    fillPatch: (block, ranges) => operation(() => patch.fill(block, ranges)),
    finishPatch: (digest) => operation(() => patch.finish(digest)),
    apply: (plan) => operation(() => apply(plan)),
    rulesetDigests: () => operation(() => rulesetDigests(disk, options)),
    clearStage: () => operation(() => stage.clear()),
    close: () => stage.close(),
  }
}
