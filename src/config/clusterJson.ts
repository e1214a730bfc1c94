/**
 * etc/cluster.json: overrides of intervals, limits and synced items, with the names and the structure of Wazuh's own
 * cluster.json. What is not mentioned keeps its default.
 */
import { escapeText, visibleLine } from '../base/escapeText.js'
import { limits } from '../base/limits.js'
import { shown } from '../base/shown.js'
import { defaultTimings, type Timings } from '../domain/cluster/timings.js'
import { defaultSyncedItems, type SyncedItem, type SyncedItems } from '../domain/files/syncedItems.js'
import type { EventOptions } from '../ports/listener.js'
import { eventOptions, proxyOptions } from './agentServiceOptions.js'
import { type ApiServiceSettings, apiOptions, mistakesInApi } from './apiOptions.js'
import { haproxyJsonOptions } from './balancerOptions.js'
import { type HaproxyJson, noHaproxyJson } from './haproxyHelperBlock.js'
import { intervalOptions, needlessIntervals } from './intervalOptions.js'
import { checked, type Findings, type Option } from './option.js'
import {
  defaultInternalSettings,
  type InternalSettings,
  type JsonKeys,
  type KeySource,
  type TlsSettings,
  tlsOptions,
  topOptions,
} from './settings.js'
import {
  directoryAllowed,
  excludedExtensionsOption,
  excludedFilesOption,
  itemDirectory,
  itemOptions,
  nestedItems,
  withAlwaysExcluded,
} from './syncedItemOptions.js'

type Json = Readonly<Record<string, unknown>>

const isObject = (value: unknown): value is Json => typeof value === 'object' && value !== null && !Array.isArray(value)

/** Own properties only: a key such as `constructor` must not find what every object has. */
const own = (object: Json, name: string): unknown => (Object.hasOwn(object, name) ? object[name] : undefined)

/** What the text of cluster.json asks for. */
export interface ClusterJson {
  readonly internal: InternalSettings
  readonly keys: JsonKeys
  readonly haproxy: HaproxyJson
}

class JsonReader {
  readonly #file: string
  readonly #findings: Findings

  constructor(file: string, findings: Findings) {
    this.#file = file
    this.#findings = findings
  }

  read(root: Json): ClusterJson {
    this.#warnOfUnknown(
      root,
      '',
      ['intervals', 'files', 'events', 'proxy_protocol', 'haproxy', 'api', 'tls', ...names(topOptions)],
      ['distributed_api'],
    )
    const intervals = this.#object(root, 'intervals', 'intervals')
    this.#warnOfUnknown(intervals, 'intervals.', Object.keys(intervalOptions), [])
    const haproxy = this.#haproxy(this.#object(root, 'haproxy', 'haproxy'))
    return { internal: this.#internal(root, intervals), keys: this.#keys(root), haproxy }
  }

  #internal(root: Json, intervals: Json): InternalSettings {
    const command = own(root, topOptions.reloadCommand.name)
    const api = this.#api(this.#object(root, 'api', 'api'))
    const tls = own(root, 'tls') === undefined ? undefined : this.#tls(this.#object(root, 'tls', 'tls'))
    return {
      timings: this.#timings(intervals),
      synced: this.#synced(this.#object(root, 'files', 'files')),
      compression: this.#value(root, topOptions.compression, ''),
      manager: this.#value(root, topOptions.manager, ''),
      apiBridge: this.#value(root, topOptions.apiBridge, ''),
      workersMax: this.#value(root, topOptions.workersMax, ''),
      verifiesCounters: this.#value(root, topOptions.verifiesCounters, ''),
      events: this.#events(this.#object(root, 'events', 'events')),
      proxies: this.#proxies(this.#object(root, 'proxy_protocol', 'proxy_protocol')),
      ...(api && { api }),
      ...(tls && { tls }),
      ...(command === undefined || command === null ? {} : { reloadCommand: this.#value(root, topOptions.reloadCommand, '') }),
    }
  }

  #keys(root: Json): JsonKeys {
    const { keyFile, previousKey, previousKeyFile } = topOptions
    const isGiven = ({ name }: Option): boolean => own(root, name) !== undefined
    const path = this.#value(root, keyFile, '')
    if (isGiven(previousKey) && isGiven(previousKeyFile))
      this.#findings.mistakes.push(
        `${this.#file}: ${previousKeyFile.name} is given together with ${previousKey.name}: must be one of the two, not both`,
      )
    return { keyFile: isGiven(keyFile) ? path : undefined, previousKey: this.#previousKey(root) }
  }

