/** `<haproxy_helper>` in `<cluster>`, with `haproxy` of cluster.json: whether the master drives a load balancer, and how. */
import { resolve } from 'node:path'
import type { Static } from 'typebox'
import {
  type BalancerAccess,
  type BalancerSettings,
  type DataPlaneAccess,
  haproxyJsonOptions,
  helperOptions,
  nodeNames,
  runtimeSocketOf,
} from './balancerOptions.js'
import type { Findings, Option } from './option.js'
import { BlockValues } from './ossec/blockValues.js'
import type { Element } from './ossec/ossecConf.js'
import { clusterOptions } from './settings.js'

export const helperBlockName = 'haproxy_helper'

/** What cluster.json says of HAProxy. */
export interface HaproxyJson {
  /** Empty: none. */
  readonly runtimeSocket: string
  readonly addresses: Readonly<Record<string, string>>
}

export const noHaproxyJson: HaproxyJson = {
  runtimeSocket: haproxyJsonOptions.runtimeSocket.fallback,
  addresses: haproxyJsonOptions.addresses.fallback,
}

export interface HelperBlock {
  readonly file: string
  /** In `<haproxy_helper>`; undefined: there is none. */
  readonly elements: readonly Element[] | undefined
  readonly json: HaproxyJson
  readonly home: string
  readonly nodeType: Static<typeof clusterOptions.nodeType.schema>
  readonly agentsPort: number
}

const secondMs = 1_000
const minuteMs = 60_000

class HelperReader {
  readonly #block: HelperBlock
  readonly #values: BlockValues

  constructor(block: HelperBlock, values: BlockValues) {
    this.#block = block
    this.#values = values
  }

  read(): BalancerSettings {
    const { agentsPort, json } = this.#block
    const values = this.#values
    values.reportOthers(
      Object.values(helperOptions).map(({ name }) => name),
      [],
    )
    return {
      access: this.#access(),
      backend: values.value(helperOptions.backend),
      agentsPort,
      balancing: {
        excludedNodes: this.#excludedNodes(),
        addresses: json.addresses,
        frequencyMs: values.value(helperOptions.frequency) * secondMs,
        agentChunkSize: values.value(helperOptions.agentChunkSize),
        agentReconnectionMs: values.value(helperOptions.agentReconnectionTime) * secondMs,
        stabilityMs: values.value(helperOptions.stabilityTime) * secondMs,
        imbalanceTolerance: values.value(helperOptions.imbalanceTolerance),
        removeDisconnectedMs: values.value(helperOptions.removeDisconnectedAfter) * minuteMs,
      },
    }
  }

  /** The options of the Data Plane API are checked in any case: one that is wrong was meant to do something. */
  #access(): BalancerAccess {
    const { home, json } = this.#block
    const dataPlane = this.#dataPlane(json.runtimeSocket === '')
    const socket = runtimeSocketOf(json.runtimeSocket)
    if (!socket) return dataPlane
    return { kind: 'runtimeSocket', socket: 'path' in socket ? { path: resolve(home, socket.path) } : socket }
  }

  #dataPlane(isUsed: boolean): DataPlaneAccess {
    const isHttps = this.#values.value(helperOptions.protocol) === 'https'
    const resolver = this.#text(helperOptions.resolver)
    const certificate = this.#text(helperOptions.certificate, isUsed && isHttps)
    const client = this.#client()
    if (client && !isHttps) this.#values.warn(`<${helperOptions.clientCertificate.name}> has no effect: the protocol is not https`)
    return {
      kind: 'dataPlane',
      address: this.#text(helperOptions.address, isUsed),
      port: this.#values.value(helperOptions.port),
      protocol: isHttps ? 'https' : 'http',
      user: this.#text(helperOptions.user, isUsed),
      password: this.#text(helperOptions.password, isUsed),
      ...(resolver !== '' && { resolver }),
      ...(certificate !== '' && { certificatePath: resolve(this.#block.home, certificate) }),
      ...(client && { client }),
    }
  }

  #client(): DataPlaneAccess['client'] {
    const { clientCertificate, clientKey, clientKeyPassword } = helperOptions
    const { home } = this.#block
    const certificate = this.#text(clientCertificate)
    const key = this.#text(clientKey)
    const keyPassword = this.#text(clientKeyPassword)
    const needs = (given: Option, missing: Option): void =>
      this.#values.mistake(`<${given.name}> is given without <${missing.name}>: must be given together, or not at all`)
    if (certificate !== '' && key === '') needs(clientCertificate, clientKey)
    if (certificate === '' && key !== '') needs(clientKey, clientCertificate)
    if (certificate === '' && key === '' && keyPassword !== '') needs(clientKeyPassword, clientKey)
    if (certificate === '' || key === '') return undefined
    return {
      certificatePath: resolve(home, certificate),
      keyPath: resolve(home, key),
      ...(keyPassword !== '' && { keyPassword }),
    }
  }

  /** An empty element counts as absent. */
  #text<S extends Option['schema']>(known: Option<S>, isRequired = false): Static<S> {
    const element = this.#values.element(known.name)
    if (element && element.text !== '') return this.#values.value(known)
    if (isRequired) this.#values.mistake(`<${known.name}> is missing: must be ${known.allowed}`)
    return known.fallback
  }

  #excludedNodes(): readonly string[] {
    const known = helperOptions.excludedNodes
    const element = this.#values.element(known.name)
    if (!element || element.text !== undefined) return nodeNames(this.#values.value(known))
    const others = element.children.filter(({ name }) => name !== 'node')
    if (others.length > 0) this.#values.mistake(`<${known.name}> holds other elements than <node>: must be ${known.allowed}`)
    return element.children
      .filter(({ name }) => name === 'node')
      .map((node) => this.#values.checked({ ...clusterOptions.nodeName, name: `${known.name}><node` }, node))
  }
}

/**
 * Undefined: this node drives none. While the helper is off its mistakes matter to nobody: they are notes then. On a worker it is the
 * master's in any case.
 */
export const readHelperBlock = (block: HelperBlock, findings: Findings): BalancerSettings | undefined => {
  const { elements, file, json, nodeType } = block
  const valuesFor = (toFindings: Findings): BlockValues =>
    new BlockValues(file, `<cluster><${helperBlockName}>`, elements ?? [], toFindings)
  const values = valuesFor(findings)
  if (!elements) {
    if (json.runtimeSocket !== '') values.note(' is missing: without it "haproxy" in etc/cluster.json has no effect')
    return undefined
  }
  if (nodeType === 'worker') {
    values.note(" is the master's: the HAProxy helper does not run on a worker")
    return undefined
  }
  if (!values.value(helperOptions.disabled)) return new HelperReader(block, values).read()
  const own: Findings = { mistakes: [], warnings: [], notes: [] }
  new HelperReader(block, valuesFor(own)).read()
  findings.warnings.push(...own.warnings)
  findings.notes.push(...own.mistakes.map((mistake) => `${mistake} (fix this before you switch the HAProxy helper on)`))
  values.note(` is off: the HAProxy helper runs with <${helperOptions.disabled.name}>no</${helperOptions.disabled.name}>`)
  return undefined
}
