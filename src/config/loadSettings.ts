/** Reads a node's configuration files: every mistake of all of them at once, one line each, and never a key's value. */
import { join, resolve } from 'node:path'
import { type ApiUser, parseUsers, usersPath } from '../domain/api/apiUsers.js'
import { type AgentServices, defaultListenerService } from './agentServiceOptions.js'
import { mistakeWithoutUsers } from './apiOptions.js'
import type { BalancerSettings } from './balancerOptions.js'
import { warnBesideManager } from './besideManager.js'
import { type ClusterBlock, helperElements, readClusterBlock } from './clusterBlock.js'
import { type ClusterJson, defaultClusterJson, parseClusterJson } from './clusterJson.js'
import { readHelperBlock } from './haproxyHelperBlock.js'
import { checkTlsFiles, loadKeys } from './loadKeys.js'
import { loadSmallFile, warnWhenExposed } from './loadSmallFile.js'
import { checked, type Findings } from './option.js'
import { readAuthBlock } from './ossec/authBlock.js'
import { parseOssecConf } from './ossec/ossecConf.js'
import { readRemoteBlocks } from './ossec/remoteBlock.js'
import { globalOptions, type InternalSettings, type NodeSettings, unitsMs } from './settings.js'

interface Remarks {
  readonly warnings: readonly string[]
  /** Worth an info line, nothing to fix. */
  readonly notes: readonly string[]
}

export type LoadedSettings =
  | ({ readonly ok: true; readonly settings: NodeSettings } & Remarks)
  | ({ readonly ok: false; readonly mistakes: readonly string[] } & Remarks)

interface LoadedConf {
  readonly block: ClusterBlock
  readonly agentsDisconnectionMs: number
  readonly services: AgentServices
  readonly balancer: BalancerSettings | undefined
  /** What is wrong with these, and is nobody's business where a real manager has them. */
  readonly ofServices: Findings
  /** What matters only beside a real manager. */
  readonly ofManager: Findings
}

interface ConfPlace {
  readonly file: string
  readonly home: string
  readonly json: ClusterJson
  /** The cluster.json, when it names a file with the key. */
  readonly keyFileIn: string | undefined
}

const loadConf = ({ file, home, json, keyFileIn }: ConfPlace, findings: Findings): LoadedConf | undefined => {
  const read = loadSmallFile(file)
  if (!read.ok) {
    findings.mistakes.push(`${file}: cannot be read: ${read.why}`)
    return undefined
  }
  warnWhenExposed(file, read.mode, findings)
  const parsed = parseOssecConf(read.text, globalOptions.agentsDisconnectionTime.name)
  if (parsed.ok) {
    const { auth, cluster, remote } = parsed.blocks
    const ofServices: Findings = { mistakes: [], warnings: [], notes: [] }
    const ofManager: Findings = { mistakes: [], warnings: [], notes: [] }
    const block = readClusterBlock(file, cluster, keyFileIn, findings)
    warnBesideManager(file, cluster, block, ofManager)
    const services = { ...readAuthBlock(file, auth, ofServices), listener: readRemoteBlocks(file, remote, ofServices) }
    const { nodeType } = block
    const { port: agentsPort } = services.listener ?? defaultListenerService
    const helper = { file, home, nodeType, agentsPort, elements: helperElements(cluster), json: json.haproxy }
    return {
      block,
      agentsDisconnectionMs: agentsDisconnectionMs(file, parsed.globals, findings),
      services,
      balancer: readHelperBlock(helper, findings),
      ofServices,
      ofManager,
    }
  }
  findings.mistakes.push(`${file}: ${parsed.why}`)
  return undefined
}

/** The last of the texts counts. */
const agentsDisconnectionMs = (file: string, texts: readonly string[], findings: Findings): number => {
  const known = globalOptions.agentsDisconnectionTime
  const text = checked(known, texts.at(-1) ?? known.fallback, `${file}: <global><${known.name}>`, findings.mistakes)
  return Number.parseInt(text, 10) * (new Map<string, number>(Object.entries(unitsMs)).get(text.at(-1) ?? '') ?? unitsMs.s)
}

