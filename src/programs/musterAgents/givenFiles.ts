/** The files and directories that the arguments of muster-agents name, judged before agents begin. */
import { accessSync, constants, readFileSync, type Stats, statSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { agentIdText } from '../../domain/agents/agent.js'
import type { KeyEntry } from '../../domain/agents/keyEntry.js'
import { readKeyLine } from '../../domain/agents/keyLine.js'

/** Undefined when it cannot be read. */
export const textOf = (file: string, encoding: BufferEncoding = 'utf8'): string | undefined => {
  try {
    return readFileSync(file, encoding)
  } catch {
    return undefined
  }
}

/** The agents of a client.keys, or what is wrong with it. With a line that is not whole nothing is used: its agent would be another one. */
export const keysOf = (file: string): readonly KeyEntry[] | string => {
  const text = textOf(file, 'latin1')
  if (text === undefined) return `${file} cannot be read.`
  const entries = new Map<number, KeyEntry>()
  for (const [at, line] of text.split('\n').entries()) {
    const parsed = readKeyLine(line)
    if (parsed.kind === 'unusable') return `${file} line ${at + 1} cannot be used: ${parsed.reason}.`
    if (parsed.kind !== 'live') continue
    const { id } = parsed.entry
    if (entries.has(id)) return `${file} line ${at + 1} cannot be used: the ID ${agentIdText(id)} is there twice.`
    entries.set(id, parsed.entry)
  }
  return [...entries.values()]
}

const statOf = (path: string): Stats | undefined => {
  try {
    return statSync(path)
  } catch {
    return undefined
  }
}

export const isDirectory = (path: string): boolean => statOf(path)?.isDirectory() ?? false

/** A new file, or one in whose place another can be put. */
export const canBeWritten = (file: string): boolean => {
  if (statOf(file)?.isFile() === false) return false
  try {
    accessSync(dirname(resolve(file)), constants.W_OK | constants.X_OK)
    return true
  } catch {
    return false
  }
}
