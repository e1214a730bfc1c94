/**
 * A page of a list whose items come one by one: what of them is written, and how many there were. Without `sort` an item is written as it
 * comes; with it, no more than the page and what comes before it are held.
 */
import { limits } from '../../base/limits.js'
import { compareItems, type Item, isWanted, type ListRequest, selected } from './listRequest.js'
import { ApiRefusal, problems } from './problem.js'

/** An item, and when it came: items that are equal stay in order. */
interface Held {
  readonly item: Item
  readonly place: number
}

export class ListPager {
  readonly #request: ListRequest
  readonly #seen = new Set<string>()
  #total = 0
  #held: Held[] = []

  constructor(request: ListRequest) {
    this.#request = request
  }

  /** Of the items that are wanted, before offset and limit. */
  get total(): number {
    return this.#total
  }

  /** The item as it is to be written, unless it is not or not yet. */
  next(item: Item): Item | undefined {
    if (!isWanted(this.#request, item)) return undefined
    const { isDistinct, limit, offset, sort } = this.#request
    const shown = selected(this.#request, item)
    if (isDistinct && this.#isRepeated(shown)) return undefined
    const place = this.#total
    this.#total += 1
    if (!sort) return place >= offset && place < offset + limit ? shown : undefined
    this.#held.push({ item, place })
    if (this.#held.length >= 2 * (offset + limit) + limits.stepsPerTurnMax) this.#trim()
    return undefined
  }

  /** Those that `sort` held back. */
  *rest(): Generator<Item, void, undefined> {
    const { limit, offset } = this.#request
    this.#trim()
    for (const { item } of this.#held.slice(offset, offset + limit)) yield selected(this.#request, item)
  }

  #trim(): void {
    const { limit, offset } = this.#request
    this.#held.sort((a, b) => compareItems(this.#request, a.item, b.item) || a.place - b.place)
    this.#held.length = Math.min(this.#held.length, offset + limit)
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
