/** The command line of muster-agents. */
import { resolve } from 'node:path'
import { Command, Option } from 'commander'
import { limits } from '../../base/limits.js'
import { parseClientConf } from '../../config/clientConf.js'
import { isGroupName } from '../../domain/agents/groups.js'
import type { KeyEntry } from '../../domain/agents/keyEntry.js'
import { isAgentName } from '../../domain/agents/keyLine.js'
import { servedWazuhVersion } from '../../domain/cluster/wazuhVersion.js'
import {
  type AgentServer,
  type AgentSettings,
  defaultAgentEnrolment,
  defaultAgentServer,
  defaultAgentTimes,
} from '../../domain/fleet/agentServer.js'
import { productVersion } from '../../version.js'
import { type ParsedArguments, parsedOptions } from '../kit/commandLine.js'
import { numberArgument } from '../kit/toolOptions.js'
import { canBeWritten, isDirectory, keysOf, textOf } from './givenFiles.js'

export interface AgentsArguments {
  readonly agents: number
  readonly settings: AgentSettings
  /** Agent 2 begins with the second server, and so on. */
  readonly rotates: boolean
  readonly keys: readonly KeyEntry[]
  readonly password?: string
  readonly namePrefix: string
  readonly version: string
  readonly rate: number
  readonly size: number
  readonly startsPerSecond: number
  /** Until a signal when it is undefined. */
  readonly durationMs?: number
  /** Homes of the nodes whose segments are read. */
  readonly account: readonly string[]
  /** Where the keys are written that were given out. */
  readonly saveKeys?: string
  readonly json: boolean
}

interface Options {
  readonly agents: number
  readonly servers?: string
  readonly ossecConf?: string
  readonly rotate?: true
  readonly enrol?: true
  readonly password?: string
  readonly enrolPort?: readonly number[]
  readonly groups?: string
  readonly keys?: string
  readonly saveKeys?: string
  readonly name: string
  readonly agentVersion: string
  readonly protocol?: AgentServer['protocol']
  readonly cipher?: AgentSettings['cipher']
  readonly rate: number
  readonly size: number
  readonly notifyTime?: number
  readonly retryInterval?: number
  readonly maxRetries?: number
  readonly timeReconnect?: number
  readonly enrolDelay?: number
  readonly startRate: number
  readonly duration?: number
  readonly account?: readonly string[]
  readonly json?: true
}

const eventBytesMax = 65_000

const help = `
An event counts as taken when a node has read it. Nodes acknowledge no events, so the account goes by connections. When the agent closed
the connection itself (after a request to reconnect, or at the end), every event must be in a segment. When it broke, events after the
last one that arrived were in flight, and any gap before that is a loss. The exit code is 1 when a taken event was lost, and 2
when the account could not be made.

Examples:
  muster-agents --agents 200 --servers 10.0.0.11,10.0.0.12 --rotate --enrol --rate 2 --duration 60
  muster-agents --agents 50 --ossec-conf /var/ossec/etc/ossec.conf --keys client.keys --account /var/ossec --json
`

const portsArgument = (text: string): readonly number[] => text.split(',').map(numberArgument(1, 65_535, true))

