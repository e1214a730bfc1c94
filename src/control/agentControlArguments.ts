/** The command line of agent_control: Wazuh's options for showing agents, and the enrolment and removal of manage_agents. */
import { Command, Option } from 'commander'
import { managerId } from '../domain/agent.js'
import {
  agentIdOf,
  type CommonArguments,
  type CommonOptions,
  commonArguments,
  type ParsedArguments,
  parsedOptions,
  withCommonOptions,
} from './commandLine.js'

export type AgentTask =
  | { readonly kind: 'list'; readonly only?: 'connected' | 'notConnected' }
  | { readonly kind: 'info'; readonly id: number }
  | { readonly kind: 'add'; readonly name: string; readonly ip: string }
  | { readonly kind: 'remove'; readonly id: number }

export interface AgentControlArguments extends CommonArguments {
  readonly task: AgentTask
  /** No questions. */
  readonly quiet: boolean
}

interface Options extends CommonOptions {
  readonly list?: true
  readonly connected?: true
  readonly notConnected?: true
  readonly info?: string
  readonly add?: string
  readonly ip?: string
  readonly remove?: string
  readonly quiet?: true
}

const examples = `  agent_control -l                          List the agents
  agent_control -lc                         List the active agents
  agent_control -ln                         List the agents that are not connected
  agent_control -i 001                      Show all that is known of an agent
  agent_control -i 001 -j                   The same as JSON
  agent_control --add web-1                 Enrol an agent, and print its line of client.keys
  agent_control --add web-1 --ip 10.0.0.7   Enrol an agent that may connect from this address only
  agent_control --remove 001                Remove an agent, after a question
  agent_control --remove 001 -q             Remove an agent without a question
`

const program = (): Command =>
  withCommonOptions(
    new Command('agent_control')
      .description('Shows, enrols and removes agents, on the master.')
      .addOption(new Option('-l, --list', 'list the agents'))
      .addOption(new Option('-c, --connected', 'with -l: the active ones only'))
      .addOption(new Option('-n, --not-connected', 'with -l: the disconnected ones and those that never connected only'))
      .addOption(new Option('-i, --info <id>', 'show all that is known of an agent'))
      .addOption(new Option('--add <name>', 'enrol an agent'))
      .addOption(new Option('--ip <ip>', 'with --add: the address or network that it connects from (default: any)'))
      .addOption(new Option('--remove <id>', "remove an agent (no short option: Wazuh's -r and -R scan and restart agents)"))
      .addOption(new Option('-q, --quiet', 'ask no questions')),
    examples,
  )

export const parseAgentControlArguments = (argv: readonly string[], env: NodeJS.ProcessEnv): ParsedArguments<AgentControlArguments> => {
  const parsed = parsedOptions<Options>(program(), argv)
  if (!('given' in parsed)) return parsed
  const common = commonArguments(parsed.given, env)
  const task = taskOf(parsed.given)
  if (typeof task === 'string') return { mistake: task, json: common.json }
  return { given: { ...common, task, quiet: parsed.given.quiet ?? false } }
}

/** What is to be done, or what is wrong. */
const taskOf = ({ add, connected, info, ip, json, list, notConnected, remove }: Options): AgentTask | string => {
  const chosen = [list, info, add, remove].filter((one) => one !== undefined)
  if (chosen.length === 0) return "nothing to do; 'agent_control -h' shows what there is."
  if (chosen.length > 1) return 'only one of -l, -i, --add and --remove can be given.'
  if ((connected || notConnected) && !list) return '-c and -n go with -l only.'
  if (connected && notConnected) return 'only one of -c and -n can be given.'
  if (ip !== undefined && add === undefined) return '--ip goes with --add only.'
  if (json && !list && info === undefined) return '-j goes with -l and -i only.'
  if (add !== undefined) return { kind: 'add', name: add, ip: ip ?? 'any' }
  if (list) return { kind: 'list', ...(connected && { only: 'connected' }), ...(notConnected && { only: 'notConnected' }) }
  const text = info ?? remove ?? ''
  const id = agentIdOf(text)
  if (id === undefined) return `'${text}' is not an ID of an agent: a number is wanted.`
  if (info !== undefined) return { kind: 'info', id }
  return id === managerId ? `'${text}' is the manager itself, which cannot be removed.` : { kind: 'remove', id }
}
