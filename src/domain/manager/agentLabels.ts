/** Labels of an agent: a line `KEY:VALUE` each, as agents send them, and as wazuh-db has them. */
import type { WazuhLabel } from './wazuhAgent.js'

/** What would end a line is a space in it, and a colon in a key is left out: an agent sends neither. */
export const labelsText = (labels: readonly WazuhLabel[]): string =>
  labels.map(({ key, value }) => `${inLine(key).replaceAll(':', '')}:${inLine(value)}`).join('\n')

const inLine = (text: string): string => text.replaceAll('\n', ' ')

/** Keys keep their quotes and marks, as in wazuh-db. Lines without a key say nothing. */
export const labelsOf = (text: string): readonly WazuhLabel[] =>
  text.split('\n').flatMap((line) => {
    const at = line.indexOf(':')
    const key = at < 0 ? line : line.slice(0, at)
    return key === '' ? [] : [{ key, value: at < 0 ? '' : line.slice(at + 1) }]
  })
