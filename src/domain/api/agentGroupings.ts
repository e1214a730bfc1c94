/** Agents counted by what some of their fields say, as Wazuh groups them. */
import type { Item } from './listRequest.js'
import { valueAt } from './queryLanguage.js'

/** Of a field that an agent does not have. */
const notKnown = 'N/A'

interface Grouping {
  readonly values: readonly unknown[]
  count: number
}

export class AgentGroupings {
  readonly #fields: readonly string[]
  readonly #groupings = new Map<string, Grouping>()

  constructor(fields: readonly string[]) {
    this.#fields = fields
  }

  add(item: Item): void {
    const values = this.#fields.map((field) => valueAt(item, field) ?? notKnown)
    const key = JSON.stringify(values)
    const known = this.#groupings.get(key)
    if (known) known.count += 1
    else this.#groupings.set(key, { values, count: 1 })
  }

  /** In order of their first agents. */
  *items(): Generator<Item, void, undefined> {
    for (const { count, values } of this.#groupings.values()) yield { ...this.#nested(values), count }
  }

  /** `os.name` is in `os`. */
  #nested(values: readonly unknown[]): Item {
    const item: Record<string, unknown> = {}
    for (const [at, field] of this.#fields.entries()) {
      const [name = '', inner] = field.split('.')
      item[name] = inner === undefined ? values[at] : { ...(item[name] as Item | undefined), [inner]: values[at] }
    }
    return item
  }
}
