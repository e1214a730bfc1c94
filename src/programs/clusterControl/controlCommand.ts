/** cluster_control: what each of its options asks, and how the answer is printed. */
import type { AnswerLine } from '../../domain/queries/answerLine.js'
import type { ClusterQuery } from '../../domain/queries/clusterQuery.js'
import { type ControlProgram, type ProgramOptions, runProgram } from '../kit/controlProgram.js'
import { changeState } from './changeState.js'
import { type ControlArguments, parseArguments, type ShowTask } from './controlArguments.js'
import { printAgents, printAgentsJson } from './printAgents.js'
import { printCheck } from './printCheck.js'
import { printFiles, printFilesJson } from './printFiles.js'
import { printHealth, printHealthJson, printHealthMore } from './printHealth.js'
import { printNodes, printNodesJson } from './printNodes.js'

type Print = (answer: AsyncIterable<AnswerLine>) => AsyncIterable<string>

const prints: Readonly<Record<ShowTask, { readonly text: Print; readonly json: Print }>> = {
  nodes: { text: printNodes, json: printNodesJson },
  health: { text: printHealth, json: printHealthJson },
  healthMore: { text: printHealthMore, json: printHealthJson },
  files: { text: printFiles, json: printFilesJson },
  agents: { text: printAgents, json: printAgentsJson },
}

const queryOf = (task: ShowTask, { json, nodes, statuses }: ControlArguments): ClusterQuery => {
  const filter = nodes ? { nodes } : {}
  if (task === 'nodes') return { kind: 'nodes', ...filter }
  if (task === 'agents') return { kind: 'agents', ...filter, ...(statuses && { statuses }) }
  return task === 'files' ? { kind: 'files', all: json, ...filter } : { kind: 'health', ...filter }
}

const clusterControl: ControlProgram<ControlArguments> = {
  parse: parseArguments,
  carryOut: async (given, conversation) => {
    const { json, task } = given
    if (typeof task !== 'string') return changeState(task, given, conversation)
    const { ask, print } = conversation
    if (task === 'check') return printCheck(ask({ kind: 'check' }), json, print)
    await print(prints[task][json ? 'json' : 'text'](ask(queryOf(task, given))))
    return 0
  },
}

/** Runs one command line (without the program's name); resolves with the exit code and never rejects. */
export const runControl = (argv: readonly string[], world: ProgramOptions): Promise<number> => runProgram(clusterControl, argv, world)
