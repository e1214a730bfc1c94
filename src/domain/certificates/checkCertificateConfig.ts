/** Everything that config.yml must be before the first key is made. The sentences are Wazuh's where it has one. */
import { limits } from '../../base/limits.js'
import { shown } from '../../base/shown.js'
import { type AltName, altNameOf, distinctAltNames, isPrivateAddress } from './altName.js'
import { nameRefusal } from './nodeName.js'
import { nodeTypeMistakes } from './nodeTypes.js'
import type { ReadConfig } from './readCertificateConfig.js'
import {
  type Component,
  type ConfigFinding,
  type ConfigFindings,
  componentOf,
  components,
  type Section,
  type Written,
  type WrittenNode,
} from './writtenConfig.js'

/** Something that gets a certificate: one name, for one component or several. */
export interface ConfiguredNode {
  readonly name: string
  readonly components: readonly Component[]
  readonly addresses: readonly AltName[]
}

export interface CheckedConfig extends ConfigFindings {
  readonly nodes: readonly ConfiguredNode[]
}

/** As Wazuh's sentences name a section's nodes. */
const labels: Readonly<Record<Section, string>> = {
  indexer: 'indexer',
  server: 'Wazuh server',
  manager: 'wazuh manager',
  dashboard: 'dashboard',
}

interface Address {
  readonly written: Written
  readonly key: 'ip' | 'dns'
  readonly name: AltName | undefined
}

interface NodeWithAddresses {
  readonly node: WrittenNode
  readonly addresses: readonly Address[]
}

export interface ConfigCheck {
  /** Types can only be checked where all nodes of the cluster are listed. */
  readonly checksTypes: boolean
}

export const checkCertificateConfig = (read: ReadConfig, { checksTypes }: ConfigCheck): CheckedConfig => {
  const mistakes = [...read.mistakes]
  const all = read.nodes.map(withAddresses)
  for (const section of bothSections(read.nodes)) mistakes.push(section)
  for (const { node } of all) {
    const refusal = nameRefusal(node.name.text)
    if (refusal) mistakes.push({ line: node.name.line, ...refusal })
  }
  for (const one of all) mistakes.push(...addressMistakes(one))
  for (const component of components) mistakes.push(...duplicates(all.filter(({ node }) => componentOf(node.section) === component)))
  if (checksTypes) mistakes.push(...nodeTypeMistakes(read.nodes.filter(({ section }) => componentOf(section) === 'server')))
  if (read.nodes.length === 0 && mistakes.length === 0) mistakes.push({ line: undefined, sentence: 'The file has no nodes.' })
  if (read.nodes.length > limits.certificateNodesMax)
    mistakes.push({ line: undefined, sentence: `The file has more than ${limits.certificateNodesMax} nodes.` })
  return {
    nodes: mistakes.length === 0 ? mergedNodes(all) : [],
    mistakes: mistakes.slice(0, limits.certificateFindingsMax),
    warnings: [...all.flatMap(addressWarnings), ...sharedNames(all)].slice(0, limits.certificateFindingsMax),
  }
}

const withAddresses = (node: WrittenNode): NodeWithAddresses => {
  const addressOf =
    (key: Address['key']) =>
    (written: Written): Address => ({ written, key, name: altNameOf(written.text) })
  return { node, addresses: [...node.ips.map(addressOf('ip')), ...node.dns.map(addressOf('dns'))] }
}

/** The one is what Wazuh 5 calls the other. */
const bothSections = (nodes: readonly WrittenNode[]): readonly ConfigFinding[] => {
  const manager = nodes.find(({ section }) => section === 'manager')
  const server = nodes.find(({ section }) => section === 'server')
  return manager && server
    ? [
        {
          line: manager.name.line,
          sentence: 'The sections server and manager are the same one.',
          detail: `server is in line ${server.name.line}`,
        },
      ]
    : []
}

const addressMistakes = ({ addresses, node }: NodeWithAddresses): readonly ConfigFinding[] => {
  if (addresses.length === 0) return [withoutAddress(node)]
  // The certificate has the node's name too.
  if (addresses.length >= limits.certificateNamesMax)
    return [{ line: node.name.line, sentence: `The node ${node.name.text} has ${limits.certificateNamesMax} addresses or more.` }]
  return addresses.flatMap(({ key, name, written }) => {
    if (name !== undefined && (key === 'ip' || name.type === 'dns')) return []
    return [{ line: written.line, sentence: invalidAddress(node, key, written), ...hint(written.text, name) }]
  })
}

