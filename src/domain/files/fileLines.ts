/** What the log says of single files at debug: each by its name, up to a bound for one scan or one plan, and the number of the others. */

import { counted } from '../../base/counted.js'
import { limits } from '../../base/limits.js'
import type { SyncPlan } from './syncPlan.js'
import type { FileFailure } from './treeValues.js'

export class FileLines {
  readonly #named: string[] = []
  #more = 0

  /** @param what `New file`, `Updated file` */
  add(what: string, path: string, remark = ''): void {
    if (this.#named.length < limits.filesLoggedMax) this.#named.push(`${what}: '${path}'${remark}`)
    else this.#more += 1
  }

  get lines(): readonly string[] {
    return this.#more === 0 ? this.#named : [...this.#named, `And ${counted(this.#more, 'more file')}.`]
  }
}

/** Adds the files of a plan that was carried out, but for `failures`; yields after each, because they may be very many. */
export function* addApplied(
  files: FileLines,
  plan: SyncPlan,
  failures: readonly FileFailure[],
  undone: ReadonlySet<string>,
): Generator<undefined> {
  const failed = new Set(failures.map(({ path }) => path))
  const add = (what: string, path: string): undefined => {
    if (!failed.has(path)) files.add(what, path, undone.has(path) ? ' (a change made on this node is undone)' : '')
  }
  for (const { path } of plan.create) yield add('Created file', path)
  for (const { path } of plan.update) yield add('Updated file', path)
  for (const path of plan.remove) yield add('Remove file', path) // as Wazuh writes it
}
