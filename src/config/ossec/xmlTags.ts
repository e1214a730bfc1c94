/**
 * The tags of a text in their order. Whatever the text is, each character is read a few times at most; what begins no tag is text,
 * for blocks of other programs may hold a bare `<`.
 */

export interface Tag {
  readonly name: string
  readonly kind: 'open' | 'close' | 'empty'
  readonly at: number
  readonly end: number
}

/** Counts the characters that were read. */
export interface Effort {
  chars: number
}

/** Where in the text, and why. */
export class MalformedXml extends Error {
  readonly at: number

  constructor(at: number, why: string) {
    super(why)
    this.at = at
  }
}

const indexFrom = (text: string, wanted: string, from: number, effort: Effort): number => {
  const at = text.indexOf(wanted, from)
  effort.chars += (at < 0 ? text.length : at + wanted.length) - from
  return at
}

const commentBegin = '<!--'
const instructionBegin = '<?'

/** The text with comments, processing instructions and `\<` as blanks, line breaks kept, so that offsets still hold. */
export const withoutHidden = (text: string, effort: Effort): string => {
  const parts: string[] = []
  let from = 0
  let mayHoldInstruction = true
  for (let at = indexFrom(text, '<', 0, effort); at >= 0; at = indexFrom(text, '<', Math.max(from, at + 1), effort)) {
    let end = at
    if (text.startsWith(commentBegin, at)) {
      const close = indexFrom(text, '-->', at + commentBegin.length, effort)
      if (close < 0) throw new MalformedXml(at, 'a comment is never closed')
      end = close + 3
    } else if (text.startsWith(instructionBegin, at) && mayHoldInstruction) {
      const close = indexFrom(text, '?>', at + instructionBegin.length, effort)
      if (close < 0) mayHoldInstruction = false
      else end = close + 2
    } else if (text[at - 1] === '\\' && text[at + 1] !== '/') end = at + 1
    if (end === at) continue
    parts.push(text.slice(from, at), text.slice(at, end).replace(/[^\n]/g, ' '))
    effort.chars += end - at
    from = end
  }
  parts.push(text.slice(from))
  return parts.join('')
}

const isSpace = (c: string | undefined): boolean => c !== undefined && /\s/.test(c)
const isNameStart = (c: string | undefined): boolean => c !== undefined && /[A-Za-z_]/.test(c)
const isNamePart = (c: string | undefined): boolean => c !== undefined && /[\w.:-]/.test(c)

interface Attempt {
  /** Nothing before it begins a tag. */
  readonly end: number
  readonly tag?: Tag
}

/** The tag that the `<` at this place begins, if it does. */
const tagAt = (text: string, at: number): Attempt => {
  let end = at + 1
  const isClose = text[end] === '/'
  if (isClose) end++
  while (isSpace(text[end])) end++
  const nameAt = end
  if (!isNameStart(text[end])) return { end }
  while (isNamePart(text[end])) end++
  const name = text.slice(nameAt, end)
  let quote: string | undefined
  for (; end < text.length && text[end] !== '<'; end++) {
    const c = text[end]
    if (quote !== undefined) quote = c === quote ? undefined : quote
    else if (c === '"' || c === "'") quote = c
    else if (c === '>') {
      const kind = isClose ? 'close' : text[end - 1] === '/' ? 'empty' : 'open'
      return { end: end + 1, tag: { name, kind, at, end: end + 1 } }
    }
  }
  return { end }
}

export function* tagsOf(text: string, effort: Effort): Generator<Tag, undefined> {
  for (let at = indexFrom(text, '<', 0, effort); at >= 0; ) {
    const { end, tag } = tagAt(text, at)
    effort.chars += end - at
    if (tag) yield tag
    at = indexFrom(text, '<', end, effort)
  }
}

/** What a tag has as `name="value"`; the last value of a name counts. */
export const attributesIn = (tag: string): ReadonlyMap<string, string> => {
  const attributes = new Map<string, string>()
  // Each name is tried from its beginning only, so that a long one is not read again and again.
  for (const [, name = '', quoted = ''] of tag.matchAll(/(?<![\w.:-])([\w.:-]+)\s*=\s*("[^"]*"|'[^']*')/g))
    attributes.set(name, quoted.slice(1, -1))
  return attributes
}
