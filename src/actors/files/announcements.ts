/**
 * What a master announces to its workers after each change: to each what changed since their trees were last the same. Made once for all
 * workers that lack the same.
 */
import { limits } from '../../base/limits.js'
import { announceChange, announcedContent, type ChangeNotice } from '../../domain/files/changeNotice.js'
import { joinDigests, splitPaths } from '../../domain/files/entryColumns.js'
import type { Manifest } from '../../domain/files/manifest.js'
import { RecentChanges } from '../../domain/files/recentChanges.js'
import type { SyncedItems } from '../../domain/files/syncedItems.js'
import type { Files } from '../../ports/files.js'

export interface Announcement {
  readonly notice: ChangeNotice
  /** All that it names. */
  readonly paths: readonly string[]
  /** False once the tree has changed again. */
  readonly isLast: boolean
  /** The notice with what changed, where that is small. Read once; without content when it cannot be read. */
  withContent(): Promise<ChangeNotice>
}

interface AnnouncedTree {
  readonly files: Pick<Files, 'read'>
  readonly manifest: Manifest
  readonly synced: SyncedItems
}

export class Announcements {
  readonly #tree: AnnouncedTree
  readonly #recent = new RecentChanges()
  /** Of the tree as it is, by how many changes they are of. */
  #made = new Map<number, Announcement>()

  constructor(tree: AnnouncedTree) {
    this.#tree = tree
  }

  /** The tree that had this root changed in no other paths than these. */
  changed(root: Uint8Array, paths: Iterable<string>): void {
    this.#recent.add(root, paths)
    this.#made = new Map()
  }

  /** The tree changed in ways that are not known. */
  forget(): void {
    this.#recent.forget()
    this.#made = new Map()
  }

  /** For a worker whose tree had this root when it was last the same; all that is known when that is not known. */
  since(root: Uint8Array | undefined): Announcement {
    const count = this.#recent.countSince(root)
    const known = this.#made.get(count)
    if (known) return known
    const made = this.#make(this.#recent.last(count))
    this.#made.set(count, made)
    return made
  }

  #make(recent: RecentChanges): Announcement {
    const { manifest, synced } = this.#tree
    const notice = announceChange(recent, manifest, synced)
    const made = this.#made
    const isLast = (): boolean => this.#made === made
    let withContent: Promise<ChangeNotice> | undefined
    return {
      notice,
      paths: [...splitPaths(notice.entries?.paths ?? ''), ...splitPaths(notice.removed ?? '')],
      get isLast() {
        return isLast()
      },
      withContent: () => {
        withContent ??= this.#readContent(notice, recent)
        return withContent
      },
    }
  }

  async #readContent(notice: ChangeNotice, recent: RecentChanges): Promise<ChangeNotice> {
    const { files, manifest } = this.#tree
    const request = notice.since && announcedContent(recent, manifest)
    if (!request) return notice
    const read = await files.read(request, new AbortController().signal).catch(() => undefined)
    if (!read || read.next || read.block.byteLength > limits.announcedBlockBytesMax) return notice
    return { ...notice, content: read.block, contentDigests: joinDigests(request.files.map(({ digest }) => digest)) }
  }
}