export const agentsCommandLine = (): Command =>
  new Command('muster-agents')
    .description('Runs many agents in one process. They speak the real protocol, and every event that they send is accounted for.')
    .version(`muster-agents ${productVersion} (Muster)`, '-V, --version', 'print the version of this program')
    .addOption(new Option('--agents <count>', 'number of agents').argParser(numberArgument(1, limits.fleetAgentsMax, true)).default(10))
    .addOption(
      new Option(
        '--servers <list>',
        'HOST[:PORT], separated by commas, in the order in which an agent tries them (a load balancer is one of them)',
      ),
    )
    .addOption(new Option('--ossec-conf <file>', "an agent's ossec.conf: its <client> has the servers and times"))
    .addOption(new Option('--rotate', 'let each agent begin with another server of the list'))
    .addOption(new Option('--enrol', 'enrol agents that have no key before they connect'))
    .addOption(new Option('--password <text>', 'password for the enrolment'))
    .addOption(
      new Option('--enrol-port <ports>', 'port for the enrolment, or one for each server, separated by commas (default: 1515)').argParser(
        portsArgument,
      ),
    )
    .addOption(new Option('--groups <names>', 'groups to ask for in the enrolment, separated by commas'))
    .addOption(new Option('--keys <file>', 'a client.keys: its first agents are used'))
    .addOption(new Option('--save-keys <file>', 'write the keys of all agents there at the end'))
    .addOption(new Option('--name <prefix>', 'prefix for the names of agents that enrol').default('fleet'))
    .addOption(new Option('--agent-version <version>', 'version that agents report').default(`v${servedWazuhVersion}`))
    .addOption(new Option('--protocol <protocol>', 'protocol for --servers (default: tcp)').choices(['tcp', 'udp']))
    .addOption(new Option('--cipher <cipher>', 'cipher of the messages (default: aes)').choices(['aes', 'blowfish']))
    .addOption(new Option('--rate <events>', 'events per second and agent').argParser(numberArgument(0, 100_000, false)).default(1))
    .addOption(
      new Option('--size <bytes>', 'size of the log line of an event').argParser(numberArgument(1, eventBytesMax, true)).default(300),
    )
    .addOption(
      new Option('--notify-time <seconds>', 'time between keep-alives (default: 20)').argParser(numberArgument(0.1, 100_000, false)),
    )
    .addOption(
      new Option('--retry-interval <seconds>', 'time between attempts (default: 10)').argParser(numberArgument(0.05, 100_000, false)),
    )
    .addOption(
      new Option('--max-retries <count>', 'attempts before the next server (default: 5)').argParser(numberArgument(1, 100_000, true)),
    )
    .addOption(
      new Option('--time-reconnect <seconds>', 'time without an answer after which a server counts as gone (default: 60)').argParser(
        numberArgument(1, 100_000, false),
      ),
    )
    .addOption(
      new Option('--enrol-delay <seconds>', 'time before a new key is used (default: 20)').argParser(numberArgument(0, 100_000, false)),
    )
    .addOption(new Option('--start-rate <agents>', 'agents to start per second').argParser(numberArgument(1, 100_000, false)).default(200))
    .addOption(
      new Option('--duration <seconds>', 'how long to run (default: until SIGINT or SIGTERM)').argParser(
        numberArgument(0.1, 10_000_000, false),
      ),
    )
    .addOption(new Option('--account <home...>', 'homes of nodes on this machine, whose segments of events are read'))
    .addOption(new Option('-j, --json', 'print the account as JSON'))
    .helpOption('-h, --help', 'show this help')
    .addHelpText('after', help)
    .exitOverride()

export const parseAgentsArguments = (argv: readonly string[]): ParsedArguments<AgentsArguments> => {
  const parsed = parsedOptions<Options>(agentsCommandLine(), argv)
  if (!('given' in parsed)) return parsed
  const { given } = parsed
  const json = given.json ?? false
  const settings = settingsOf(given)
  if (typeof settings === 'string') return { mistake: settings, json }
  const mistake = mistakeIn(given, settings)
  if (mistake !== undefined) return { mistake, json }
  const keys = given.keys === undefined ? [] : keysOf(given.keys)
  if (typeof keys === 'string') return { mistake: keys, json }
  if (!given.enrol && keys.length < given.agents)
    return { mistake: `there are keys for ${keys.length} of ${given.agents} agents: give --keys with enough of them, or --enrol.`, json }
  return { given: argumentsOf(given, settings, keys) }
}

const argumentsOf = (given: Options, settings: AgentSettings, keys: readonly KeyEntry[]): AgentsArguments => ({
  agents: given.agents,
  settings,
  rotates: given.rotate ?? false,
  keys,
  ...(given.password !== undefined && { password: given.password }),
  namePrefix: given.name,
  version: given.agentVersion,
  rate: given.rate,
  size: given.size,
  startsPerSecond: given.startRate,
  ...(given.duration !== undefined && { durationMs: given.duration * 1_000 }),
  // One that is read twice would count every event twice.
  account: [...new Set(given.account?.map((home) => resolve(home)))],
  ...(given.saveKeys !== undefined && { saveKeys: resolve(given.saveKeys) }),
  json: given.json ?? false,
})

const versionPattern = /^v?\d{1,5}\.\d{1,5}\.\d{1,5}$/

