/**
 * A long text of JSON as several short ones, so that none of them takes longer to parse than a turn may: lists that it is, or that its object
 * has, are cut between their items. What is found in the pieces together is what is in the whole.
 */
import { ClusterError } from '../errors.js'
import { endOfString } from './jsonWithin.js'

/** Texts of JSON in order: a list `[…]` of at most this many items, or an object `{"name":…}` with one member and a list of no more. Fails with `malformed`. */
export function* jsonPieces(text: string, itemsMax: number): Generator<string> {
  const start = nextOf(text, 0)
  let end: number
  if (text[start] === '[') end = yield* listPieces(text, start, itemsMax, ['[', ']'])
  else if (text[start] === '{') end = yield* memberPieces(text, start, itemsMax)
  else return yield text
  if (nextOf(text, end) < text.length) throw malformed('something follows its end')
}

const malformed = (why: string): ClusterError => new ClusterError('malformed', { message: `It is not JSON: ${why}` })

const isSpace = (char: string | undefined): boolean => char === ' ' || char === '\n' || char === '\r' || char === '\t'

/** The place of what comes from here on. */
const nextOf = (text: string, from: number): number => {
  let at = from
  while (isSpace(text[at])) at += 1
  return at
}

/** The place behind the list that begins here. */
function* listPieces(
  text: string,
  open: number,
  itemsMax: number,
  [before, after]: readonly [string, string],
): Generator<string, number, undefined> {
  let start = open + 1
  let items = 0
  let hasPieces = false
  for (let at = endOfValue(text, start); ; at = endOfValue(text, at + 1)) {
    items += 1
    const isLast = text[at] === ']'
    if (!isLast && text[at] !== ',') throw malformed('a list does not end')
    if (!isLast && items < itemsMax) continue
    if ((hasPieces || !isLast) && nextOf(text, start) === at) throw malformed('an item is missing')
    yield `${before}${text.slice(start, at)}${after}`
    if (isLast) return at + 1
    hasPieces = true
    start = at + 1
    items = 0
  }
}

/** The place behind the object that begins here. */
function* memberPieces(text: string, open: number, itemsMax: number): Generator<string, number, undefined> {
  for (let at = nextOf(text, open + 1), isFirst = true; ; at = nextOf(text, at + 1), isFirst = false) {
    if (isFirst && text[at] === '}') {
      yield '{}'
      return at + 1
    }
    const nameEnd = text[at] === '"' ? endOfString(text, at) + 1 : at
    const colon = nextOf(text, nameEnd)
    if (nameEnd === at || text[colon] !== ':') throw malformed('a name is missing')
    const name = text.slice(at, nameEnd)
    const value = nextOf(text, colon + 1)
    let end: number
    if (text[value] === '[') end = nextOf(text, yield* listPieces(text, value, itemsMax, [`{${name}:[`, ']}']))
    else {
      end = endOfValue(text, value)
      yield `{${name}:${text.slice(value, end)}}`
    }
    if (text[end] === '}') return end + 1
    if (text[end] !== ',') throw malformed('an object does not end')
    at = end
  }
}

/** The place of the comma or bracket that ends the value which begins here, or the end of the text. */
const endOfValue = (text: string, from: number): number => {
  let depth = 0
  for (let at = from; at < text.length; at++) {
    const char = text[at]
    if (char === '"') at = endOfString(text, at)
    else if (char === '[' || char === '{') depth += 1
    else if (char === ']' || char === '}') {
      if (depth === 0) return at
      depth -= 1
    } else if (char === ',' && depth === 0) return at
  }
  return text.length
}