  #previousKey(root: Json): KeySource {
    const text = this.#value(root, topOptions.previousKey, '')
    if (text !== '') return { from: 'text', text }
    const path = this.#value(root, topOptions.previousKeyFile, '')
    return path === '' ? undefined : { from: 'file', path }
  }

  #mistake(place: string, value: unknown, allowed: string): void {
    this.#findings.mistakes.push(`${this.#file}: ${place} is ${shown(value)}: must be ${allowed}`)
  }

  #object(parent: Json, name: string, place: string): Json {
    const value = own(parent, name)
    if (isObject(value)) return value
    if (value !== undefined) this.#mistake(place, value, 'an object {…}')
    return {}
  }

  #warnOfUnknown(object: Json, place: string, known: readonly string[], needless: readonly string[]): void {
    for (const name of Object.keys(object)) {
      if (known.includes(name)) continue
      const where = `${this.#file}: ${place}${escapeText(name.slice(0, 100))}`
      if (needless.includes(name)) this.#findings.notes.push(`${where} is an option of Wazuh that has no effect here`)
      else this.#findings.warnings.push(`${where} is not a known option; it is ignored`)
    }
  }

  #value<S extends Option['schema']>(object: Json, known: Option<S>, place: string, fallback = known.fallback) {
    const value = own(object, known.name)
    return value === undefined ? fallback : checked(known, value, `${this.#file}: ${place}${known.name}`, this.#findings.mistakes)
  }

  #events(given: Json): EventOptions {
    this.#warnOfUnknown(given, 'events.', names(eventOptions), [])
    const events = {
      segmentBytesMax: this.#value(given, eventOptions.segmentBytesMax, 'events.'),
      bytesMax: this.#value(given, eventOptions.bytesMax, 'events.'),
      toReader: this.#value(given, eventOptions.toReader, 'events.'),
    }
    // The default is nobody's mistake.
    const segmentBytesMax = Math.min(events.segmentBytesMax, Math.floor(events.bytesMax / 2))
    if (own(given, eventOptions.segmentBytesMax.name) !== undefined && segmentBytesMax < events.segmentBytesMax)
      this.#mistake(`events.${eventOptions.segmentBytesMax.name}`, events.segmentBytesMax, 'half of keep_bytes at most')
    return { ...events, segmentBytesMax }
  }

  #proxies(given: Json): readonly string[] {
    this.#warnOfUnknown(given, 'proxy_protocol.', names(proxyOptions), [])
    return this.#value(given, proxyOptions.from, 'proxy_protocol.')
  }

  #haproxy(given: Json): HaproxyJson {
    this.#warnOfUnknown(given, 'haproxy.', names(haproxyJsonOptions), [])
    return {
      runtimeSocket: this.#value(given, haproxyJsonOptions.runtimeSocket, 'haproxy.'),
      addresses: this.#value(given, haproxyJsonOptions.addresses, 'haproxy.'),
    }
  }

  /** Undefined when it is off: its other options have no effect then, but are checked. */
  #api(given: Json): ApiServiceSettings | undefined {
    this.#warnOfUnknown(given, 'api.', names(apiOptions), [])
    const path = (name: 'certificatePath' | 'keyPath' | 'clientCaPath'): string | undefined =>
      this.#value(given, apiOptions[name], 'api.') || undefined
    const settings: ApiServiceSettings = {
      address: this.#value(given, apiOptions.address, 'api.'),
      port: this.#value(given, apiOptions.port, 'api.'),
      certificatePath: path('certificatePath'),
      keyPath: path('keyPath'),
      clientCaPath: path('clientCaPath'),
      hosts: this.#value(given, apiOptions.hosts, 'api.'),
    }
    if (!this.#value(given, apiOptions.enabled, 'api.')) return undefined
    const place = `${this.#file}: `
    this.#findings.mistakes.push(...mistakesInApi(settings, (name) => `api.${apiOptions[name].name}`).map((mistake) => place + mistake))
    return settings
  }

  #tls(given: Json): TlsSettings {
    this.#warnOfUnknown(given, 'tls.', names(tlsOptions), [])
    const required = (known: Option<typeof tlsOptions.ca.schema>): string =>
      checked(known, own(given, known.name), `${this.#file}: tls.${known.name}`, this.#findings.mistakes)
    const allow = this.#value(given, tlsOptions.allow, 'tls.')
    return {
      ca: required(tlsOptions.ca),
      cert: required(tlsOptions.cert),
      key: required(tlsOptions.key),
      require: this.#value(given, tlsOptions.require, 'tls.'),
      ...(own(given, tlsOptions.allow.name) !== undefined && { allow }),
    }
  }

  #timings(intervals: Json): Timings {
    const timings: Record<keyof Timings, number> = { ...defaultTimings }
    for (const [group, rows] of Object.entries(intervalOptions)) {
      const place = `intervals.${group}`
      const given = this.#object(intervals, group, place)
      const known = rows.map(({ option }) => option.name)
      this.#warnOfUnknown(given, `${place}.`, known, needlessIntervals[group] ?? [])
      for (const { option, scale, timing } of rows) timings[timing] = Math.round(this.#value(given, option, `${place}.`) * scale)
    }
    return timings
  }

  #synced(files: Json): SyncedItems {
    const items = new Map<string, SyncedItem>(defaultSyncedItems.items.map((item) => [item.dir, item]))
    const seen = new Set<string>()
    for (const [written, given] of Object.entries(files)) {
      if (written === excludedFilesOption.name || written === excludedExtensionsOption.name) continue
      const place = `files[${shown(written)}]`
      const dir = itemDirectory(written)
      if (dir === undefined || seen.has(dir)) {
        this.#findings.mistakes.push(
          `${this.#file}: ${place} ${dir ? 'names a directory a second time' : 'is not allowed'}: must be ${directoryAllowed}`,
        )
        continue
      }
      seen.add(dir)
      if (given === null) items.delete(dir)
      else if (isObject(given)) items.set(dir, this.#item(dir, given, place, items.get(dir)))
      else this.#mistake(place, given, 'an object {…}, or null to remove the item')
    }
    this.#findings.mistakes.push(...nestedItems([...items.values()], ({ dir }) => `${this.#file}: files[${shown(dir)}]`))
    return withAlwaysExcluded({
      items: [...items.values()],
      excludedNames: this.#value(files, excludedFilesOption, 'files.'),
      excludedEndings: this.#value(files, excludedExtensionsOption, 'files.'),
    })
  }

  /** Fields that are left out stay those of the default item of this directory, if there is one. */
  #item(dir: string, given: Json, place: string, standing: SyncedItem | undefined): SyncedItem {
    this.#warnOfUnknown(given, `${place}.`, names(itemOptions), [])
    const within = `${place}.`
    // These have no effect but must be right: an operator who writes `extra_valid: true` expects an effect.
    this.#value(given, itemOptions.source, within)
    this.#value(given, itemOptions.extraValid, within)
    this.#value(given, itemOptions.description, within)
    const permissions = this.#value(given, itemOptions.permissions, within, standing ? `0o${standing.mode.toString(8)}` : undefined)
    const files = this.#value(
      given,
      itemOptions.files,
      within,
      standing ? [...(standing.files === 'all' ? ['all'] : standing.files)] : undefined,
    )
    return {
      dir,
      files: files.includes('all') ? 'all' : files,
      mode: Number.parseInt(permissions.replace(/^0o?/, ''), 8),
      recursive: this.#value(given, itemOptions.recursive, within, standing?.recursive),
      removeEmptyDirectories: this.#value(given, itemOptions.removeEmptyDirectories, within, standing?.removeEmptyDirectories),
      reload: this.#value(given, itemOptions.restart, within, standing?.reload),
    }
  }
}