/** What could not go well, found before it begins; in a sentence. */
const mistakeIn = (given: Options, { enrolment, servers }: AgentSettings): string | undefined => {
  const { account = [], agents, agentVersion, enrolPort: ports = [], name, password, saveKeys } = given
  if (ports.length > 1 && ports.length !== servers.length)
    return `--enrol-port has ${ports.length} ports for ${servers.length} servers: give one, or one for each server.`
  if (!isAgentName(`${name}-${agents}`))
    return `--name '${name}' makes no valid names of agents: allowed are letters, digits, '.', '_' and '-', ${limits.agentNameCharsMax} with the number.`
  if (!versionPattern.test(agentVersion)) return `--agent-version '${agentVersion}' is not one such as v${servedWazuhVersion}.`
  if (password !== undefined && /[\r\n\0]/.test(password)) return '--password takes a text on one line.'
  if (enrolment.groups.some((group) => !isGroupName(group)))
    return `--groups '${given.groups ?? ''}' is not names of groups with commas between.`
  const wrongHome = account.find((home) => !isDirectory(home))
  if (wrongHome !== undefined) return `${wrongHome} in --account is not a directory that can be read.`
  if (saveKeys !== undefined && !canBeWritten(saveKeys)) return `${saveKeys} in --save-keys cannot be written.`
  return undefined
}

/** What the options say over what the file says over what a real agent does; or what is wrong. */
const settingsOf = (given: Options): AgentSettings | string => {
  if ((given.servers === undefined) === (given.ossecConf === undefined))
    return 'either --servers or --ossec-conf must be given, and not both.'
  const base = given.ossecConf === undefined ? { servers: [], ...standard } : confSettings(given.ossecConf)
  if (typeof base === 'string') return base
  const listed = given.servers === undefined ? base.servers : serversOf(given.servers)
  if (typeof listed === 'string') return listed
  const { cipher, enrolment, times } = base
  const ms = (seconds: number | undefined, otherwise: number): number => (seconds === undefined ? otherwise : Math.round(seconds * 1_000))
  return {
    servers: listed.map((server, at) => ({
      ...server,
      ...enrolmentPortOf(given, at),
      ...(given.protocol && { protocol: given.protocol }),
      maxRetries: given.maxRetries ?? server.maxRetries,
      retryIntervalMs: ms(given.retryInterval, server.retryIntervalMs),
    })),
    times: {
      ...times,
      notifyMs: ms(given.notifyTime, times.notifyMs),
      reconnectMs: ms(given.timeReconnect, times.reconnectMs),
      delayAfterEnrolmentMs: ms(given.enrolDelay, times.delayAfterEnrolmentMs),
    },
    enrolment: {
      ...enrolment,
      isEnabled: given.enrol ?? false,
      port: given.enrolPort?.[0] ?? enrolment.port,
      groups: given.groups === undefined ? enrolment.groups : given.groups.split(','),
    },
    cipher: given.cipher ?? cipher,
  }
}

/** Where each server has its own. */
const enrolmentPortOf = ({ enrolPort: ports = [] }: Options, at: number): Pick<AgentServer, 'enrolmentPort'> => {
  const port = ports.length > 1 ? ports[at] : undefined
  return port === undefined ? {} : { enrolmentPort: port }
}

const standard = { times: defaultAgentTimes, enrolment: defaultAgentEnrolment, cipher: 'aes' } as const

const confSettings = (file: string): AgentSettings | string => {
  const text = textOf(file)
  if (text === undefined) return `${file} cannot be read.`
  const parsed = parseClientConf(text)
  return parsed.ok ? parsed.value : `${file}: ${parsed.error.message}.`
}

/** `HOST`, `HOST:PORT`, `[IPv6]:PORT`. */
const serverPattern = /^(?:\[([0-9A-Fa-f:.%]+)\]|([^:[\]\s]+)|([0-9A-Fa-f]*:[0-9A-Fa-f:.]+))(?::(\d{1,5}))?$/

const serversOf = (list: string): readonly AgentServer[] | string => {
  const servers: AgentServer[] = []
  for (const text of list.split(',')) {
    const [, bracketed, host, ipv6, port] = serverPattern.exec(text.trim()) ?? []
    const name = bracketed ?? host ?? ipv6
    const number = port === undefined ? defaultAgentServer.port : Number(port)
    if (name === undefined || number < 1 || number > 65_535) return `'${text}' in --servers is not HOST or HOST:PORT.`
    servers.push({ ...defaultAgentServer, host: name, port: number })
  }
  return servers
}
