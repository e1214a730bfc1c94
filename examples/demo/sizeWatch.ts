/**
 * Finds partial files: given the two sizes that each file may have while it is replaced, it checks all files as often as it is
 * asked to. A file that is written in place, or is gone for a moment, is caught by its size.
 */
import { statSync } from 'node:fs'
import { join } from 'node:path'

/** -1 when there is no such file. */
export const sizeIn = (home: string, path: string): number => statSync(join(home, path), { throwIfNoEntry: false })?.size ?? -1

export class SizeWatch {
  readonly #paths: readonly string[]
  readonly #oldSize: number
  readonly #newSize: number
  /** Files that were checked, over all checks. */
  checks = 0

  constructor(paths: readonly string[], sizes: { readonly oldSize: number; readonly newSize: number }) {
    this.#paths = paths
    this.#oldSize = sizes.oldSize
    this.#newSize = sizes.newSize
  }

  /** The number of files that are new; fails when one is neither new nor old. */
  renewed(home: string): number {
    let renewed = 0
    for (const path of this.#paths) {
      const size = sizeIn(home, path)
      this.checks += 1
      if (size === this.#newSize) renewed += 1
      else if (size !== this.#oldSize)
        throw new Error(
          `${path} has ${size} bytes, neither ${this.#oldSize} as before nor ${this.#newSize} as it should have: a partial file`,
        )
    }
    return renewed
  }
}
