/**
 * The check of what a program hands to createNode, by the tables that check the files of the daemon. Programs in JavaScript hand in
 * anything, so nothing about its type is trusted.
 */
import { Check } from 'typebox/value'
import { shown } from '../base/shown.js'
import type { SyncedItem } from '../domain/files/syncedItems.js'
import { proxyOptions, serviceOptions, trueOrFalse, verifiesCountersOption } from './agentServiceOptions.js'
import { type ApiServiceSettings, apiOptions, defaultApiService, mistakesInApi } from './apiOptions.js'
import { balancingOptions, dataPlaneOptions, helperOptions } from './balancerOptions.js'
import { intervalOptions } from './intervalOptions.js'
import { mistakeOf, type Option } from './option.js'
import { clusterOptions, tlsOptions, topOptions, unitsMs } from './settings.js'
import {
  directoryAllowed,
  excludedExtensionsOption,
  excludedFilesOption,
  itemDirectory,
  itemOptions,
  nestedItems,
} from './syncedItemOptions.js'

const optionNames = [
  ...(['home', 'type', 'node', 'cluster', 'key', 'previousKey', 'master', 'bindAddress', 'synced'] as const),
  ...(['timings', 'compression', 'manager', 'apiBridge', 'enrolmentRules', 'workersMax', 'ports'] as const),
  ...(['enrolment', 'listener', 'events', 'verifiesCounters', 'proxies', 'hidden', 'api', 'balancer', 'tls'] as const),
] as const
/** Those that work on the home's files stand first. */
const homePortNames = ['files', 'agentStore', 'agentFiles', 'nodeStates'] as const
const portNames = [...homePortNames, 'clock', 'random', 'transport', 'log', 'listener', 'enrolment', 'api', 'balancer', 'wazuh'] as const
const itemNames = ['dir', 'files', 'mode', 'recursive', 'removeEmptyDirectories', 'reload'] as const

/** In milliseconds, or a count where it says so. */
interface TimingBounds {
  readonly min: number
  readonly max: number
  readonly isCount: boolean
}

const timingBounds = new Map<string, TimingBounds>([
  ...Object.values(intervalOptions)
    .flat()
    .map(({ max, min, scale, timing }) => [timing, { min: min * scale, max: max * scale, isCount: scale === 1 }] as const),
  ['agentsDisconnectionMs', { min: unitsMs.s, max: 999_999 * unitsMs.w, isCount: false }],
])

/** Of the rules by which agents are replaced. */
const enrolmentMsMax = 999_999 * unitsMs.w

/** Of an object that was handed in: a name that is known, and anything behind it. */
type Given<N extends string> = { readonly [K in N]?: unknown }

class OptionsCheck {
  readonly mistakes: string[] = []
  readonly #isDirectory: (path: string) => boolean

  constructor(isDirectory: (path: string) => boolean) {
    this.#isDirectory = isDirectory
  }

  check(options: unknown): void {
    const given = this.#object('', options, optionNames)
    if (!given) return
    this.#value('type', clusterOptions.nodeType, given.type)
    this.#value('node', clusterOptions.nodeName, given.node)
    this.#optional('cluster', clusterOptions.name, given.cluster)
    this.#keys(given.key, given.previousKey)
    const master = this.#object('master', given.master, ['host', 'port'])
    if (master) {
      this.#value('master.host', clusterOptions.masterAddress, master.host)
      this.#port(master.port, given.type === 'master')
    }
    this.#optional('bindAddress', clusterOptions.bindAddress, given.bindAddress)
    this.#optional('compression', topOptions.compression, given.compression)
    this.#optional('manager', topOptions.manager, given.manager)
    this.#optional('apiBridge', topOptions.apiBridge, given.apiBridge)
    this.#enrolmentRules(given.enrolmentRules)
    this.#optional('workersMax', topOptions.workersMax, given.workersMax)
    this.#timings(given.timings)
    this.#tls(given.tls)
    this.#services(given)
    this.#balancer(given.balancer, given.ports)
    if (given.synced !== undefined) this.#synced(given.synced)
    this.#ports(given.ports, given.home)
  }

