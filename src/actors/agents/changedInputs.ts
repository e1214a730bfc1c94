/** Which files changed that merged files are made of, since they were built last. */
import { concernsMerged } from '../../domain/agents/mergedFile.js'

export class ChangedInputs {
  /** Undefined: any may have. */
  #paths: Set<string> | undefined

  /** @param paths nothing when any file may have changed. Says whether one of them matters. */
  add(paths: readonly string[] | undefined): boolean {
    if (!paths) {
      this.#paths = undefined
      return true
    }
    const concerned = paths.filter(concernsMerged)
    for (const path of concerned) this.#paths?.add(path)
    return concerned.length > 0
  }

  /** Lets a build have what changed; when it fails, nobody knows what it has done. */
  async handle<T>(build: (paths: readonly string[] | undefined) => Promise<T>): Promise<T> {
    const paths = this.#paths
    this.#paths = new Set()
    try {
      return await build(paths && [...paths])
    } catch (thrown) {
      this.#paths = undefined
      throw thrown
    }
  }
}
