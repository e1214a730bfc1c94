/** `wazuh_clusterd.debug` of a manager's internal options, as its operators set it: how much the cluster daemon logs. */
import { join } from 'node:path'
import { shown } from '../base/shown.js'
import type { LogLevel } from '../ports/machine.js'
import { loadSmallFile } from './loadSmallFile.js'
import type { Findings } from './option.js'

/** The operator's own first, then the one that each upgrade of Wazuh replaces. */
const files = ['etc/local_internal_options.conf', 'etc/internal_options.conf']
const optionName = 'wazuh_clusterd.debug'

const levels: ReadonlyMap<string, LogLevel> = new Map([
  ['0', 'info'],
  ['1', 'debug'],
  ['2', 'debug2'],
])

/** The first value in a text counts, as Wazuh's programs read it. */
const valueIn = (text: string): string | undefined => {
  for (const line of text.split('\n')) {
    const [name = '', value = ''] = line.split('=', 2)
    if (name.trim() === optionName) return value.trim()
  }
  return undefined
}

/** Undefined where nothing is said. */
export const loadDebugLevel = (home: string, findings: Pick<Findings, 'mistakes' | 'warnings'>): LogLevel | undefined => {
  for (const name of files) {
    const file = join(home, name)
    const read = loadSmallFile(file)
    if (!read.ok) {
      if (!read.absent && !read.isEmpty) findings.warnings.push(`${file}: cannot be read, so its ${optionName} does not count: ${read.why}`)
      continue
    }
    const value = valueIn(read.text)
    if (value === undefined) continue
    const level = levels.get(value)
    if (!level) findings.mistakes.push(`${file}: ${optionName} is ${shown(value)}: must be 0, 1 or 2`)
    return level
  }
  return undefined
}
