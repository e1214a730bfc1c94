/**
 * What a keep-alive says of its agent, taken apart as Wazuh does it (`parse_agent_update_msg`, `parse_uname_string`):
 * `UNAME [NAME|PLATFORM: VERSION (CODENAME)] - Wazuh vX / SUM OF AGENT.CONF\n`, lines of labels, `SUM merged.mg\n`.
 */
import type { AgentFacts } from '../agents/agent.js'
import { mergedName } from '../agents/mergedFile.js'

/** Facts that the master's table knows, without the empty ones. */
export type SaidFacts = { readonly [K in keyof AgentFacts]?: string }

export interface SaidByAgent {
  readonly facts: SaidFacts
  /** Of its merged.mg; `x` of an agent that has none, empty when it says nothing. */
  readonly mergedSum: string
}

const windowsMark = ' [Ver: '
const systemMark = ' ['
const versionMark = ' - '
const configMark = ' / '
const addressLabel = '#"_agent_ip":'
const architectures = /x86_64|i386|i686|sparc|amd64|i86pc|ia64|AIX|armv6|armv7|aarch64|arm64|ppc64le|ppc64|s390x/
const labelPattern = /^[!#]?"[^"]*":/
const sumPattern = /^(\S+) (.+)$/

/** Before and behind the mark; `undefined` behind where it is not. */
const cut = (text: string, mark: string): readonly [string, string | undefined] => {
  const at = text.indexOf(mark)
  return at < 0 ? [text, undefined] : [text.slice(0, at), text.slice(at + mark.length)]
}

const withoutEnd = (text: string, end: string): string => (text.endsWith(end) ? text.slice(0, -end.length) : text)

interface System {
  readonly osUname: string
  readonly osName?: string
  readonly osVersion?: string
  readonly osPlatform?: string
}

const systemOf = (text: string): System => {
  const [windows, windowsVersion] = cut(text, windowsMark)
  if (windowsVersion !== undefined)
    return { osUname: windows, osName: windows, osVersion: withoutEnd(windowsVersion, ']'), osPlatform: 'windows' }
  const [osUname, system] = cut(text, systemMark)
  if (system === undefined) return { osUname }
  const [names, version] = cut(withoutEnd(system, ']'), ': ')
  const [osName, osPlatform] = cut(names, '|')
  return {
    osUname,
    osName,
    ...(version !== undefined && { osVersion: cut(version, ' (')[0] }),
    ...(osPlatform !== undefined && { osPlatform }),
  }
}

const agentOf = (line: string): SaidFacts => {
  const [system, wazuh] = cut(line, versionMark)
  const [version, configSum] = cut(wazuh ?? '', configMark)
  const osArch = architectures.exec(system)?.[0]
  return {
    ...systemOf(system),
    ...(osArch !== undefined && { osArch }),
    ...(version !== '' && { version }),
    ...(configSum !== undefined && { configSum }),
  }
}

/** @param text a keep-alive without its header and without what follows its last newline */
export const saidByAgent = (text: string): SaidByAgent => {
  const [first = '', ...lines] = text.split('\n')
  const labels: string[] = []
  let ip: string | undefined
  let mergedSum = ''
  for (const line of lines) {
    if (labelPattern.test(line)) labels.push(line)
    if (line.startsWith(addressLabel)) ip = line.slice(addressLabel.length)
    const [, sum = '', file] = sumPattern.exec(line) ?? []
    if (file === mergedName) mergedSum = sum
  }
  const facts = {
    ...agentOf(first),
    ...(mergedSum !== '' && { mergedSum }),
    ...(labels.length > 0 && { labels: labels.join('\n') }),
    ...(ip !== undefined && { ip }),
  }
  return { facts, mergedSum }
}
