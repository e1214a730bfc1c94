/** The command line of agent_control: Wazuh's options for showing agents, and the enrolment and removal of manage_agents. */
import { Command, Option } from 'commander'
import { limits } from '../../base/limits.js'
import { managerId } from '../../domain/agents/agent.js'
import {
  agentIdOf,
  type CommonArguments,
  type CommonOptions,
  commonArguments,
  type ParsedArguments,
  parsedOptions,
  withCommonOptions,
  withLongNames,
} from '../kit/commandLine.js'

export type AgentTask =
  | { readonly kind: 'list'; readonly only?: 'active' | 'disconnected' }
  | { readonly kind: 'info'; readonly id: number }
  | { readonly kind: 'add'; readonly name: string; readonly ip: string }
  | { readonly kind: 'remove'; readonly id: number }
  | { readonly kind: 'reconnect'; readonly ids: readonly number[] | undefined; readonly nodes: readonly string[] | undefined }

export interface AgentControlArguments extends CommonArguments {
  readonly task: AgentTask
  /** Comma-separated values. */
  readonly csv: boolean
  /** No questions. */
  readonly quiet: boolean
}

interface Options extends CommonOptions {
  readonly list?: true
  readonly connected?: true
  readonly disconnected?: true
  readonly info?: string
  readonly add?: string
  readonly ip?: string
  readonly remove?: string
  readonly reconnect?: true | string[]
  readonly all?: true
  readonly filterNode?: string[]
  readonly quiet?: true
  readonly csv?: true
}

/** Wazuh's options that are not taken yet, and what they do there. */
const lacking = {
  R: 'restarts agents',
  r: 'starts scans on agents',
  u: 'names the agent for -r, -R and -f',
  a: 'takes all agents for -r, -R and -f',
  b: 'blocks an address',
  f: 'runs an active response',
  L: 'lists the active responses',
  m: 'shows how many agents there can be',
  e: 'shows when scans ended',
} as const

const examples = `  agent_control -l                          List the agents
  agent_control -lc                         List the active agents
  agent_control -ln                         List the disconnected agents
  agent_control -l -s                       List the agents as comma-separated values
  agent_control -i 001                      Show all that is known of an agent
  agent_control -i 001 -j                   The same as JSON
  agent_control --add web-1                 Enrol an agent, and print its line of client.keys
  agent_control --add web-1 --ip 10.0.0.7   Enrol an agent that may connect from this address only
  agent_control --remove 001                Remove an agent, after a question
  agent_control --remove 001 -q             Remove an agent without a question
  agent_control --reconnect 001 002         Have these agents connect again, from any node
  agent_control --reconnect --all -fn w1    Have all agents that are connected to the node w1 connect again
`

const multiLetter = { '-fn': '--filter-node' } as const
const shownTerms: Readonly<Record<string, string>> = { '--filter-node <node...>': '-fn, --filter-node <node...>' }

export const agentControlCommandLine = (): Command => {
  const command = new Command('agent_control')
  for (const flag of Object.keys(lacking)) command.addOption(new Option(`-${flag} [value]`).hideHelp())
  return withCommonOptions(
    command
      .description('Shows, enrols and removes agents, on the master; makes them reconnect, from any node.')
      .addOption(new Option('-l, --list', 'list the agents'))
      .addOption(new Option('-c, --connected', 'with -l: the active ones only'))
      .addOption(new Option('-n, --disconnected', 'with -l: the disconnected ones only'))
      .addOption(new Option('-i, --info <id>', 'show all that is known of an agent'))
      .addOption(new Option('-s, --csv', 'print comma-separated values'))
      .addOption(new Option('--add <name>', 'enrol an agent'))
      .addOption(new Option('--ip <ip>', 'with --add: the address or network that it connects from (default: any)'))
      .addOption(new Option('--remove <id>', "remove an agent (no short option: Wazuh's -r and -R scan and restart agents)"))
      .addOption(new Option('--reconnect [id...]', 'ask these agents to connect again, to the first node that they find'))
      .addOption(new Option('--all', 'with --reconnect: all agents'))
      .addOption(new Option('--filter-node <node...>', 'with --reconnect: those that are connected to these nodes only'))
      .addOption(new Option('-q, --quiet', 'ask no questions'))
      .configureHelp({ optionTerm: ({ flags }) => shownTerms[flags] ?? flags }),
    examples,
  )
}

export const parseAgentControlArguments = (argv: readonly string[], env: NodeJS.ProcessEnv): ParsedArguments<AgentControlArguments> => {
  const parsed = parsedOptions<Options>(agentControlCommandLine(), withLongNames(argv, multiLetter))
  if (!('given' in parsed)) return parsed
  const common = commonArguments(parsed.given, env)
  const task = lackingIn(parsed.given) ?? taskOf(parsed.given)
  if (typeof task === 'string') return { mistake: task, json: common.json }
  return { given: { ...common, task, quiet: parsed.given.quiet ?? false, csv: parsed.given.csv ?? false } }
}

const lackingIn = (options: object): string | undefined => {
  const flag = Object.entries(lacking).find(([name]) => Object.hasOwn(options, name))
  return flag && `-${flag[0]} (${flag[1]}) is not in this version.`
}

/** What is to be done, or what is wrong. */
const taskOf = (options: Options): AgentTask | string => {
  const { add, all, connected, csv, disconnected, filterNode, info, ip, json, list, reconnect, remove } = options
  const chosen = [list, info, add, remove, reconnect].filter((one) => one !== undefined)
  if (chosen.length === 0) return "nothing to do; 'agent_control -h' shows what there is."
  if (chosen.length > 1) return 'only one of -l, -i, --add, --remove and --reconnect can be given.'
  if ((connected || disconnected) && !list) return '-c and -n go with -l only.'
  if (connected && disconnected) return 'only one of -c and -n can be given.'
  if (ip !== undefined && add === undefined) return '--ip goes with --add only.'
  if ((all || filterNode) && !reconnect) return `${all ? '--all' : '-fn'} goes with --reconnect only.`
  if (csv && !list && info === undefined) return '-s goes with -l and -i only.'
  if (json && !list && info === undefined && !reconnect) return '-j goes with -l, -i and --reconnect only.'
  if (json && csv) return 'only one of -j and -s can be given.'
  if (add !== undefined) return { kind: 'add', name: add, ip: ip ?? 'any' }
  if (list) return { kind: 'list', ...(connected && { only: 'active' }), ...(disconnected && { only: 'disconnected' }) }
  if (reconnect) return reconnectTask(reconnect, options)
  const text = info ?? remove ?? ''
  const id = agentIdOf(text)
  if (id === undefined) return `'${text}' is not an ID of an agent: an ID is a number.`
  if (info !== undefined) return { kind: 'info', id }
  return id === managerId ? `'${text}' is the manager itself, which cannot be removed.` : { kind: 'remove', id }
}

const reconnectTask = (given: true | readonly string[], { all, filterNode: nodes }: Options): AgentTask | string => {
  if ((given === true) !== (all === true)) return '--reconnect takes the IDs of agents, or --all.'
  if (given === true) return { kind: 'reconnect', ids: undefined, nodes }
  if (given.length > limits.reconnectIdsMax) return `--reconnect takes at most ${limits.reconnectIdsMax} IDs.`
  const ids = given.map(agentIdOf)
  const wrong = given.find((_, at) => ids[at] === undefined || ids[at] === managerId)
  return wrong === undefined
    ? { kind: 'reconnect', ids: ids.filter((id) => id !== undefined), nodes }
    : `'${wrong}' is not an ID of an agent: an ID is a number.`
}
