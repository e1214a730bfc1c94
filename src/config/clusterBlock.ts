/** The `<cluster>` blocks of an ossec.conf as checked values: the last value of an option wins, and every mistake is found. */
import type { Static, TSchema } from 'typebox'
import { checked, type Findings, fromText, type Option } from './option.js'
import type { Element } from './ossecConf.js'
import { clusterOptions, topOptions } from './settings.js'

export interface ClusterBlock {
  readonly name: string
  readonly nodeName: string
  readonly nodeType: 'master' | 'worker'
  /** Empty when there is none. */
  readonly key: string
  readonly port: number
  readonly bindAddress: string
  readonly masterAddress: string
  readonly hidden: boolean
  readonly disabled: boolean
}

const { masterAddress } = clusterOptions

/** What Wazuh 4.14 knows in `<cluster>` besides `clusterOptions`. */
const otherNames = ['nodes', 'interval', 'haproxy_helper']
const needlessNames = ['socket_timeout', 'connection_timeout']

/** Ours alone: Wazuh's programs stop at an element that they do not know, so these stand in cluster.json. */
const movedNames = [topOptions.keyFile, topOptions.previousKey, topOptions.previousKeyFile].map(({ name }) => name)

/** How messages name an option. */
const placeOf = (file: string, known: Option): string => `${file}: <cluster><${known.name}>`

/** Reads and checks the options of one merged block. */
class BlockReader {
  readonly #file: string
  readonly #findings: Findings
  readonly #given = new Map<string, Element>()
  readonly #keyFileIn: string | undefined

  constructor(file: string, clusters: readonly (readonly Element[])[], keyFileIn: string | undefined, findings: Findings) {
    this.#file = file
    this.#keyFileIn = keyFileIn
    this.#findings = findings
    if (clusters.length > 1)
      this.#warn(
        `there are ${clusters.length} <cluster> blocks: the last value of each option counts here, but Wazuh's own wazuh-clusterd reads the last block alone and its other programs the first; write one block`,
      )
    for (const element of clusters.flat()) this.#given.set(element.name, element)
  }

  read(): ClusterBlock {
    this.#warnOfOddities()
    return {
      name: this.#value(clusterOptions.name),
      nodeName: this.#value(clusterOptions.nodeName),
      nodeType: this.#nodeType(),
      key: this.#key(),
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
  #key(): string {
    const known = clusterOptions.key
    const element = this.#given.get(known.name)
    const isGiven = element !== undefined && element.text !== ''
    if (isGiven && this.#keyFileIn !== undefined)
      this.#findings.mistakes.push(
        `${placeOf(this.#file, known)} is given together with ${topOptions.keyFile.name} in ${this.#keyFileIn}: must be one of the two, not both`,
      )
    else if (isGiven) return this.#checked(known, element)
    else if (this.#keyFileIn === undefined) this.#missing(known)
    return known.fallback
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
    for (const name of this.#given.keys()) {
      const place = `<cluster><${name.slice(0, 100)}>`
      if (known.has(name)) continue
      if (movedNames.includes(name))
        this.#findings.mistakes.push(
          `${this.#file}: ${place} is not an element of Wazuh, whose own programs do not start with it: must be moved to "${name}" in etc/cluster.json`,
        )
      else if (needlessNames.includes(name))
        this.#findings.notes.push(`${this.#file}: ${place} is an option of Wazuh that has no effect here`)
      else this.#warn(`${place} is not a known option; it is ignored here, but Wazuh's own programs do not start with it`)
    }
    if (!this.#given.has(clusterOptions.disabled.name))
      this.#warn(
        "<cluster> has no <disabled>: the cluster is on here, but Wazuh's own programs take the node for a single one; write <disabled>no</disabled>",
      )
    if (this.#given.has('interval')) this.#warn('<cluster><interval> is deprecated and ignored; the intervals are in etc/cluster.json')
    if (this.#given.has('haproxy_helper'))
      this.#findings.notes.push(`${this.#file}: <cluster><haproxy_helper> is ignored: this version does not have the HAProxy helper yet`)
  }
}

/** Without any block the cluster is disabled. `keyFileIn`: the cluster.json that names a file with the key, if one does. */
export const readClusterBlock = (
  file: string,
  clusters: readonly (readonly Element[])[],
  keyFileIn: string | undefined,
  findings: Findings,
): ClusterBlock => {
  if (clusters.length > 0) return new BlockReader(file, clusters, keyFileIn, findings).read()
  findings.notes.push(`${file}: there is no <cluster> block, so the cluster is disabled`)
  return {
    name: clusterOptions.name.fallback,
    nodeName: clusterOptions.nodeName.fallback,
    nodeType: clusterOptions.nodeType.fallback,
    key: clusterOptions.key.fallback,
    port: clusterOptions.port.fallback,
    bindAddress: clusterOptions.bindAddress.fallback,
    masterAddress: masterAddress.fallback,
    hidden: clusterOptions.hidden.fallback,
    disabled: true,
  }
}
