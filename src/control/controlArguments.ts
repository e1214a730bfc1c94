/** The command line of cluster_control: what it takes, what goes together, and the sentence for what does not. */
import { Command, Option } from 'commander'
import { type AgentStatus, agentStatuses } from '../domain/agent.js'
import {
  type CommonArguments,
  type CommonOptions,
  commonArguments,
  mistake,
  type ParsedArguments,
  parsedOptions,
  withCommonOptions,
} from './commandLine.js'
import { controlExamples } from './controlExamples.js'

export interface ControlArguments extends CommonArguments {
  readonly task: 'nodes' | 'health' | 'healthMore' | 'files' | 'agents' | 'usage'
  readonly nodes: readonly string[] | undefined
  readonly statuses: readonly AgentStatus[] | undefined
  readonly json: boolean
}

interface Options extends CommonOptions {
  readonly listNodes?: true
  readonly listAgents?: true
  readonly health?: true | string
  readonly files?: true
  readonly usage?: true
  readonly filterNode?: string[]
  readonly filterAgentStatus?: string[]
  readonly json?: true
}

/** Options with several letters after one dash are the reference's; commander has none. */
const multiLetter: Readonly<Record<string, string>> = { '-fn': '--filter-node', '-fs': '--filter-agent-status' }

const spelledOut = (argument: string): string => {
  const [flag = '', ...values] = argument.split('=')
  const long = multiLetter[flag]
  return long === undefined ? argument : [long, ...values].join('=')
}

const shownTerms: Readonly<Record<string, string>> = {
  '--filter-node <node...>': '-fn, --filter-node <node...>',
  '--filter-agent-status <status...>': '-fs, --filter-agent-status <status...>',
}

const program = (): Command =>
  withCommonOptions(
    new Command('cluster_control')
      .description('Shows the state of the cluster, from any of its nodes.')
      .addOption(new Option('-l, --list-nodes', 'list the nodes'))
      .addOption(new Option('-i, --health [more]', "show each worker's last synchronizations, or more"))
      .addOption(new Option('-f, --files', "show which of the workers' files are not in sync, and why"))
      .addOption(new Option('-a, --list-agents', 'list the agents'))
      .addOption(new Option('--filter-node <node...>', 'show these nodes only, or the agents of these nodes'))
      .addOption(new Option('--filter-agent-status <status...>', `with -a: show agents of this status only: ${agentStatuses.join(', ')}`))
      .addOption(new Option('--json', 'print JSON (with -f also the files that are in sync)'))
      .addOption(new Option('-u, --usage', 'show the usage'))
      .configureHelp({ optionTerm: ({ flags }) => shownTerms[flags] ?? flags }),
    controlExamples,
  )

/** What to do, or what to print instead; mistakes are one sentence. */
export const parseArguments = (argv: readonly string[], env: NodeJS.ProcessEnv): ParsedArguments<ControlArguments> => {
  const end = argv.indexOf('--')
  const spelled = argv.map((argument, at) => (end >= 0 && at > end ? argument : spelledOut(argument)))
  const parsed = parsedOptions<Options>(program(), spelled)
  return 'given' in parsed ? decide(parsed.given, env) : parsed
}

const isStatus = (text: string): text is AgentStatus => agentStatuses.some((status) => status === text)

const decide = (options: Options, env: NodeJS.ProcessEnv): ParsedArguments<ControlArguments> => {
  const { listNodes, listAgents, health, files, usage, filterNode, filterAgentStatus } = options
  if ([listNodes, listAgents, health, files, usage].filter((chosen) => chosen !== undefined).length > 1)
    return mistake('only one of -l, -i, -f, -a and -u can be given.')
  const more = typeof health === 'string' && health.toLowerCase() === 'more'
  if (typeof health === 'string' && !more) return mistake(`-i takes nothing or the word more, not '${health}'.`)
  if (filterAgentStatus && !listAgents) return mistake('-fs goes with -a only.')
  const wrong = filterAgentStatus?.find((status) => !isStatus(status))
  if (wrong !== undefined) return mistake(`'${wrong}' is no status of an agent: -fs takes ${agentStatuses.join(', ')}.`)
  const task = listNodes ? 'nodes' : files ? 'files' : listAgents ? 'agents' : more ? 'healthMore' : health ? 'health' : 'usage'
  if (task === 'usage' && !usage) return mistake(`nothing to do.\n${usageText}`.trimEnd())
  return {
    given: {
      ...commonArguments(options, env),
      task,
      nodes: filterNode,
      statuses: filterAgentStatus?.filter(isStatus),
      json: options.json ?? false,
    },
  }
}

export const usageText = `Usage: cluster_control [-h] [-u] [-d] [--json] [--home DIR] [-fn NODE...] [-fs STATUS...] (-l | -i [more] | -f | -a)
${controlExamples}`