const loadClusterJson = (file: string, findings: Findings): ClusterJson => {
  const read = loadSmallFile(file)
  if (!read.ok) {
    if (!read.absent) findings.mistakes.push(`${file}: cannot be read: ${read.why}`)
    return defaultClusterJson
  }
  const json = parseClusterJson(file, read.text, findings)
  if (json.keys.previousKey?.from === 'text') warnWhenExposed(file, read.mode, findings)
  return json
}

/** Of the HTTP service; none when there is no file. */
const loadUsers = (file: string, findings: Findings): readonly ApiUser[] | undefined => {
  const read = loadSmallFile(file)
  if (!read.ok) {
    if (!read.absent) findings.mistakes.push(`${file}: cannot be read: ${read.why}`)
    return read.absent ? [] : undefined
  }
  if ((read.mode & 0o004) !== 0)
    findings.warnings.push(`${file}: every user of this machine can read it, and try passwords on its hashes: chmod o-rwx`)
  const parsed = parseUsers(read.text)
  if (!parsed.ok) findings.mistakes.push(`${file}: ${parsed.error.message}: muster-api writes it`)
  return parsed.ok ? parsed.value : undefined
}

const checkUsers = ({ api }: InternalSettings, home: string, jsonFile: string, findings: Findings): void => {
  if (!api) return
  const users = loadUsers(join(home, usersPath), findings)
  const mistake = users?.length === 0 ? mistakeWithoutUsers(api, `${jsonFile}: api.address`) : undefined
  if (mistake !== undefined) findings.mistakes.push(mistake)
}

const warnOfRelations = ({ timings }: InternalSettings, file: string, findings: Findings): void => {
  if (timings.silenceMsMax <= timings.keepAliveMs)
    findings.warnings.push(
      `${file}: intervals.master.max_allowed_time_without_keepalive is not longer than intervals.worker.keep_alive: workers will be disconnected again and again`,
    )
}

export interface SettingsPlace {
  readonly home: string
  readonly file?: string
  /** Whether a real manager runs in this home; none when left out. */
  readonly hasManager?: (home: string) => boolean
}

/**
 * The settings of the node in `home`, from `file` (by default etc/ossec.conf of the home) and etc/cluster.json.
 * While the cluster is disabled, mistakes have no effect: they are notes then, and `key` may be empty.
 */
export const loadSettings = (given: SettingsPlace): LoadedSettings => {
  const home = resolve(given.home)
  const file = given.file === undefined ? join(home, 'etc/ossec.conf') : resolve(given.file)
  const jsonFile = join(home, 'etc/cluster.json')
  const findings: Findings = { mistakes: [], warnings: [], notes: [] }
  const json = loadClusterJson(jsonFile, findings)
  const { internal, keys: jsonKeys } = json
  const conf = loadConf({ file, home, json, keyFileIn: jsonKeys.keyFile === undefined ? undefined : jsonFile }, findings)
  warnOfRelations(internal, jsonFile, findings)
  checkUsers(internal, home, jsonFile, findings)
  checkTlsFiles(internal.tls, home, jsonFile, findings)
  const isManaged = internal.manager === 'wazuh' || (internal.manager === 'auto' && (given.hasManager?.(home) ?? false))
  const others = isManaged ? conf?.ofManager : conf?.ofServices
  if (others) for (const kind of ['mistakes', 'warnings', 'notes'] as const) findings[kind].push(...others[kind])
  const keys = loadKeys(conf?.block.key ?? '', jsonKeys, { home, jsonFile }, findings)
  const { mistakes, warnings, notes } = findings
  if (!conf || (mistakes.length > 0 && !conf.block.disabled)) return { ok: false, mistakes, warnings, notes }
  const timings = { ...internal.timings, agentsDisconnectionMs: conf.agentsDisconnectionMs }
  const balancer = conf.balancer && { balancer: conf.balancer }
  const settings: NodeSettings = { ...internal, ...conf.block, ...conf.services, ...balancer, ...keys, home, timings }
  return {
    ok: true,
    settings,
    warnings,
    notes: [...notes, ...mistakes.map((mistake) => `${mistake} (fix this before you enable the cluster)`)],
  }
}
