/** The `<cluster>` blocks of an ossec.conf as checked values: the last value of an option wins, and every mistake is found. */
import type { Static, TSchema } from 'typebox'
import { checked, type Findings, fromText, type Option } from './option.js'
import type { Element } from './ossecConf.js'
import { clusterOptions } from './settings.js'

/** Where a key comes from, if it is configured at all. */
export type KeySource = { readonly from: 'text'; readonly text: string } | { readonly from: 'file'; readonly path: string } | undefined

export interface ClusterBlock {
  readonly name: string
  readonly nodeName: string
  readonly nodeType: 'master' | 'worker'
  readonly key: KeySource
  readonly previousKey: KeySource
  readonly port: number
  readonly bindAddress: string
  readonly masterAddress: string
  readonly hidden: boolean
  readonly disabled: boolean
}

const { masterAddress } = clusterOptions

/** Names that may stand in `<cluster>` besides those of `clusterOptions`. */
const otherNames = ['nodes', 'interval', 'haproxy_helper']

/** How messages name an option. */
export const placeOf = (file: string, known: Option): string => `${file}: <cluster><${known.name}>`

/** Reads and checks the options of one merged block. */
class BlockReader {
  readonly #file: string
  readonly #findings: Findings
  readonly #given = new Map<string, Element>()

  constructor(file: string, clusters: readonly (readonly Element[])[], findings: Findings) {
    this.#file = file
    this.#findings = findings
    for (const element of clusters.flat()) this.#given.set(element.name, element)
  }

  read(): ClusterBlock {
    this.#warnOfOddities()
    return {
      name: this.#value(clusterOptions.name),
      nodeName: this.#value(clusterOptions.nodeName),
      nodeType: this.#nodeType(),
      key: this.#key(clusterOptions.key, clusterOptions.keyFile, true),
      previousKey: this.#key(clusterOptions.previousKey, clusterOptions.previousKeyFile, false),
      port: this.#value(clusterOptions.port),
      bindAddress: this.#value(clusterOptions.bindAddress),
      masterAddress: this.#masterAddress(),
      hidden: this.#value(clusterOptions.hidden),
      disabled: this.#value(clusterOptions.disabled),
    }
  }

  #warn(says: string): void {
    this.#findings.warnings.push(`${this.#file}: ${says}`)
  }

  #missing(known: Option): void {
    this.#findings.mistakes.push(`${placeOf(this.#file, known)} is missing: must be ${known.allowed}`)
  }

  #value<S extends TSchema>(known: Option<S>): Static<S> {
    const element = this.#given.get(known.name)
    return element ? this.#checked(known, element) : known.fallback
  }

  #checked<S extends TSchema>(known: Option<S>, element: Element): Static<S> {
    const place = placeOf(this.#file, known)
    if (element.text !== undefined) return checked(known, fromText(known.schema, element.text), place, this.#findings.mistakes)
    this.#findings.mistakes.push(`${place} holds other elements: must be ${known.allowed}`)
    return known.fallback
  }

  #nodeType(): ClusterBlock['nodeType'] {
    const known = clusterOptions.nodeType
    if (this.#given.get(known.name)?.text !== 'client') return this.#value(known)
    this.#warn(`<cluster><${known.name}> is "client", which is deprecated; "worker" is used`)
    return 'worker'
  }

  /** An empty element counts as absent here: Wazuh ships an empty `<key>`. */
  #key(text: typeof clusterOptions.key, file: typeof clusterOptions.keyFile, required: boolean): KeySource {
    const textGiven = this.#given.get(text.name)
    const fileGiven = this.#given.get(file.name)
    const hasText = textGiven !== undefined && textGiven.text !== ''
    if (hasText && fileGiven) {
      this.#findings.mistakes.push(`${placeOf(this.#file, file)} is given together with <${text.name}>: must be one of the two, not both`)
      return undefined
    }
    if (fileGiven) {
      const path = this.#checked(file, fileGiven)
      return path === '' ? undefined : { from: 'file', path }
    }
    if (hasText) {
      const key = this.#checked(text, textGiven)
      return key === '' ? undefined : { from: 'text', text: key }
    }
    if (required) this.#missing(text)
    return undefined
  }

  #masterAddress(): string {
    const nodes = this.#given.get('nodes')?.children.filter(({ name }) => name === 'node') ?? []
    const [first, ...extra] = nodes
    if (!first) {
      this.#missing(masterAddress)
      return masterAddress.fallback
    }
    if (extra.length > 0) {
      const ignored = extra.map(({ text }) => JSON.stringify(text ?? '')).join(', ')
      this.#warn(
        `<cluster><nodes> holds ${nodes.length} nodes; the first is the master's address, the others are ignored: ${ignored.slice(0, 500)}`,
      )
    }
    return this.#checked(masterAddress, first)
  }

  #warnOfOddities(): void {
    const known = new Set([...Object.values(clusterOptions).map(({ name }) => name), ...otherNames])
    known.delete(masterAddress.name)
    for (const name of this.#given.keys())
      if (!known.has(name)) this.#warn(`<cluster><${name.slice(0, 100)}> is not a known option; it is ignored`)
    if (this.#given.has('interval')) this.#warn('<cluster><interval> is deprecated and ignored; the intervals are in etc/cluster.json')
    if (this.#given.has('haproxy_helper'))
      this.#findings.notes.push(`${this.#file}: <cluster><haproxy_helper> is ignored: this version does not have the HAProxy helper yet`)
  }
}

/** Without any block the cluster is disabled. */
export const readClusterBlock = (file: string, clusters: readonly (readonly Element[])[], findings: Findings): ClusterBlock => {
  if (clusters.length > 0) return new BlockReader(file, clusters, findings).read()
  findings.notes.push(`${file}: there is no <cluster> block, so the cluster is disabled`)
  return {
    name: clusterOptions.name.fallback,
    nodeName: clusterOptions.nodeName.fallback,
    nodeType: clusterOptions.nodeType.fallback,
    key: undefined,
    previousKey: undefined,
    port: clusterOptions.port.fallback,
    bindAddress: clusterOptions.bindAddress.fallback,
    masterAddress: masterAddress.fallback,
    hidden: clusterOptions.hidden.fallback,
    disabled: true,
  }
}
