/** Reads a node's configuration files: every mistake of all of them at once, one line each, and never a key's value. */
import { readFileSync, statSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { Check } from 'typebox/value'
import { limits } from '../limits.js'
import { type ClusterBlock, type KeySource, placeOf, readClusterBlock } from './clusterBlock.js'
import { parseClusterJson } from './clusterJson.js'
import { checked, type Findings, mistakeOf, type Option } from './option.js'
import { parseOssecConf } from './ossecConf.js'
import { clusterOptions, defaultInternalSettings, globalOptions, type InternalSettings, type NodeSettings } from './settings.js'

interface Remarks {
  readonly warnings: readonly string[]
  /** Worth an info line; nothing to mend. */
  readonly notes: readonly string[]
}

export type LoadedSettings =
  | ({ readonly ok: true; readonly settings: NodeSettings } & Remarks)
  | ({ readonly ok: false; readonly mistakes: readonly string[] } & Remarks)

type SmallFile =
  | { readonly ok: true; readonly text: string; readonly mode: number }
  | { readonly ok: false; readonly why: string; readonly absent: boolean }

const causes: Readonly<Record<string, string>> = {
  ENOENT: 'it does not exist',
  EACCES: 'permission denied',
  ENOTDIR: 'a part of its path is not a directory',
}

const readSmallFile = (path: string): SmallFile => {
  try {
    const { mode, size } = statSync(path)
    if ((mode & 0o170000) !== 0o100000) return { ok: false, why: 'it is not a file', absent: false }
    if (size > limits.configFileBytesMax) return { ok: false, why: `it is larger than ${limits.configFileBytesMax} bytes`, absent: false }
    return { ok: true, text: readFileSync(path, 'utf8').replace(/^\uFEFF/, ''), mode }
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : ''
    return { ok: false, why: causes[code] ?? (error instanceof Error ? error.message : String(error)), absent: code === 'ENOENT' }
  }
}

const warnWhenExposed = (path: string, mode: number, findings: Findings): void => {
  if ((mode & 0o004) !== 0)
    findings.warnings.push(
      `${path}: every user of this machine can read it (mode ${(mode & 0o777).toString(8)}); the cluster key should be secret: chmod o-rwx`,
    )
}

interface LoadedConf {
  readonly block: ClusterBlock
  readonly agentsDisconnectionMs: number
}

const loadConf = (file: string, findings: Findings): LoadedConf | undefined => {
  const read = readSmallFile(file)
  if (!read.ok) {
    findings.mistakes.push(`${file}: cannot be read: ${read.why}`)
    return undefined
  }
  warnWhenExposed(file, read.mode, findings)
  const parsed = parseOssecConf(read.text, globalOptions.agentsDisconnectionTime.name)
  if (parsed.ok)
    return {
      block: readClusterBlock(file, parsed.clusters, findings),
      agentsDisconnectionMs: agentsDisconnectionMs(file, parsed.globals, findings),
    }
  findings.mistakes.push(`${file}: not XML in line ${parsed.line}: ${parsed.why}`)
  return undefined
}

const unitsMs: Readonly<Record<string, number>> = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 }

/** The last of the texts counts. */
const agentsDisconnectionMs = (file: string, texts: readonly string[], findings: Findings): number => {
  const known = globalOptions.agentsDisconnectionTime
  const text = checked(known, texts.at(-1) ?? known.fallback, `${file}: <global><${known.name}>`, findings.mistakes)
  return Number.parseInt(text, 10) * (unitsMs[text.at(-1) ?? ''] ?? 1_000)
}

const loadInternal = (file: string, findings: Findings): InternalSettings => {
  const read = readSmallFile(file)
  if (read.ok) return parseClusterJson(file, read.text, findings)
  if (!read.absent) findings.mistakes.push(`${file}: cannot be read: ${read.why}`)
  return defaultInternalSettings
}

interface KeyOptions {
  readonly key: Option
  readonly keyFile: Option
}

/** The key itself; undefined when there is none or a mistake was found. */
const loadKey = (source: KeySource, known: KeyOptions, where: { home: string; file: string }, findings: Findings): string | undefined => {
  if (source === undefined || source.from === 'text') return source?.text
  const path = resolve(where.home, source.path)
  const place = placeOf(where.file, known.keyFile)
  const read = readSmallFile(path)
  if (!read.ok) {
    findings.mistakes.push(
      `${place} is ${JSON.stringify(source.path)}: must be a readable file that holds the key, but ${path}: ${read.why}`,
    )
    return undefined
  }
  warnWhenExposed(path, read.mode, findings)
  const key = read.text.replace(/[\r\n]+$/, '')
  if (Check(clusterOptions.key.schema, key)) return key
  findings.mistakes.push(mistakeOf(`${place}: the key in ${path}`, known.key, key))
  return undefined
}

const warnOfRelations = ({ intervals }: InternalSettings, file: string, findings: Findings): void => {
  if (intervals.master.timeWithoutKeepAliveMsMax <= intervals.worker.keepAliveMs)
    findings.warnings.push(
      `${file}: intervals.master.max_allowed_time_without_keepalive is not longer than intervals.worker.keep_alive: workers will be disconnected again and again`,
    )
}

/**
 * The settings of the node in `home`, from `file` (by default etc/ossec.conf of the home) and etc/cluster.json.
 * While the cluster is disabled mistakes matter to nobody: they are notes then, and `key` may be empty.
 */
export const loadSettings = (given: { readonly home: string; readonly file?: string }): LoadedSettings => {
  const home = resolve(given.home)
  const file = given.file === undefined ? join(home, 'etc/ossec.conf') : resolve(given.file)
  const jsonFile = join(home, 'etc/cluster.json')
  const findings: Findings = { mistakes: [], warnings: [], notes: [] }
  const conf = loadConf(file, findings)
  const internal = loadInternal(jsonFile, findings)
  warnOfRelations(internal, jsonFile, findings)
  const where = { home, file }
  const { key: keyOption, keyFile, previousKey: previousOption, previousKeyFile } = clusterOptions
  const block = conf?.block
  const key = loadKey(block?.key, { key: keyOption, keyFile }, where, findings)
  const previousKey = loadKey(block?.previousKey, { key: previousOption, keyFile: previousKeyFile }, where, findings)
  const { mistakes, warnings, notes } = findings
  if (!conf || !block || (mistakes.length > 0 && !block.disabled)) return { ok: false, mistakes, warnings, notes }
  const { previousKey: _source, ...plain } = block
  const settings: NodeSettings = {
    ...internal,
    ...plain,
    ...{ home, key: key ?? '', agentsDisconnectionMs: conf.agentsDisconnectionMs },
    ...(previousKey === undefined ? {} : { previousKey }),
  }
  return {
    ok: true,
    settings,
    warnings,
    notes: [...notes, ...mistakes.map((mistake) => `${mistake} (to be mended before the cluster is enabled)`)],
  }
}
