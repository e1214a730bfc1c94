/** The command line of cluster_control: what it takes, what goes together, and the sentence for what does not. */
import { Command, CommanderError, Option } from 'commander'
import { controlExamples } from './controlExamples.js'

export interface ControlArguments {
  readonly task: 'nodes' | 'health' | 'healthMore' | 'files' | 'agents' | 'usage'
  readonly nodes: readonly string[] | undefined
  readonly json: boolean
  readonly debug: boolean
  readonly home: string
}

/** Nothing is to be asked: print `text` and exit. */
export interface ArgumentsOutcome {
  readonly exitCode: number
  readonly text: string
}

export const defaultHome = '/var/ossec'

interface Parsed {
  readonly listNodes?: true
  readonly listAgents?: true
  readonly health?: true | string
  readonly files?: true
  readonly usage?: true
  readonly filterNode?: string[]
  readonly filterAgentStatus?: string[]
  readonly debug?: true
  readonly json?: true
  readonly home?: string
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
  new Command('cluster_control')
    .description('Shows the state of the cluster, from any of its nodes.')
    .addOption(new Option('-l, --list-nodes', 'list the nodes'))
    .addOption(new Option('-i, --health [more]', "show each worker's last synchronizations, or more"))
    .addOption(new Option('-f, --files', "show which of the workers' files are not in sync, and why"))
    .addOption(new Option('-a, --list-agents', 'list the agents (not available yet)'))
    .addOption(new Option('--filter-node <node...>', 'show these nodes only'))
    .addOption(new Option('--filter-agent-status <status...>', 'with -a: show agents of this status only'))
    .addOption(new Option('--json', 'print JSON (with -f also the files that are in sync)'))
    .addOption(new Option('--home <dir>', `home of the manager (default: $WAZUH_PATH, else ${defaultHome})`))
    .addOption(new Option('-d, --debug', 'show debug messages'))
    .addOption(new Option('-u, --usage', 'show the usage'))
    .helpOption('-h, --help', 'show this help')
    .configureHelp({ optionTerm: ({ flags }) => shownTerms[flags] ?? flags })
    .addHelpText('after', `\nExamples:\n${controlExamples}`)
    .exitOverride()

/** What to do, or what to print instead; mistakes are one sentence. */
export const parseArguments = (argv: readonly string[], env: NodeJS.ProcessEnv): ControlArguments | ArgumentsOutcome => {
  let text = ''
  const command = program().configureOutput({
    writeOut: (part) => {
      text += part
    },
    writeErr: (part) => {
      text += part
    },
  })
  const end = argv.indexOf('--')
  const spelled = argv.map((argument, at) => (end >= 0 && at > end ? argument : spelledOut(argument)))
  try {
    command.parse(spelled, { from: 'user' })
  } catch (error) {
    if (error instanceof CommanderError) return { exitCode: error.exitCode, text }
    throw error
  }
  return decide(command.opts<Parsed>(), env)
}

const decide = (parsed: Parsed, env: NodeJS.ProcessEnv): ControlArguments | ArgumentsOutcome => {
  const mistake = (sentence: string): ArgumentsOutcome => ({ exitCode: 1, text: `${sentence}\n` })
  const { listNodes, listAgents, health, files, usage, filterNode, filterAgentStatus } = parsed
  if ([listNodes, listAgents, health, files, usage].filter((chosen) => chosen !== undefined).length > 1)
    return mistake('Wrong arguments: only one of -l, -i, -f, -a and -u can be given.')
  const more = typeof health === 'string' && health.toLowerCase() === 'more'
  if (typeof health === 'string' && !more) return mistake(`Wrong arguments: -i takes nothing or the word more, not '${health}'.`)
  if (filterAgentStatus && !listAgents) return mistake('Wrong arguments: -fs goes with -a only.')
  const task = listNodes ? 'nodes' : files ? 'files' : listAgents ? 'agents' : more ? 'healthMore' : health ? 'health' : 'usage'
  if (task === 'usage' && !usage) return mistake(`Wrong arguments: nothing to do.\n${usageText}`.trimEnd())
  return {
    task,
    nodes: filterNode,
    json: parsed.json ?? false,
    debug: parsed.debug ?? false,
    home: parsed.home ?? (env['WAZUH_PATH'] || defaultHome),
  }
}

export const usageText = `Usage: cluster_control [-h] [-u] [-d] [--json] [--home DIR] [-fn NODE...] [-fs STATUS...] (-l | -i [more] | -f | -a)
${controlExamples}`
