/**
 * A page of a list whose items come one by one: what of them is written, and how many there were. Without `sort` an item is written as it
 * comes; with it, no more than the page and what comes before it are held.
 */
import { limits } from '../../base/limits.js'
import { compareKeys, type Item, isWanted, type ListRequest, type SortKeys, selected, sortKeys } from './listRequest.js'
import { ApiRefusal, problems } from './problem.js'
import { SortedRuns } from './sortedRuns.js'

/** An item, what is compared of it, and when it came: items that are equal stay in order. */
interface Held {
  readonly item: Item
  readonly keys: SortKeys
  readonly place: number
}

export class ListPager {
  readonly #request: ListRequest
  readonly #sorted: SortedRuns<Held> | undefined
  readonly #seen = new Set<string>()
  #total = 0

  constructor(request: ListRequest) {
    const { limit, offset, sort } = request
    this.#request = request
    if (sort) this.#sorted = new SortedRuns((a, b) => compareKeys(request, a.keys, b.keys) || a.place - b.place, offset + limit)
  }

  /** Of the items that are wanted, before offset and limit. */
  get total(): number {
    return this.#total
  }

  /** The item as it is to be written, unless it is not or not yet. */
  next(item: Item): Item | undefined {
    if (!isWanted(this.#request, item)) return undefined
    const { isDistinct, limit, offset } = this.#request
    const shown = selected(this.#request, item)
    if (isDistinct && this.#isRepeated(shown)) return undefined
    const place = this.#total
    this.#total += 1
    if (!this.#sorted) return place >= offset && place < offset + limit ? shown : undefined
    this.#sorted.add({ item: shown, keys: sortKeys(this.#request, item), place })
    return undefined
  }

  /** Forgets items that are on no page, when too many are held; yields whenever everything else should have a turn. */
  *shrink(): Generator<void, void, undefined> {
    if (this.#sorted?.isOverfull) yield* this.#sorted.shrink()
  }

  /** Those that `sort` held back. */
  *rest(): Generator<Item, void, undefined> {
    let left = this.#request.offset
    for (const { item } of this.#sorted?.inOrder() ?? []) if (left-- <= 0) yield item
  }

  #isRepeated(shown: Item): boolean {
    const key = JSON.stringify(shown)
    if (this.#seen.has(key)) return true
    if (this.#seen.size >= limits.apiSortedItemsMax)
      throw new ApiRefusal(problems.limitTooLarge, 'There are too many different items for distinct')
    this.#seen.add(key)
    return false
  }
}
