/** Trees as manifests, and plans without the order of their steps, for specs that compare what two trees lead to. */
import type { Result } from '../../../src/base/errors.js'
import { Manifest } from '../../../src/domain/files/manifest.js'
import type { SyncPlan } from '../../../src/domain/files/syncPlan.js'
import type { FileEntry } from '../../../src/domain/files/treeValues.js'

export const manifestOf = (tree: Iterable<FileEntry>): Manifest => {
  const manifest = new Manifest()
  for (const entry of tree) manifest.set(entry)
  return manifest
}

export const value = <T>(result: Result<T>): T => {
  if (!result.ok) throw result.error
  return result.value
}

export const joinPlans = (plans: readonly SyncPlan[]): SyncPlan => ({
  create: plans.flatMap(({ create }) => [...create]),
  update: plans.flatMap(({ update }) => [...update]),
  remove: plans.flatMap(({ remove }) => remove),
})

/** A plan without the order of its steps. */
export const unordered = ({ create, update, remove }: SyncPlan): unknown => ({
  create: [...create].map((entry) => JSON.stringify(entry)).sort(),
  update: [...update].map((entry) => JSON.stringify(entry)).sort(),
  remove: [...remove].sort(),
})
