/**
 * Reads config.yml of wazuh-certs-tool into what it says. Wazuh's tool takes what it does not know for nothing, so that a node vanishes
 * with a slip of the indentation; here everything unknown is a mistake with its line.
 */
import { isAlias, isMap, isScalar, isSeq, LineCounter, type Node, type Pair, parseDocument } from 'yaml'
import { limits } from '../../base/limits.js'
import { shown } from '../../base/shown.js'
import { closestName } from './closestName.js'
import { type ConfigFinding, type Section, sections, type Written, type WrittenNode } from './writtenConfig.js'

export interface ReadConfig {
  readonly nodes: readonly WrittenNode[]
  readonly mistakes: readonly ConfigFinding[]
}

const isSection = (text: string): text is Section => sections.some((section) => section === text)

const nodeKeys = ['name', 'ip', 'dns'] as const
const serverKeys = [...nodeKeys, 'node_type'] as const
type NodeKey = (typeof serverKeys)[number]
const keysOf = (section: Section): readonly NodeKey[] => (section === 'server' || section === 'manager' ? serverKeys : nodeKeys)

type Parsed = Node | null | undefined

class ConfigReader {
  readonly mistakes: ConfigFinding[] = []
  readonly #lines = new LineCounter()
  readonly #sectionLines = new Map<Section, number>()

  read(text: string): readonly WrittenNode[] {
    // Repeated keys are how Wazuh documents several addresses. Every value is a text: a node may be called 1, or yes.
    const document = parseDocument<Node>(text, { lineCounter: this.#lines, logLevel: 'silent', schema: 'failsafe', uniqueKeys: false })
    for (const { linePos, message } of document.errors)
      this.#mistake(linePos?.[0].line, `The file is not YAML: ${message.split(/ at line \d+|\n/, 1)[0]}`)
    if (document.errors.length > 0) return []
    const root: Parsed = document.contents
    if (isEmpty(root)) {
      this.#mistake(undefined, 'The file has no nodes', 'it begins with nodes:')
      return []
    }
    return this.#pairs(root, 'The file', 'nodes:').flatMap(({ key, value }) => {
      if (key.text === 'nodes') return this.#nodes(value)
      this.#mistake(
        key.line,
        `Unknown key ${shown(key.text)}`,
        isSection(key.text) ? `it belongs under nodes:, two blanks further in` : guess(key.text, ['nodes']),
      )
      return []
    })
  }

  #nodes(value: Parsed): readonly WrittenNode[] {
    if (isEmpty(value)) return []
    return this.#pairs(value, 'nodes', 'indexer:, server: and dashboard:').flatMap(({ key, value: list }) => {
      if (!isSection(key.text)) {
        this.#mistake(key.line, `Unknown section ${shown(key.text)} under nodes`, guess(key.text, sections))
        return []
      }
      const earlier = this.#sectionLines.get(key.text)
      this.#sectionLines.set(key.text, key.line)
      if (earlier !== undefined)
        this.#mistake(key.line, `The section ${key.text} appears twice`, `put its nodes under that of line ${earlier}`)
      return this.#list(key.text, list)
    })
  }

  #list(section: Section, list: Parsed): readonly WrittenNode[] {
    // All of its nodes may be comments.
    if (isEmpty(list)) return []
    if (!isSeq<Parsed>(list)) {
      this.#mistake(this.#lineOf(list), `The section ${section} is not a list of nodes`, "each begins with '- name:'")
      return []
    }
    return list.items.flatMap((item) => this.#node(section, item) ?? [])
  }

  #node(section: Section, item: Parsed): WrittenNode | undefined {
    const known = keysOf(section)
    const values: Record<NodeKey, Written[]> = { name: [], ip: [], dns: [], node_type: [] }
    for (const { key, value } of this.#pairs(item, `A node of ${section}`, `${known.join(':, ')}:`)) {
      const name = known.find((other) => other === key.text)
      if (name === undefined) this.#mistake(key.line, `Unknown key ${shown(key.text)} in a node of ${section}`, guess(key.text, known))
      else values[name].push(...this.#values(key, value, name === 'ip' || name === 'dns'))
    }
    const [name, second] = values.name
    if (second) this.#mistake(second.line, 'A node has two names', "a node begins with '- name:', with the dash")
    if (name === undefined) {
      this.#mistake(this.#lineOf(item), `A node of ${section} has no name`)
      return undefined
    }
    return { section, name, ips: values.ip, dns: values.dns, types: values.node_type }
  }

  #values(key: Written, value: Parsed, mayBeList: boolean): readonly Written[] {
    if (isEmpty(value)) return []
    if (isScalar(value)) return [{ text: String(value.value).trim(), line: this.#lineOf(value) ?? key.line }]
    if (mayBeList && isSeq<Parsed>(value)) return value.items.flatMap((item) => this.#values(key, item, false))
    this.#mistake(key.line, `The value of ${key.text} is not ${mayBeList ? 'a text or a list of texts' : 'a text'}`, reasonOf(value))
    return []
  }

  /** Of a map; what is not one is a mistake. */
  #pairs(value: Parsed, what: string, keys: string): readonly { readonly key: Written; readonly value: Parsed }[] {
    if (!isMap<Parsed, Parsed>(value)) {
      this.#mistake(this.#lineOf(value), `${what} is not made of keys`, reasonOf(value) ?? `it may have ${keys}`)
      return []
    }
    return value.items.flatMap((pair: Pair<Parsed, Parsed>) => {
      const { key } = pair
      if (isScalar(key)) return [{ key: { text: String(key.value), line: this.#lineOf(key) ?? 0 }, value: pair.value }]
      this.#mistake(this.#lineOf(key), `${what} has a key that is not a text`)
      return []
    })
  }

  #lineOf(value: Parsed): number | undefined {
    return value?.range ? this.#lines.linePos(value.range[0]).line : undefined
  }

  #mistake(line: number | undefined, sentence: string, detail?: string): void {
    if (this.mistakes.length >= limits.certificateFindingsMax) return
    this.mistakes.push({ line, sentence: `${sentence}.`, ...(detail !== undefined && { detail }) })
  }
}

const isEmpty = (value: Parsed): value is null | undefined =>
  value === null || value === undefined || (isScalar(value) && (value.value === null || value.value === ''))

const reasonOf = (value: Parsed): string | undefined => (isAlias(value) ? 'aliases (*name) are not taken here' : undefined)

const guess = (given: string, known: readonly string[]): string => {
  const meant = closestName(given, known)
  return meant === undefined ? `known here: ${known.join(', ')}` : `did you mean '${meant}'?`
}

/** Never throws, whatever the text. */
export const readCertificateConfig = (text: string): ReadConfig => {
  const reader = new ConfigReader()
  try {
    return { nodes: reader.read(text), mistakes: reader.mistakes }
  } catch (thrown) {
    // The parser calls itself for each level.
    if (!(thrown instanceof RangeError)) throw thrown
    return { nodes: [], mistakes: [{ line: undefined, sentence: 'The file is not YAML: it is nested too deeply.' }] }
  }
}
