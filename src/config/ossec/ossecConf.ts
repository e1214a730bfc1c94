/**
 * The `<cluster>`, `<auth>` and `<remote>` blocks of an ossec.conf. Blocks of other programs may hold XML that only they accept (a bare
 * `&`, a `\<`), so they are stepped over unread; a `<cluster>` block is read strictly.
 */
import { attributesIn, type Effort, MalformedXml, type Tag, tagsOf, withoutHidden } from './xmlTags.js'

const blockNames = ['cluster', 'auth', 'remote'] as const
type BlockName = (typeof blockNames)[number]
const isBlockName = (name: string): name is BlockName => (blockNames as readonly string[]).includes(name)

export interface Element {
  readonly name: string
  /** Trimmed; undefined when there are elements inside. */
  readonly text: string | undefined
  readonly children: readonly Element[]
  readonly attributes: ReadonlyMap<string, string>
}

/** Each block is the elements in it. */
export type Blocks = { readonly [K in BlockName]: readonly (readonly Element[])[] }

export type OssecConf =
  | {
      readonly ok: true
      readonly blocks: Blocks
      /** The texts of the option wanted from `<global>`, in order. */
      readonly globals: readonly string[]
    }
  | { readonly ok: false; readonly why: string }

/** An element of a block whose end has not come yet. */
interface Unfinished {
  readonly tag: Tag
  readonly within: Unfinished | undefined
  readonly children: Element[]
  text: string
}

const entities: Readonly<Record<string, string>> = { '&amp;': '&', '&lt;': '<', '&gt;': '>', '&apos;': "'", '&quot;': '"' }

/** As Wazuh reads it: an `&` that begins none of XML's five entities is itself. */
const plain = (text: string): string => text.replace(/&(?:amp|lt|gt|apos|quot);/g, (entity) => entities[entity] ?? entity).trim()

const neverClosed = ({ at, name }: Tag): MalformedXml => new MalformedXml(at, `<${name}> is never closed`)
const closesNothing = ({ at, name }: Tag): MalformedXml => new MalformedXml(at, `</${name}> closes nothing`)

/** Goes through the tags once, from the first to the last. */
class ConfReader {
  readonly #text: string
  readonly #tags: Iterator<Tag, undefined>
  readonly #globalOption: string
  readonly blocks: { readonly [K in BlockName]: Element[][] } = { cluster: [], auth: [], remote: [] }
  readonly globals: string[] = []
  roots = 0

  constructor(text: string, globalOption: string, effort: Effort) {
    this.#text = text
    this.#tags = tagsOf(text, effort)
    this.#globalOption = globalOption
  }

  read(): void {
    for (let tag = this.#next(); tag; tag = this.#next()) {
      if (tag.kind === 'close') throw closesNothing(tag)
      if (tag.name === 'ossec_config') this.#root(tag)
      else this.#stepOver(tag)
    }
  }

  #next(): Tag | undefined {
    return this.#tags.next().value
  }

  #root(root: Tag): void {
    this.roots += 1
    if (root.kind === 'empty') return
    for (let tag = this.#next(); tag; tag = this.#next()) {
      if (tag.kind === 'close') {
        if (tag.name === root.name) return
        throw closesNothing(tag)
      }
      if (isBlockName(tag.name)) this.blocks[tag.name].push(this.#block(tag))
      else if (tag.name === 'global') this.#global(tag)
      else this.#stepOver(tag)
    }
    throw neverClosed(root)
  }

  /** The tags up to the one that closes `opened`, past nested elements of the same name. */
  *#inside(opened: Tag): Generator<Tag, undefined> {
    let depth = opened.kind === 'empty' ? 0 : 1
    while (depth > 0) {
      const tag = this.#next()
      if (!tag) throw neverClosed(opened)
      if (tag.name === opened.name && tag.kind !== 'empty') depth += tag.kind === 'open' ? 1 : -1
      yield tag
    }
  }

  #stepOver(opened: Tag): void {
    // Nothing inside is read.
    for (const _tag of this.#inside(opened));
  }

  /** The texts of one option, whatever else is in the block. */
  #global(opened: Tag): void {
    let wanted: Tag | undefined
    for (const tag of this.#inside(opened)) {
      if (wanted) this.globals.push(this.#text.slice(wanted.end, tag.at).trim())
      wanted = undefined
      if (tag.name !== this.#globalOption || tag.kind === 'close') continue
      if (tag.kind === 'empty') this.globals.push('')
      else wanted = tag
    }
  }

  #block(opened: Tag): Element[] {
    if (opened.kind === 'empty') return []
    let inner: Unfinished = { tag: opened, within: undefined, children: [], text: '' }
    for (let from = opened.end; ; ) {
      const tag = this.#next()
      if (!tag) throw neverClosed(inner.tag)
      inner.text += opened.name === 'cluster' ? this.#strictText(from, tag.at) : this.#text.slice(from, tag.at)
      from = tag.end
      if (tag.kind === 'empty') inner.children.push(this.#finished({ tag, within: inner, children: [], text: '' }))
      else if (tag.kind === 'open') inner = { tag, within: inner, children: [], text: '' }
      else if (tag.name !== inner.tag.name) throw new MalformedXml(tag.at, `</${tag.name}> stands where </${inner.tag.name}> is expected`)
      else if (!inner.within) return inner.children
      else {
        inner.within.children.push(this.#finished(inner))
        inner = inner.within
      }
    }
  }

  #finished({ children, tag, text }: Unfinished): Element {
    const attributes = attributesIn(this.#text.slice(tag.at, tag.end))
    return { name: tag.name, children, text: children.length > 0 ? undefined : plain(text), attributes }
  }

  #strictText(from: number, to: number): string {
    const text = this.#text.slice(from, to)
    const stray = text.indexOf('<')
    if (stray >= 0) throw new MalformedXml(from + stray, 'a < begins no tag')
    return text
  }
}

/**
 * Every one of these blocks that is a child of an `<ossec_config>`, in order, and every `globalOption` in its `<global>`s; or the line of
 * what is not XML. The effort grows with the length of the text alone.
 */
export const parseOssecConf = (text: string, globalOption: string, effort: Effort = { chars: 0 }): OssecConf => {
  try {
    const reader = new ConfReader(withoutHidden(text, effort), globalOption, effort)
    reader.read()
    // A file that is something else altogether must not pass for one in which the cluster is off.
    if (reader.roots === 0) return { ok: false, why: "there is no <ossec_config> in it: must be a manager's ossec.conf" }
    return { ok: true, blocks: reader.blocks, globals: reader.globals }
  } catch (error) {
    if (!(error instanceof MalformedXml)) throw error
    const line = text.slice(0, error.at).split('\n').length
    return { ok: false, why: `not XML in line ${line}: ${error.message}` }
  }
}
