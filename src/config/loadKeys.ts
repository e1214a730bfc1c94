/**
 * The cluster's keys, from the texts and the files that the configuration names, and whether the files of `tls` are there; no key is ever in
 * a message.
 */
import { resolve } from 'node:path'
import { Check } from 'typebox/value'
import { loadSmallFile, warnWhenExposed } from './loadSmallFile.js'
import { type Findings, mistakeOf, type Option } from './option.js'
import { clusterOptions, type JsonKeys, type TlsSettings, topOptions } from './settings.js'

interface Where {
  readonly home: string
  readonly jsonFile: string
}

export interface Keys {
  /** Empty when there is none, or a mistake was found. */
  readonly key: string
  readonly previousKey?: string
}

const loadKeyFile = (written: string, named: Option, known: Option, { home, jsonFile }: Where, findings: Findings): string => {
  const path = resolve(home, written)
  const place = `${jsonFile}: ${named.name}`
  const read = loadSmallFile(path)
  if (!read.ok) {
    findings.mistakes.push(`${place} is ${JSON.stringify(written)}: must be a readable file that holds the key, but ${path}: ${read.why}`)
    return ''
  }
  warnWhenExposed(path, read.mode, findings)
  const key = read.text.replace(/[\r\n]+$/, '')
  if (Check(clusterOptions.key.schema, key)) return key
  findings.mistakes.push(mistakeOf(`${place}: the key in ${path}`, known, key))
  return ''
}

/** `text` is that of `<key>`. */
export const loadKeys = (text: string, { keyFile, previousKey: source }: JsonKeys, where: Where, findings: Findings): Keys => {
  const load = (path: string, named: Option, known: Option): string => (path === '' ? '' : loadKeyFile(path, named, known, where, findings))
  const key = keyFile === undefined ? text : load(keyFile, topOptions.keyFile, clusterOptions.key)
  if (source === undefined) return { key }
  const { previousKey: known, previousKeyFile } = topOptions
  const previousKey = source.from === 'text' ? source.text : load(source.path, previousKeyFile, known)
  if (previousKey === '') return { key }
  if (previousKey !== key) return { key, previousKey }
  const place = (source.from === 'text' ? known : previousKeyFile).name
  findings.mistakes.push(`${where.jsonFile}: ${place} is the same as the key: must be the key before it, or left out`)
  return { key }
}

/** What is in them is checked when the node starts. */
export const checkTlsFiles = (tls: TlsSettings | undefined, home: string, jsonFile: string, findings: Findings): void => {
  for (const name of ['ca', 'cert', 'key'] as const) {
    // Was a mistake already.
    if (!tls || tls[name] === '') continue
    const path = resolve(home, tls[name])
    const read = loadSmallFile(path)
    if (!read.ok)
      findings.mistakes.push(`${jsonFile}: tls.${name} is ${JSON.stringify(tls[name])}: must be a readable file, but ${path}: ${read.why}`)
    else if (name === 'key') warnWhenExposed(path, read.mode, findings, "the key of the node's certificate")
  }
}
