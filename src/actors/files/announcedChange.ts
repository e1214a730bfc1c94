/** The change that the master announced last, kept until it is used, and whether it may be: a worker need not ask before it carries it out. */
import { type ChangeNotice, isAnnouncedFor } from '../../domain/files/changeNotice.js'
import { sameDigest } from '../../domain/files/manifest.js'
import type { Link } from '../../ports/link.js'

/** Of a build that announces what changed, and compares the root that a report ends with. */
export const changesCapability = 'changes'
/** Of a build that takes small content with the announcement. */
export const contentsCapability = 'contents'
/** Of a build that takes it as a notice that all of an announced change was carried out. */
export const appliedCapability = 'applied'

export class AnnouncedChange {
  /** The link over which a check was answered, so that both nodes have the same items. */
  #agreedOver: Link | undefined
  #last: { readonly link: Link; readonly notice: ChangeNotice } | undefined

  note(link: Link, notice: ChangeNotice): void {
    this.#last = { link, notice }
  }

  agreed(link: Link): void {
    this.#agreedOver = link
  }

  forget(): void {
    this.#last = undefined
  }

  /** It, when a tree with this root lacks what was announced and nothing else. */
  for(link: Link, root: Uint8Array): ChangeNotice | undefined {
    const last = this.#last
    if (last?.link !== link || this.#agreedOver !== link) return undefined
    return isAnnouncedFor(last.notice, root) && !sameDigest(last.notice.root, root) ? last.notice : undefined
  }
}
