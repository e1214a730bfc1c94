/** "Did you mean": the known name that somebody probably meant. */

const givenCharsMax = 32
/** A longer name may have two slips in it. */
const shortChars = 5

/** The one with the fewest slips (a letter too many, too few, another one, or two swapped); undefined when none is close. */
export const closestName = (given: string, known: readonly string[]): string | undefined => {
  if (given.length > givenCharsMax) return undefined
  let closest: { readonly name: string; readonly slips: number } | undefined
  for (const name of known) {
    const slips = slipsBetween(given.toLowerCase(), name.toLowerCase())
    const slipsMax = Math.min(given.length, name.length) <= shortChars ? 1 : 2
    if (slips <= slipsMax && slips < (closest?.slips ?? Number.POSITIVE_INFINITY)) closest = { name, slips }
  }
  return closest?.name
}

/** The distance of Damerau and Levenshtein, in its form that swaps each pair once. */
const slipsBetween = (one: string, other: string): number => {
  let beforeLast: readonly number[] = []
  let last: readonly number[] = Array.from({ length: other.length + 1 }, (_, at) => at)
  for (let i = 1; i <= one.length; i++) {
    const row = [i]
    for (let j = 1; j <= other.length; j++) {
      const differs = one[i - 1] === other[j - 1] ? 0 : 1
      const isSwap = i > 1 && j > 1 && one[i - 1] === other[j - 2] && one[i - 2] === other[j - 1]
      const swapped = isSwap ? (beforeLast[j - 2] ?? 0) + 1 : Number.POSITIVE_INFINITY
      row.push(Math.min((last[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1, (last[j - 1] ?? 0) + differs, swapped))
    }
    beforeLast = last
    last = row
  }
  return last[other.length] ?? 0
}
