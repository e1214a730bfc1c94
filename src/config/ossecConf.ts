/**
 * The `<cluster>` blocks of an ossec.conf. Blocks of other programs may hold XML that only they accept (a bare `&`, a `\<`),
 * so they are stepped over unread; a `<cluster>` block is read strictly.
 */
import { XMLParser, XMLValidator } from 'fast-xml-parser'

export interface Element {
  readonly name: string
  /** Trimmed; undefined when there are elements inside. */
  readonly text: string | undefined
  readonly children: readonly Element[]
}

export type OssecConf =
  | {
      readonly ok: true
      readonly clusters: readonly (readonly Element[])[]
      /** The texts of the option that was looked for in `<global>`, in order. */
      readonly globals: readonly string[]
    }
  | { readonly ok: false; readonly line: number; readonly why: string }

class Malformed extends Error {
  readonly line: number

  constructor(line: number, why: string) {
    super(why)
    this.line = line
  }
}

const lineAt = (text: string, offset: number): number => text.slice(0, offset).split('\n').length

/** What a construct that hides tags is replaced with: as many blanks, its line breaks kept, so that offsets still hold. */
const blanked = (hidden: string): string => hidden.replace(/[^\n]/g, ' ')

const withoutComments = (text: string): string =>
  text
    .replace(/<!--[\s\S]*?(?:-->|$)/g, (comment) => {
      if (!comment.endsWith('-->') || comment.length < 7)
        throw new Malformed(lineAt(text, text.indexOf(comment)), 'a comment is never closed')
      return blanked(comment)
    })
    .replace(/<\?[\s\S]*?\?>|\\<(?!\/)/g, blanked)

interface Tag {
  readonly name: string
  readonly kind: 'open' | 'close' | 'empty'
  readonly at: number
  readonly end: number
}

const tagPattern = /<(\/?)\s*([A-Za-z_][\w.:-]*)((?:"[^"<]*"|'[^'<]*'|[^<>"'])*?)(\/?)>/g

const nextTag = (text: string, from: number): Tag | undefined => {
  tagPattern.lastIndex = from
  const found = tagPattern.exec(text)
  if (!found) return undefined
  const [whole, slash, name = '', , selfClosing] = found
  return { name, kind: slash ? 'close' : selfClosing ? 'empty' : 'open', at: found.index, end: found.index + whole.length }
}

/** The tag that closes `opened`, past nested elements of the same name; all else inside is not looked at. */
const closingTag = (text: string, opened: Tag): Tag => {
  let depth = 1
  for (let tag = nextTag(text, opened.end); tag; tag = nextTag(text, tag.end)) {
    if (tag.name !== opened.name || tag.kind === 'empty') continue
    depth += tag.kind === 'open' ? 1 : -1
    if (depth === 0) return tag
  }
  throw new Malformed(lineAt(text, opened.at), `<${opened.name}> is never closed`)
}

interface Span {
  readonly at: number
  readonly end: number
}

/** The direct children called `name` of the elements between `from` and `end`. */
const childSpans = (text: string, parent: string, name: string): Span[] => {
  const spans: Span[] = []
  for (let tag = nextTag(text, 0); tag; tag = nextTag(text, tag.end)) {
    if (tag.kind === 'empty') continue
    if (tag.kind === 'close') throw new Malformed(lineAt(text, tag.at), `</${tag.name}> closes nothing`)
    if (tag.name === parent) tag = collectChildren(text, tag, name, spans)
    else tag = closingTag(text, tag)
  }
  return spans
}

/** Puts the children called `name` of one open element into `spans`; returns the tag that closes the element. */
const collectChildren = (text: string, opened: Tag, name: string, spans: Span[]): Tag => {
  for (let tag = nextTag(text, opened.end); tag; tag = nextTag(text, tag.end)) {
    if (tag.kind === 'close') {
      if (tag.name === opened.name) return tag
      throw new Malformed(lineAt(text, tag.at), `</${tag.name}> closes nothing`)
    }
    const last = tag.kind === 'empty' ? tag : closingTag(text, tag)
    if (tag.name === name) spans.push({ at: tag.at, end: last.end })
    tag = last
  }
  throw new Malformed(lineAt(text, opened.at), `<${opened.name}> is never closed`)
}

const parser = new XMLParser({ preserveOrder: true, ignoreAttributes: true, parseTagValue: false, trimValues: true })

const isRecord = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null && !Array.isArray(value)

/** The parser's `[{name: [...]}, {'#text': '…'}]` as elements. */
const elements = (nodes: unknown): Element[] => {
  if (!Array.isArray(nodes)) return []
  return nodes.filter(isRecord).flatMap((node) =>
    Object.entries(node)
      .filter(([name]) => name !== '#text' && name !== ':@')
      .map(([name, inside]) => {
        const children = elements(inside)
        return { name, children, text: children.length > 0 ? undefined : textOf(inside) }
      }),
  )
}

const textOf = (nodes: unknown): string =>
  Array.isArray(nodes)
    ? nodes
        .filter(isRecord)
        .map((node) => String(node['#text'] ?? ''))
        .join('')
        .trim()
    : ''

/** As Wazuh reads it: an `&` that begins none of XML's five entities is itself. */
const bareAmpersand = /&(?!(?:amp|lt|gt|apos|quot);)/g

const readCluster = (text: string, span: Span): Element[] => {
  const xml = text.slice(span.at, span.end).replace(bareAmpersand, '&amp;')
  const verdict = XMLValidator.validate(xml, { allowBooleanAttributes: true })
  const firstLine = lineAt(text, span.at)
  // The validator's own line numbers in its sentence count from the block's first line.
  if (verdict !== true)
    throw new Malformed(firstLine + verdict.err.line - 1, verdict.err.msg.replace(/ \(opened in [^)]*\)/, '').replace(/\.$/, ''))
  try {
    return elements(parser.parse(xml)).flatMap((cluster) => cluster.children)
  } catch (error) {
    throw new Malformed(firstLine, error instanceof Error ? error.message : String(error))
  }
}

/** The texts of elements without children in a block of another program, whatever else stands there. */
const looseTexts = (block: string, name: string): string[] => {
  const texts: string[] = []
  for (let tag = nextTag(block, 0); tag; tag = nextTag(block, tag.end)) {
    if (tag.name !== name || tag.kind === 'close') continue
    const next = tag.kind === 'open' ? nextTag(block, tag.end) : undefined
    texts.push(block.slice(tag.end, next?.at ?? tag.end).trim())
  }
  return texts
}

/**
 * Every `<cluster>` that is a child of an `<ossec_config>`, in order, and every `globalOption` in its `<global>`s; or the line of
 * what is not XML.
 */
export const parseOssecConf = (text: string, globalOption: string): OssecConf => {
  try {
    const plain = withoutComments(text)
    // A file that is something else altogether must not pass for one in which the cluster is off.
    if (!plain.includes('<ossec_config')) throw new Malformed(1, 'there is no <ossec_config> in it')
    const globals = childSpans(plain, 'ossec_config', 'global')
    return {
      ok: true,
      clusters: childSpans(plain, 'ossec_config', 'cluster').map((span) => readCluster(plain, span)),
      globals: globals.flatMap(({ at, end }) => looseTexts(plain.slice(at, end), globalOption)),
    }
  } catch (error) {
    if (!(error instanceof Malformed)) throw error
    return { ok: false, line: error.line, why: error.message }
  }
}