  #refuse(place: string, value: unknown, allowed: string): void {
    this.mistakes.push(`${place} is ${value === undefined ? 'missing' : shown(value)}: must be ${allowed}`)
  }

  #value(place: string, known: Option, value: unknown): void {
    if (!Check(known.schema, value)) this.mistakes.push(mistakeOf(place, known, value))
  }

  #optional(place: string, known: Option, value: unknown): void {
    if (value !== undefined) this.#value(place, known, value)
  }

  /** The object, with its unknown names refused; undefined when it is no object. */
  #object<N extends string>(place: string, value: unknown, known: readonly N[]): Given<N> | undefined {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) {
      this.#refuse(place === '' ? 'the argument' : place, value, 'an object')
      return undefined
    }
    const names: readonly string[] = known
    for (const name of Object.keys(value))
      if (!names.includes(name)) {
        const named = `${place === '' ? '' : `${place}.`}${shown(name).slice(1, -1)}`
        this.mistakes.push(`${named} is not an option: must be one of ${names.join(', ')}`)
      }
    return value
  }

  #ports(value: unknown, home: unknown): void {
    const ports = value === undefined ? {} : this.#object('ports', value, portNames)
    for (const name of portNames) {
      const port = ports?.[name]
      if (port !== undefined && (typeof port !== 'object' || port === null || Array.isArray(port)))
        this.#refuse(`ports.${name}`, port, 'an object with the methods of that port')
    }
    const isOnHome = homePortNames.some((name) => ports?.[name] === undefined)
    if (isOnHome && (typeof home !== 'string' || !this.#isDirectory(home))) this.#refuse('home', home, 'a directory that is there')
  }

  #keys(key: unknown, previousKey: unknown): void {
    this.#value('key', clusterOptions.key, key)
    this.#optional('previousKey', topOptions.previousKey, previousKey)
    if (previousKey !== undefined && previousKey === key)
      this.mistakes.push('previousKey is the same as the key: must be the key before it, or left out')
  }

  #port(port: unknown, isMaster: boolean): void {
    const known = clusterOptions.port
    if (port === undefined || (port === 0 && isMaster) || Check(known.schema, port)) return
    this.#refuse('master.port', port, `${known.allowed}, or on a master 0 for any that is free`)
  }

  #timings(value: unknown): void {
    const timings = value === undefined ? undefined : this.#object('timings', value, [...timingBounds.keys()])
    if (!timings) return
    for (const [name, { isCount, max, min }] of timingBounds) {
      const given = timings[name]
      const isAllowed = typeof given === 'number' && given >= min && given <= max && (!isCount || Number.isInteger(given))
      if (given !== undefined && !isAllowed)
        this.#refuse(`timings.${name}`, given, `${isCount ? 'a whole number' : 'a number of milliseconds'}, ${min} to ${max}`)
    }
  }

  #tls(value: unknown): void {
    const tls = value === undefined ? undefined : this.#object('tls', value, ['ca', 'cert', 'key', 'require', 'allow'])
    if (!tls) return
    for (const name of ['ca', 'cert', 'key'] as const) this.#value(`tls.${name}`, tlsOptions[name], tls[name])
    for (const name of ['require', 'allow'] as const) this.#optional(`tls.${name}`, tlsOptions[name], tls[name])
  }

  #services(given: Given<(typeof optionNames)[number]>): void {
    for (const [place, options] of Object.entries(serviceOptions)) {
      const value = given[place as keyof typeof serviceOptions]
      const service = value === undefined ? undefined : this.#object(place, value, Object.keys(options))
      if (service) for (const [name, known] of Object.entries(options)) this.#optional(`${place}.${name}`, known, service[name])
    }
    this.#api(given.api)
    this.#optional('verifiesCounters', verifiesCountersOption, given.verifiesCounters)
    this.#optional('proxies', proxyOptions.from, given.proxies)
    this.#optional('hidden', { ...clusterOptions.hidden, allowed: trueOrFalse }, given.hidden)
  }

  #balancer(value: unknown, ports: unknown): void {
    const given = value === undefined ? undefined : this.#object('balancer', value, ['access', 'backend', 'agentsPort', 'balancing'])
    if (!given) return
    this.#optional('balancer.backend', helperOptions.backend, given.backend)
    this.#optional('balancer.agentsPort', helperOptions.port, given.agentsPort)
    const balancing =
      given.balancing === undefined ? undefined : this.#object('balancer.balancing', given.balancing, Object.keys(balancingOptions))
    for (const [name, known] of Object.entries(balancingOptions)) this.#optional(`balancer.balancing.${name}`, known, balancing?.[name])
    const isHandedIn = typeof ports === 'object' && ports !== null && 'balancer' in ports && ports.balancer !== undefined
    if (given.access !== undefined || !isHandedIn) this.#balancerAccess(given.access)
  }

  #balancerAccess(value: unknown): void {
    const place = 'balancer.access'
    const kind = typeof value === 'object' && value !== null && 'kind' in value ? value.kind : undefined
    if (kind === 'runtimeSocket') {
      const { socket } = this.#object(place, value, ['kind', 'socket']) ?? {}
      const given = this.#object(`${place}.socket`, socket, ['path', 'host', 'port'])
      if (given?.path !== undefined) this.#value(`${place}.socket.path`, helperOptions.certificate, given.path)
      else if (given) {
        this.#value(`${place}.socket.host`, helperOptions.address, given.host)
        this.#value(`${place}.socket.port`, helperOptions.port, given.port)
      }
    } else if (kind === 'dataPlane') this.#dataPlane(place, value)
    else this.#refuse(place, kind, 'an object whose kind is "runtimeSocket" or "dataPlane"')
  }

  #dataPlane(place: string, value: unknown): void {
    const names = Object.keys(dataPlaneOptions) as (keyof typeof dataPlaneOptions)[]
    const given = this.#object(place, value, ['kind', 'client', ...names])
    if (!given) return
    const isOptional = { resolver: true, certificatePath: given.protocol !== 'https' }
    for (const name of names)
      if (name in isOptional && isOptional[name as keyof typeof isOptional])
        this.#optional(`${place}.${name}`, dataPlaneOptions[name], given[name])
      else this.#value(`${place}.${name}`, dataPlaneOptions[name], given[name])
    if (given.client === undefined) return
    const client = this.#object(`${place}.client`, given.client, ['certificatePath', 'keyPath', 'keyPassword'])
    if (!client) return
    this.#value(`${place}.client.certificatePath`, helperOptions.clientCertificate, client.certificatePath)
    this.#value(`${place}.client.keyPath`, helperOptions.clientKey, client.keyPath)
    this.#optional(`${place}.client.keyPassword`, helperOptions.clientKeyPassword, client.keyPassword)
  }

  #api(value: unknown): void {
    const { enabled: _, ...known } = apiOptions
    const api = value === undefined ? undefined : this.#object('api', value, Object.keys(known))
    if (!api) return
    const before = this.mistakes.length
    const port = { ...apiOptions.port, schema: clusterOptions.port.schema }
    for (const [name, option] of Object.entries(known))
      if (name !== 'port' || api[name] !== 0) this.#optional(`api.${name}`, name === 'port' ? port : option, api[name])
    if (this.mistakes.length > before) return
    // Each of them was found to be right just now.
    const settings: ApiServiceSettings = { ...defaultApiService, ...(api as Partial<ApiServiceSettings>) }
    this.mistakes.push(...mistakesInApi(settings, (name) => `api.${name}`))
  }

  #enrolmentRules(value: unknown): void {
    const rules = value === undefined ? undefined : this.#object('enrolmentRules', value, ['force', 'purge'])
    if (!rules) return
    const isTime = (given: unknown): boolean => typeof given === 'number' && given >= 0 && given <= enrolmentMsMax
    const refuseUnless = (isAllowed: boolean, name: string, given: unknown, allowed: string): void => {
      if (!isAllowed) this.#refuse(`enrolmentRules.${name}`, given, allowed)
    }
    const times = `a number of milliseconds, 0 to ${enrolmentMsMax}`
    refuseUnless(typeof rules.purge === 'boolean', 'purge', rules.purge, 'true or false')
    const names = ['enabled', 'keyMismatch', 'disconnectedMs', 'afterRegistrationMs'] as const
    const force = this.#object('enrolmentRules.force', rules.force, names)
    if (!force) return
    for (const name of ['enabled', 'keyMismatch'] as const)
      refuseUnless(typeof force[name] === 'boolean', `force.${name}`, force[name], 'true or false')
    const { afterRegistrationMs, disconnectedMs } = force
    refuseUnless(disconnectedMs === undefined || isTime(disconnectedMs), 'force.disconnectedMs', disconnectedMs, `${times}, or undefined`)
    refuseUnless(isTime(afterRegistrationMs), 'force.afterRegistrationMs', afterRegistrationMs, times)
  }

  #synced(value: unknown): void {
    const synced = this.#object('synced', value, ['items', 'excludedNames', 'excludedEndings'])
    if (!synced) return
    this.#value('synced.excludedNames', excludedFilesOption, synced.excludedNames)
    this.#value('synced.excludedEndings', excludedExtensionsOption, synced.excludedEndings)
    const items = synced.items
    if (Array.isArray(items)) this.#items(items)
    else this.#refuse('synced.items', items, 'a list of items')
  }

  #items(items: readonly unknown[]): void {
    const before = this.mistakes.length
    const dirs = new Set<unknown>()
    for (const [at, value] of items.entries()) {
      const place = `synced.items[${at}]`
      const item = this.#object(place, value, itemNames)
      if (item) this.#item(place, item)
      if (item && dirs.has(item.dir)) this.#refuse(`${place}.dir`, item.dir, 'another directory than that of every other item')
      dirs.add(item?.dir)
    }
    if (this.mistakes.length > before) return
    // Each was found to be an item just now.
    const sound = items as readonly SyncedItem[]
    this.mistakes.push(...nestedItems(sound, (item) => `synced.items[${sound.indexOf(item)}]`))
  }

  #item(place: string, item: Given<(typeof itemNames)[number]>): void {
    const { dir, files, mode } = item
    if (typeof dir !== 'string' || itemDirectory(dir) !== dir)
      this.#refuse(`${place}.dir`, dir, `${directoryAllowed}, without a slash at its end`)
    if (files !== 'all')
      this.#value(`${place}.files`, { ...itemOptions.files, allowed: '"all" or a list of file names without "/"' }, files)
    if (!Number.isInteger(mode) || !Check(itemOptions.permissions.schema, `0o${Number(mode).toString(8)}`))
      this.#refuse(`${place}.mode`, mode, 'a mode from 0o400 to 0o777 that lets the owner read')
    this.#value(`${place}.recursive`, itemOptions.recursive, item.recursive)
    this.#value(`${place}.removeEmptyDirectories`, itemOptions.removeEmptyDirectories, item.removeEmptyDirectories)
    this.#value(`${place}.reload`, itemOptions.restart, item.reload)
  }
}

/** A line for each option that is not allowed. */
export const mistakesInOptions = (options: unknown, isDirectory: (path: string) => boolean): readonly string[] => {
  const check = new OptionsCheck(isDirectory)
  check.check(options)
  return check.mistakes
}
