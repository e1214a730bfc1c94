/** The states of nodes in `queue/muster/nodes.json`: a small file, replaced as a whole. */
import { limits } from '../../base/limits.js'
import { nodeStatesText, parseNodeStates, type StatesByNode } from '../../domain/cluster/nodeState.js'
import type { Disk } from '../../ports/files.js'
import type { LoadedStates } from '../../ports/nodeStatesStore.js'
import { lstatIfThere, makeDirectory, syncDirectory } from '../agents/makeDirectory.js'
import { replaceFile } from '../agents/replaceFile.js'
import { diskError } from '../files/diskFailure.js'

const directoryPath = 'queue/muster'
export const nodeStatesPath = `${directoryPath}/nodes.json`
const fileMode = 0o640

export class NodeStatesFile {
  readonly #disk: Disk
  readonly #directory: string
  readonly #path: string

  constructor(disk: Disk, home: string) {
    this.#disk = disk
    this.#directory = `${home}/${directoryPath}`
    this.#path = `${home}/${nodeStatesPath}`
  }

  /** @throws ClusterError */
  load(): LoadedStates {
    try {
      const stat = lstatIfThere(this.#disk, this.#path)
      if (!stat) return { states: new Map() }
      if (stat.kind !== 'file') return this.#setAside('it is not a file')
      if (stat.size > limits.nodeStatesBytesMax) return this.#setAside(`it is larger than ${limits.nodeStatesBytesMax} bytes`)
      const parsed = parseNodeStates(this.#read(stat.size))
      return parsed.ok ? { states: parsed.value } : this.#setAside('it is damaged, or not of Muster')
    } catch (thrown) {
      throw diskError(nodeStatesPath, thrown, 'read')
    }
  }

  /** @throws ClusterError */
  save(states: StatesByNode): void {
    try {
      makeDirectory(this.#disk, this.#directory)
      replaceFile(this.#disk, this.#path, [Buffer.from(nodeStatesText(states))], fileMode)
      syncDirectory(this.#disk, this.#directory)
    } catch (thrown) {
      throw diskError(nodeStatesPath, thrown, 'written')
    }
  }

  #read(size: number): Uint8Array {
    const file = this.#disk.open(this.#path, 'r')
    try {
      const content = new Uint8Array(size)
      let length = 0
      while (length < size) {
        const count = this.#disk.read(file, content, length, size - length, length)
        if (count === 0) break
        length += count
      }
      return content.subarray(0, length)
    } finally {
      this.#disk.close(file)
    }
  }

  #setAside(because: string): LoadedStates {
    const name = this.#freeName()
    this.#disk.rename(this.#path, `${this.#directory}/${name}`)
    return {
      states: new Map(),
      setAside: `'${nodeStatesPath}' was set aside as '${name}' because ${because}: all nodes are ready until they are drained or removed again.`,
    }
  }

  #freeName(): string {
    const name = `nodes.json.corrupt-${new Date(this.#disk.now())
      .toISOString()
      .replace(/\.\d+Z$/, 'Z')
      .replaceAll(':', '-')}`
    let free = name
    for (let next = 2; lstatIfThere(this.#disk, `${this.#directory}/${free}`); next++) free = `${name}-${next}`
    return free
  }
}
