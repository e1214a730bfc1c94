/** Content of merged.mg files while agents get it: read once for all agents of the same groups, within a bound of bytes, and kept a minute longer. */
import { createHash } from 'node:crypto'
import type { Deadline, Deadlines, Due } from '../../../base/deadlines.js'
import type { ClusterError } from '../../../base/errors.js'
import { limits } from '../../../base/limits.js'
import type { ListenerFiles } from '../../../ports/listener.js'
import { checkPushable } from '../../../wire/agents/sharedPush.js'

export class MergedContent implements Due {
  readonly bytes: Uint8Array
  /** Of these very bytes. */
  readonly sum: string
  /** Why no agent would get it as it is. */
  readonly refusal: ClusterError | undefined
  users = 0
  deadline: Deadline | undefined
  readonly #onDue: (content: MergedContent) => void

  constructor(bytes: Uint8Array, onDue: (content: MergedContent) => void) {
    this.bytes = bytes
    this.sum = createHash('md5').update(bytes).digest('hex')
    const pushable = checkPushable(bytes)
    this.refusal = pushable.ok ? undefined : pushable.error
    this.#onDue = onDue
  }

  due(): void {
    this.#onDue(this)
  }
}

export class MergedContents {
  readonly #files: Pick<ListenerFiles, 'readMerged'>
  readonly #deadlines: Deadlines
  readonly #bySum = new Map<string, MergedContent>()
  #bytes = 0

  constructor(files: Pick<ListenerFiles, 'readMerged'>, deadlines: Deadlines) {
    this.#files = files
    this.#deadlines = deadlines
  }

  get size(): number {
    return this.#bySum.size
  }

  /**
   * The content with this sum, or what the file has by now; to be given back. `full`: there is no room while agents get others.
   * Fails as ListenerFiles does.
   */
  take(path: string, sum: string): MergedContent | 'missing' | 'full' {
    const known = this.#bySum.get(sum) ?? this.#read(path)
    if (typeof known === 'string') return known
    known.users += 1
    if (known.deadline) this.#deadlines.remove(known.deadline)
    known.deadline = undefined
    return known
  }

  giveBack(content: MergedContent): void {
    content.users -= 1
    if (content.users === 0) content.deadline = this.#deadlines.add(limits.mergedKeptMs, content)
  }

  #read(path: string): MergedContent | 'missing' | 'full' {
    if (this.#bytes >= limits.mergedKeptBytesMax && !this.#makeRoom()) return 'full'
    const bytes = this.#files.readMerged(path)
    if (!bytes) return 'missing'
    const content = new MergedContent(bytes, (due) => this.#drop(due))
    const same = this.#bySum.get(content.sum)
    if (same) return same
    this.#bySum.set(content.sum, content)
    this.#bytes += bytes.length
    return content
  }

  /** The oldest ones that nobody gets go first. */
  #makeRoom(): boolean {
    for (const content of this.#bySum.values()) {
      if (this.#bytes < limits.mergedKeptBytesMax) break
      if (content.users > 0) continue
      if (content.deadline) this.#deadlines.remove(content.deadline)
      this.#drop(content)
    }
    return this.#bytes < limits.mergedKeptBytesMax
  }

  #drop(content: MergedContent): void {
    this.#bySum.delete(content.sum)
    this.#bytes -= content.bytes.length
  }
}