const invalidAddress = ({ name, section }: WrittenNode, key: Address['key'], { text }: Written): string => {
  const value = /^[\x21-\x7e]{1,100}$/.test(text) ? text : shown(text)
  if (section !== 'manager' && key === 'ip') return `Invalid IP or DNS ${value}`
  return `Invalid ${key === 'ip' ? 'IP' : 'DNS'} in field ${key} for ${section} node ${shownPlain(name.text)}: ${value}.`
}

const shownPlain = (text: string): string => (/^[\x20-\x7e]{1,100}$/.test(text) ? text : shown(text))

const hint = (text: string, name: AltName | undefined): { readonly detail?: string } => {
  if (name?.type === 'ip') return { detail: 'an address belongs in ip:' }
  if (/^<.*>$/.test(text)) return { detail: 'put the address of the node in the place of <…>' }
  if (/[\s,;]/.test(text)) return { detail: 'give several as a list: ["10.0.0.1", "10.0.0.2"]' }
  return /^[\d.]+$/.test(text) ? { detail: 'each of the four numbers is from 0 to 255' } : {}
}

const withoutAddress = ({ name, section }: WrittenNode): ConfigFinding => {
  const { line, text } = name
  if (section === 'manager') return { line, sentence: `Manager node ${shownPlain(text)} requires at least one field: ip or dns.` }
  return section === 'dashboard'
    ? { line, sentence: 'Different number of dashboard node names and IPs.', detail: `${shownPlain(text)} has no ip` }
    : { line, sentence: 'No IP or DNS specified', detail: `${shownPlain(text)} has no ip` }
}

/** Among the nodes of one component. */
const duplicates = (nodes: readonly NodeWithAddresses[]): readonly ConfigFinding[] => {
  const seen = { names: new Map<string, number>(), ips: new Map<string, number>(), dns: new Map<string, number>() }
  const found: ConfigFinding[] = []
  const note = (what: keyof typeof seen, value: string, { line, text }: Written, section: Section): void => {
    const earlier = seen[what].get(value)
    if (earlier === undefined) seen[what].set(value, line)
    else
      found.push({ line, sentence: `Duplicated ${labels[section]} node ${what}.`, detail: `${shownPlain(text)} is in line ${earlier} too` })
  }
  for (const { addresses, node } of nodes) {
    note('names', node.name.text, node.name, node.section)
    for (const { key, name, written } of addresses)
      if (name) note(key === 'ip' ? 'ips' : 'dns', name.value.toLowerCase(), written, node.section)
  }
  return found
}

const addressWarnings = ({ addresses }: NodeWithAddresses): readonly ConfigFinding[] =>
  addresses.flatMap(({ name, written: { line } }) => {
    if (name === undefined) return []
    const { type, value } = name
    if (type === 'ip') return isPrivateAddress(value) ? [] : [{ line, sentence: `The IP ${value} is public.` }]
    if (value.startsWith('*.')) return [{ line, sentence: `The name ${value} stands for every name below it.` }]
    return value.includes('.') ? [] : [{ line, sentence: `The name ${value} has no dot.`, detail: 'few machines know it by that' }]
  })

/** Wazuh's tool makes their files twice, and the later ones stay. */
const sharedNames = (all: readonly NodeWithAddresses[]): readonly ConfigFinding[] =>
  mergedNodes(all).flatMap(({ components: shared, name }) =>
    shared.length < 2
      ? []
      : [
          {
            line: all.findLast(({ node }) => node.name.text === name)?.node.name.line,
            sentence: `The name ${shownPlain(name)} is in ${shared.join(' and ')}.`,
            detail: 'it gets one certificate, with all of its addresses',
          },
        ],
  )

const mergedNodes = (all: readonly NodeWithAddresses[]): readonly ConfiguredNode[] => {
  const byName = new Map<string, ConfiguredNode>()
  for (const { addresses, node } of all) {
    const earlier = byName.get(node.name.text)
    byName.set(node.name.text, {
      name: node.name.text,
      components: [...new Set([...(earlier?.components ?? []), componentOf(node.section)])],
      addresses: distinctAltNames([...(earlier?.addresses ?? []), ...addresses.flatMap(({ name }) => name ?? [])]),
    })
  }
  return [...byName.values()]
}
