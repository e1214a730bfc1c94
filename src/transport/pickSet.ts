/** A set out of which any member can be picked by chance, each in the same time however many there are. */
export class PickSet<T> {
  readonly #members: T[] = []
  readonly #places = new Map<T, number>()

  get size(): number {
    return this.#members.length
  }

  add(member: T): void {
    if (this.#places.has(member)) return
    this.#places.set(member, this.#members.length)
    this.#members.push(member)
  }

  delete(member: T): void {
    const place = this.#places.get(member)
    const last = this.#members.pop()
    if (place === undefined || last === undefined) {
      if (last !== undefined) this.#members.push(last)
      return
    }
    this.#places.delete(member)
    if (last === member) return
    this.#members[place] = last
    this.#places.set(last, place)
  }

  /** @param fraction uniform in [0, 1) */
  pick(fraction: number): T | undefined {
    return this.#members[Math.floor(fraction * this.#members.length)]
  }

  [Symbol.iterator](): IterableIterator<T> {
    return this.#members[Symbol.iterator]()
  }
}
