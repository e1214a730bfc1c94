/** The `<cluster>` blocks of an ossec.conf as checked values: the last value of an option wins, and every mistake is found. */

import { helperBlockName } from './haproxyHelperBlock.js'
import type { Findings, Option } from './option.js'
import { BlockValues } from './ossec/blockValues.js'
import type { Element } from './ossec/ossecConf.js'
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

/** The content of its `<haproxy_helper>`, if there is one: see haproxyHelperBlock. */
export const helperElements = (clusters: readonly (readonly Element[])[]): readonly Element[] | undefined =>
  clusters.flat().findLast(({ name }) => name === helperBlockName)?.children

const { masterAddress } = clusterOptions

/** What Wazuh 4.14 knows in `<cluster>` besides `clusterOptions`. */
const otherNames = ['nodes', 'interval', helperBlockName]
const needlessNames = ['socket_timeout', 'connection_timeout']

/** Ours alone: Wazuh's programs stop at an element that they do not know, so these are in cluster.json. */
const movedNames = [topOptions.keyFile, topOptions.previousKey, topOptions.previousKeyFile].map(({ name }) => name)

/** Reads and checks the options of one merged block. */
class BlockReader {
  readonly #values: BlockValues
  readonly #keyFileIn: string | undefined

  constructor(file: string, clusters: readonly (readonly Element[])[], keyFileIn: string | undefined, findings: Findings) {
    this.#keyFileIn = keyFileIn
    if (clusters.length > 1)
      findings.warnings.push(
        `${file}: there are ${clusters.length} <cluster> blocks: the last value of each option counts here, but Wazuh's own wazuh-clusterd reads the last block alone and its other programs the first; write one block`,
      )
    this.#values = new BlockValues(file, '<cluster>', clusters.flat(), findings)
  }

  read(): ClusterBlock {
    this.#warnOfOddities()
    return {
      name: this.#values.value(clusterOptions.name),
      nodeName: this.#values.value(clusterOptions.nodeName),
      nodeType: this.#nodeType(),
      key: this.#key(),
      port: this.#values.value(clusterOptions.port),
      bindAddress: this.#values.value(clusterOptions.bindAddress),
      masterAddress: this.#masterAddress(),
      hidden: this.#values.value(clusterOptions.hidden),
      disabled: this.#values.value(clusterOptions.disabled),
    }
  }

  #missing(known: Option): void {
    this.#values.mistake(`<${known.name}> is missing: must be ${known.allowed}`)
  }

  #nodeType(): ClusterBlock['nodeType'] {
    const known = clusterOptions.nodeType
    if (this.#values.element(known.name)?.text !== 'client') return this.#values.value(known)
    this.#values.warn(`<${known.name}> is "client", which is deprecated; "worker" is used`)
    return 'worker'
  }

  /** An empty element counts as absent here: Wazuh ships an empty `<key>`. */
  #key(): string {
    const known = clusterOptions.key
    const element = this.#values.element(known.name)
    const isGiven = element !== undefined && element.text !== ''
    if (isGiven && this.#keyFileIn !== undefined)
      this.#values.mistake(
        `<${known.name}> is given together with ${topOptions.keyFile.name} in ${this.#keyFileIn}: must be one of the two, not both`,
      )
    else if (isGiven) return this.#values.value(known)
    else if (this.#keyFileIn === undefined) this.#missing(known)
    return known.fallback
  }

  #masterAddress(): string {
    const nodes = this.#values.element('nodes')?.children.filter(({ name }) => name === 'node') ?? []
    const [first, ...extra] = nodes
    if (!first) {
      this.#missing(masterAddress)
      return masterAddress.fallback
    }
    if (extra.length > 0) {
      const ignored = extra.map(({ text }) => JSON.stringify(text ?? '')).join(', ')
      this.#values.warn(
        `<nodes> holds ${nodes.length} nodes; the first is the master's address, the others are ignored: ${ignored.slice(0, 500)}`,
      )
    }
    return this.#values.checked(masterAddress, first)
  }

  #warnOfOddities(): void {
    const known = [...Object.values(clusterOptions).map(({ name }) => name), ...otherNames, ...movedNames]
    this.#values.reportOthers(known, needlessNames, 'wazuh-analysisd and wazuh-db')
    for (const name of movedNames)
      if (this.#values.element(name))
        this.#values.mistake(
          `<${name}> is not an element of Wazuh, whose own programs do not start with it: must be moved to "${name}" in etc/cluster.json`,
        )
    if (!this.#values.element(clusterOptions.disabled.name))
      this.#values.warn(
        " has no <disabled>: the cluster is on here, but Wazuh's own programs take the node for a single one; write <disabled>no</disabled>",
      )
    if (this.#values.element('interval')) this.#values.warn('<interval> is deprecated and ignored; the intervals are in etc/cluster.json')
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