const names = (options: Readonly<Record<string, Option>>): string[] => Object.values(options).map(({ name }) => name)

/** V8's sentence on one line, its offset turned into a line number where it has one. */
const whyNotJson = (text: string, error: unknown): string => {
  const says = visibleLine(error instanceof Error ? error.message : String(error))
  const position = / at position (\d+)/.exec(says)
  if (!position) return says
  const line = text.slice(0, Number(position[1])).split('\n').length
  return `${says.slice(0, position.index)} in line ${line}`.replace(' in JSON in line', ' in line')
}

/** How deep brackets stand inside each other; a parser that calls itself would run out of stack. */
const depthOf = (json: string): number => {
  let depth = 0
  let deepest = 0
  let isText = false
  for (let at = 0; at < json.length; at++) {
    const c = json[at]
    if (isText) {
      if (c === '\\') at++
      else if (c === '"') isText = false
    } else if (c === '"') isText = true
    else if (c === '{' || c === '[') deepest = Math.max(deepest, ++depth)
    else if (c === '}' || c === ']') depth--
  }
  return deepest
}

/** What counts where there is no cluster.json. */
export const defaultClusterJson: ClusterJson = {
  internal: defaultInternalSettings,
  keys: { keyFile: undefined, previousKey: undefined },
  haproxy: noHaproxyJson,
}

/** The settings that the text of cluster.json asks for; every mistake and oddity goes to `findings`. */
export const parseClusterJson = (file: string, text: string, findings: Findings): ClusterJson => {
  if (depthOf(text) > limits.configDepthMax) {
    findings.mistakes.push(`${file}: it is nested over ${limits.configDepthMax} deep: must be an object of options`)
    return defaultClusterJson
  }
  let root: unknown
  try {
    root = JSON.parse(text)
  } catch (error) {
    findings.mistakes.push(`${file}: not JSON: ${whyNotJson(text, error)}`)
    return defaultClusterJson
  }
  if (isObject(root)) return new JsonReader(file, findings).read(root)
  findings.mistakes.push(`${file}: the whole file is ${shown(root)}: must be an object {…}`)
  return defaultClusterJson
}
