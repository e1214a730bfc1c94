/**
 * The text of a keep-alive, in which an agent says what it is: `uname [OS|platform: version (name)] - version / sum of agent.conf`,
 * labels, the sum of its merged.mg and its address, each in a line. What Wazuh's wazuh-remoted makes of it, to the letter.
 */
import type { AgentFactName, AgentFacts } from '../../domain/agents/agent.js'
import { mergedName } from '../../domain/agents/mergedFile.js'

type SaidFacts = { [K in AgentFactName]?: string }

const ipLabel = '#"_agent_ip":'
const windowsMark = ' [Ver: '
const noSum = 'x'
/** The first of these that is in the uname. */
const architectures = ['x86_64', 'i386', 'i686', 'sparc', 'amd64', 'i86pc', 'ia64', 'AIX', 'armv6', 'armv7', 'aarch64', 'arm64']

/** Only what the agent says; later lines win over earlier ones. Never refuses: of noise it says nothing. */
export const parseKeepAlive = (text: string): SaidFacts => {
  if (text.startsWith('{')) return parseJsonKeepAlive(text)
  const facts: SaidFacts = {}
  const labels: string[] = []
  for (const line of text.split('\n'))
    if (line.startsWith(ipLabel)) facts.ip = line.slice(ipLabel.length)
    else if (/^[#!"]/.test(line)) labels.push(line)
    else parseLine(line, facts)
  if (labels.length > 0) facts.labels = labels.join('\n')
  return facts
}

/** As agents of version 4 say it. Facts that are empty are left out. */
export const printKeepAlive = (facts: AgentFacts): string => {
  const { configSum, ip, labels, mergedSum, osName, osPlatform, osUname, osVersion, version } = facts
  const system = osName === '' ? '' : ` [${osName}${osPlatform === '' ? '' : `|${osPlatform}`}${osVersion === '' ? '' : `: ${osVersion}`}]`
  const lines = [`${osUname}${system} - ${version}${configSum === '' ? '' : ` / ${configSum}`}`]
  if (labels !== '') lines.push(labels)
  lines.push(`${mergedSum === '' ? noSum : mergedSum} ${mergedName}`)
  if (ip !== '') lines.push(ipLabel + ip)
  return `${lines.join('\n')}\n`
}

const parseLine = (line: string, facts: SaidFacts): void => {
  const dash = line.indexOf(' - ')
  if (dash >= 0) {
    parseUname(line.slice(0, dash), facts)
    parseVersion(line.slice(dash + 3), facts)
    return
  }
  const [sum = '', name] = splitAt(line, ' ')
  // Wazuh compares all but the last letter.
  if (name?.startsWith(mergedName.slice(0, -1))) facts.mergedSum = sum
}

const parseVersion = (text: string, facts: SaidFacts): void => {
  const [version = '', sum] = splitAt(text, ' / ')
  if (sum !== undefined) {
    facts.version = version
    facts.configSum = sum
    return
  }
  const found = /(?:Wazuh|OSSEC).*/.exec(text)
  if (found) facts.version = found[0]
}

const parseUname = (text: string, facts: SaidFacts): void => {
  const windowsAt = text.indexOf(windowsMark)
  if (windowsAt >= 0) {
    const uname = text.slice(0, windowsAt)
    const [version = '', rest = ''] = splitAt(text.slice(windowsAt + windowsMark.length), ']')
    Object.assign(facts, { osUname: uname, osName: uname, osVersion: version, osPlatform: 'windows' })
    // Newer agents: the name of the host and the architecture behind it.
    const architecture = /\|[^|]*\|\s*([^\s|-]+)/.exec(rest)?.[1]
    if (architecture !== undefined) facts.osArch = architecture
    return
  }
  const [uname = '', system] = splitAt(text, ' [')
  facts.osUname = uname
  const architecture = architectures.find((name) => uname.includes(name))
  if (architecture !== undefined) facts.osArch = architecture
  if (system !== undefined) parseSystem(system.slice(0, -1), facts)
}

/** `Debian GNU/Linux|debian: 12 (bookworm)`. */
const parseSystem = (system: string, facts: SaidFacts): void => {
  const [called = '', version] = splitAt(system, ': ')
  if (version !== undefined) facts.osVersion = splitAt(version, ' (')[0] ?? ''
  const [name = '', platform] = splitAt(called, '|')
  facts.osName = name
  if (platform !== undefined) facts.osPlatform = platform
}

/** At the first separator: what is before it, and what is behind it when there is one. */
const splitAt = (text: string, separator: string): readonly string[] => {
  const at = text.indexOf(separator)
  return at < 0 ? [text] : [text.slice(0, at), text.slice(at + separator.length)]
}

/** As agents of version 5 may say it. */
const parseJsonKeepAlive = (text: string): SaidFacts => {
  let said: unknown
  try {
    said = JSON.parse(text)
  } catch {
    return {}
  }
  const facts: SaidFacts = {}
  const uname = stringAt(said, 'agent', 'uname')
  if (uname !== undefined) parseUname(uname, facts)
  for (const [fact, path] of jsonPaths) {
    const value = stringAt(said, ...path)
    if (value !== undefined) facts[fact] = value
  }
  return facts
}

const jsonPaths: readonly (readonly [AgentFactName, readonly string[]])[] = [
  ['version', ['agent', 'version']],
  ['configSum', ['agent', 'config_sum']],
  ['mergedSum', ['agent', 'merged_sum']],
  ['ip', ['agent', 'ip']],
  ['labels', ['agent', 'labels']],
  ['osUname', ['agent', 'uname']],
  ['osName', ['host', 'os', 'name']],
  ['osVersion', ['host', 'os', 'version']],
  ['osPlatform', ['host', 'os', 'platform']],
  ['osArch', ['host', 'architecture']],
]

const stringAt = (value: unknown, ...path: readonly string[]): string | undefined => {
  let at = value
  for (const name of path) {
    if (typeof at !== 'object' || at === null || !Object.hasOwn(at, name)) return undefined
    at = Reflect.get(at, name)
  }
  return typeof at === 'string' ? at : undefined
}
