/** A node without actors or network: its tree and manifest, and one integrity round between two of them, as the actors do it. */

import { createTree, type Tree } from '../../../src/disk/files/tree.js'
import { Manifest } from '../../../src/domain/files/manifest.js'
import type { SyncedItems } from '../../../src/domain/files/syncedItems.js'
import { decidePlan, type SyncPlan, writeStepsOf } from '../../../src/domain/files/syncPlan.js'
import type { AppliedPlan, ContentRequest, FileEntry, FileFailure } from '../../../src/domain/files/treeValues.js'
import type { DiskWorld } from './diskWorlds.js'

export class TreeNode {
  readonly world: DiskWorld
  readonly tree: Tree
  readonly manifest = new Manifest()
  readonly problems: FileFailure[] = []

  constructor(world: DiskWorld, role: 'master' | 'worker', synced: SyncedItems) {
    this.world = world
    this.tree = createTree(world.disk, { home: world.home, synced, role, stageDir: `${world.home}/queue/cluster/node` })
  }

  /** Brings the manifest up to date; returns the mistakes reported this time. */
  check(paths?: readonly string[]): readonly FileFailure[] {
    const problems: FileFailure[] = []
    for (let page = this.tree.scan(paths); ; page = this.tree.nextPage()) {
      for (const path of page.removals) this.manifest.delete(path)
      for (const entry of page.upserts) this.manifest.set(entry)
      problems.push(...page.problems)
      if (page.done) break
    }
    this.problems.push(...problems)
    return problems
  }

  entries(): Map<string, FileEntry> {
    return new Map([...this.manifest.entries()].map((entry) => [entry.path, entry]))
  }

  apply(plan: Parameters<Tree['apply']>[0]): AppliedPlan {
    const applied = this.tree.apply(plan)
    for (const path of applied.removals) this.manifest.delete(path)
    for (const entry of applied.upserts) this.manifest.set(entry)
    return applied
  }
}

export interface SyncOptions {
  readonly compress?: boolean
  /** Called before each block is read. */
  readonly onBlock?: (index: number) => void
}

/** Brings the content of a plan to the worker's stage. Returns the bytes sent and what failed, by path. */
export const transfer = (
  master: TreeNode,
  worker: TreeNode,
  plan: SyncPlan,
  options: SyncOptions = {},
): { bytes: number; failures: Map<string, string> } => {
  const steps = writeStepsOf(plan, worker.manifest)
  const pathOf = new Map<string, string>()
  for (const step of steps) if (step.from.kind === 'stage' && !pathOf.has(step.digest)) pathOf.set(step.digest, step.path)
  const digests = [...pathOf.keys()]
  const offsets = worker.tree.staged(digests)
  const files = digests.map((digest, index) => ({ path: pathOf.get(digest) ?? '', digest, offset: offsets[index] ?? 0 }))
  const failures = new Map<string, string>()
  let bytes = 0
  let request: ContentRequest | undefined =
    files.length > 0 ? { files, from: { file: 0, offset: files[0]?.offset ?? 0 }, compress: options.compress ?? false } : undefined
  for (let index = 0; request; index++) {
    options.onBlock?.(index)
    const { block, next }: ReturnType<Tree['read']> = master.tree.read(request)
    bytes += block.length
    for (const { code, file } of worker.tree.stage(block, (wanted) => digests[wanted]).failed) failures.set(files[file]?.path ?? '', code)
    request = next
  }
  return { bytes, failures }
}

/** One round: scan, decide, transfer, apply. */
export const syncRound = (
  master: TreeNode,
  worker: TreeNode,
  options: SyncOptions = {},
): { plan: SyncPlan; failures: Map<string, string>; applied: AppliedPlan } => {
  master.check()
  worker.check()
  const plan = decidePlan(master.entries(), worker.entries())
  const { failures } = transfer(master, worker, plan, options)
  const writes = writeStepsOf(plan, worker.manifest).filter((step) => !failures.has(step.path))
  const applied = worker.apply({ writes, removals: plan.remove })
  for (const { code, path } of applied.failures) failures.set(path, code)
  if (failures.size === 0) worker.tree.clearStage()
  return { plan, failures, applied }
}
