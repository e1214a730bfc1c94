/** The command line of cluster_control: what it takes, what goes together, and the sentence for what does not. */
import { Command, Option } from 'commander'
import { type AgentStatus, agentStatuses } from '../../domain/agents/agent.js'
import {
  type CommonArguments,
  type CommonOptions,
  commonArguments,
  helpOf,
  type ParsedArguments,
  parsedOptions,
  spelledOut,
  withCommonOptions,
  withLongNames,
} from '../kit/commandLine.js'
import type { NodeChange } from './changeState.js'

export type ShowTask = 'nodes' | 'health' | 'healthMore' | 'files' | 'agents'

export interface ControlArguments extends CommonArguments {
  readonly task: ShowTask | 'check' | NodeChange
  /** No questions. */
  readonly quiet: boolean
  readonly nodes: readonly string[] | undefined
  readonly statuses: readonly AgentStatus[] | undefined
}

interface Options extends CommonOptions {
  readonly listNodes?: true
  readonly listAgents?: true
  readonly health?: true | string
  readonly files?: true
  readonly drain?: string
  readonly ready?: string
  readonly remove?: string
  readonly quiet?: true
  readonly check?: true
  readonly usage?: true
  readonly filterNode?: string[]
  readonly filterAgentStatus?: string[]
}

const multiLetter: Readonly<Record<string, string>> = { '-fn': '--filter-node', '-fs': '--filter-agent-status' }

const shownTerms: Readonly<Record<string, string>> = {
  '--filter-node <node...>': '-fn, --filter-node <node...>',
  '--filter-agent-status <status...>': '-fs, --filter-agent-status <status...>',
}

const examples = `  cluster_control -l                         List the nodes of the cluster
  cluster_control -l -fn worker-1 worker-2   List these nodes only
  cluster_control -i                         Show when each worker was last synchronized
  cluster_control -i more                    Show all that is known of each node
  cluster_control -i more -fn worker-1       Show all that is known of this node
  cluster_control -f                         Show which files are not in sync, and why
  cluster_control -f -fn worker-1 --json     Print the state of every file of this worker as JSON
  cluster_control -a                         List the agents
  cluster_control -a -fs disconnected        List the agents of this status only
  cluster_control --drain worker-1           Move the agents of this node to others and let no new ones in, after a question
  cluster_control --drain worker-1 -q        The same without a question
  cluster_control --ready worker-1           Let this node take agents again, or add it back after it was removed
  cluster_control --remove worker-1          Remove this node from the cluster: it is refused until it is made ready
  cluster_control --check                    Say in one line whether everything is fine, for Nagios or systemd
  cluster_control -d -l --home DIR           Ask the daemon of another home, with debug messages
`

export const clusterControlCommandLine = (): Command =>
  withCommonOptions(
    new Command('cluster_control')
      .description('Shows the state of the cluster, drains and removes nodes, from any of its nodes.')
      .addOption(new Option('-l, --list-nodes', 'list the nodes'))
      .addOption(new Option('-i, --health [more]', "show each worker's last synchronizations, or more"))
      .addOption(new Option('-f, --files', "show which of the workers' files are not in sync, and why (with --json the others too)"))
      .addOption(new Option('-a, --list-agents', 'list the agents'))
      .addOption(new Option('--check', 'check the node and its cluster in one line: exit code 0 is OK, 1 a warning, 2 critical'))
      .addOption(new Option('--filter-node <node...>', 'show these nodes only, or the agents of these nodes'))
      .addOption(new Option('--filter-agent-status <status...>', `with -a: show agents of this status only: ${agentStatuses.join(', ')}`))
      .addOption(new Option('--drain <node>', 'move the agents of this node to other nodes and let no new ones in; it stays in sync'))
      .addOption(new Option('--ready <node>', 'let this node take agents again, or add it back after it was removed'))
      .addOption(new Option('--remove <node>', 'remove this node from the cluster: it is refused until it is made ready'))
      .addOption(new Option('-q, --quiet', 'with --drain, --ready and --remove: ask no questions'))
      .addOption(new Option('-u, --usage', 'show the usage'))
      .configureHelp({ optionTerm: ({ flags }) => shownTerms[flags] ?? flags }),
    examples,
  )

/** What to do, or what to print instead; mistakes are one sentence. */
export const parseArguments = (argv: readonly string[], env: NodeJS.ProcessEnv): ParsedArguments<ControlArguments> => {
  const named = withLongNames(argv, multiLetter)
  const command = clusterControlCommandLine()
  const parsed = parsedOptions<Options>(command, spelledOut(command, named))
  if (!('given' in parsed)) return parsed
  const task = taskOf(parsed.given)
  const common = commonArguments(parsed.given, env)
  if (typeof task === 'string') return { mistake: task, json: common.json }
  if (task.kind === 'help') return { shown: helpOf(clusterControlCommandLine()) }
  if (task.kind === 'usage') return { shown: usageText }
  const { filterAgentStatus, filterNode } = parsed.given
  const quiet = parsed.given.quiet ?? false
  return { given: { ...common, task: task.kind, quiet, nodes: filterNode, statuses: filterAgentStatus?.filter(isStatus) } }
}

const isStatus = (text: string): text is AgentStatus => agentStatuses.some((status) => status === text)

/** What is to be done, or what is wrong. */
const taskOf = (options: Options): { readonly kind: ControlArguments['task'] | 'help' | 'usage' } | string => {
  const { listNodes, listAgents, health, files, check, json, quiet, usage, filterNode, filterAgentStatus } = options
  const change = changeIn(options)
  if ([listNodes, listAgents, health, files, check, usage, ...change].filter((chosen) => chosen !== undefined).length > 1)
    return 'only one of -l, -i, -f, -a, --check, --drain, --ready, --remove and -u can be given.'
  const more = typeof health === 'string' && health.toLowerCase() === 'more'
  if (typeof health === 'string' && !more) return `-i takes nothing or 'more', not '${health}'.`
  if (filterAgentStatus && !listAgents) return '-fs goes with -a only.'
  const wrong = filterAgentStatus?.find((status) => !isStatus(status))
  if (wrong !== undefined) return `'${wrong}' is not a status of an agent: -fs takes ${agentStatuses.join(', ')}.`
  const [wanted] = change
  if (quiet && !wanted) return '-q goes with --drain, --ready and --remove only.'
  if ((wanted || check) && filterNode) return '-fn goes with -l, -i, -f and -a only.'
  if (wanted && json && !quiet) return '-j goes with --drain, --ready and --remove only when -q is given too: a question is not JSON.'
  if (wanted) return { kind: wanted }
  if (check) return { kind: 'check' }
  const kind = listNodes ? 'nodes' : files ? 'files' : listAgents ? 'agents' : more ? 'healthMore' : health ? 'health' : undefined
  if (kind === undefined && (json || filterNode)) return '-fn and --json go with -l, -i, -f and -a only.'
  // As Wazuh does it: nothing to do is a question for help.
  return { kind: kind ?? (usage ? 'usage' : 'help') }
}

const changeIn = ({ drain, ready, remove }: Options): readonly NodeChange[] =>
  (
    [
      ['drained', drain],
      ['ready', ready],
      ['removed', remove],
    ] as const
  ).flatMap(([state, node]) => (node === undefined ? [] : [{ node, state }]))

export const usageText = `Usage: cluster_control [-h] [-u] [-d] [-j] [-V] [--home DIR] [-fn NODE...] [-fs STATUS...] (-l | -i [more] | -f | -a | --check | (--drain | --ready | --remove) NODE [-q])
${examples}`
