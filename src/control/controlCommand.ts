/** cluster_control: asks, prints, and says in one sentence what went wrong. */
import type { Writable } from 'node:stream'
import type { AnswerLine, ClusterQuery } from '../domain/clusterView.js'
import { asClusterError, ClusterError } from '../errors.js'
import { type ControlArguments, parseArguments, usageText } from './controlArguments.js'
import { ask } from './controlClient.js'
import { controlSocketPath } from './controlSocketPath.js'
import { escapeText } from './escapeText.js'
import { knownNodes } from './knownNodes.js'
import { printFiles, printFilesJson } from './printFiles.js'
import { printHealth, printHealthJson, printHealthMore } from './printHealth.js'
import { printNodes, printNodesJson } from './printNodes.js'
import { ReaderGone, writeText } from './writeText.js'

export interface ControlWorld {
  readonly env: NodeJS.ProcessEnv
  readonly stdout: Writable
  readonly stderr: Writable
}

type Task = Exclude<ControlArguments['task'], 'usage' | 'agents'>
type Print = (answer: AsyncIterable<AnswerLine>) => AsyncIterable<string>

const prints: Readonly<Record<Task, { readonly text: Print; readonly json: Print }>> = {
  nodes: { text: printNodes, json: printNodesJson },
  health: { text: printHealth, json: printHealthJson },
  healthMore: { text: printHealthMore, json: printHealthJson },
  files: { text: printFiles, json: printFilesJson },
}

const queryOf = (task: Task, { nodes, json }: ControlArguments): ClusterQuery => {
  const filter = nodes ? { nodes } : {}
  if (task === 'nodes') return { kind: 'nodes', ...filter }
  return task === 'files' ? { kind: 'files', all: json, ...filter } : { kind: 'health', ...filter }
}

/** Runs one command line (without the program's name); resolves with the exit code and never rejects. */
export const runControl = async (argv: readonly string[], world: ControlWorld): Promise<number> => {
  const arguments_ = parseArguments(argv, world.env)
  try {
    if ('exitCode' in arguments_) {
      await writeText(arguments_.exitCode === 0 ? world.stdout : world.stderr, [arguments_.text])
      return arguments_.exitCode
    }
    await carryOut(arguments_, world)
    return 0
  } catch (error) {
    // The reader of our output has seen enough (`| head`).
    if (error instanceof ReaderGone) return 0
    const debug = 'debug' in arguments_ && arguments_.debug
    return complain(error, debug, world.stderr)
  }
}

const carryOut = async (arguments_: ControlArguments, { stdout, stderr }: ControlWorld): Promise<void> => {
  const { task, debug } = arguments_
  if (task === 'usage') return writeText(stdout, [usageText])
  if (task === 'agents')
    throw new ClusterError('requestFailed', { message: 'Listing the agents is not available yet: it comes with the next version.' })
  const socketPath = controlSocketPath(arguments_.home)
  const query = queryOf(task, arguments_)
  if (debug) await writeText(stderr, [`DEBUG: Asking ${escapeText(socketPath)}: ${escapeText(JSON.stringify(query))}\n`])
  const answer = knownNodes(ask({ socketPath, query, signal: new AbortController().signal }))
  await writeText(stdout, prints[task][arguments_.json ? 'json' : 'text'](answer))
}

/** These sentences are complete without a number. */
const unnumbered: ReadonlySet<string> = new Set(['notRunning', 'requestFailed'])

const complain = async (thrown: unknown, debug: boolean, stderr: Writable): Promise<number> => {
  const error = asClusterError(thrown)
  const sentence = unnumbered.has(error.code) ? error.message : error.sentence
  const details = debug ? [error.stack ?? '', error.cause instanceof Error ? (error.cause.stack ?? '') : ''].join('\n') : ''
  const shown = details
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => `DEBUG: ${escapeText(line)}\n`)
  try {
    await writeText(stderr, [`${escapeText(sentence)}\n`, ...shown])
  } catch (error) {
    // Nobody is left to be told; the exit code still says it.
    if (!(error instanceof ReaderGone)) throw error
  }
  return 1
}
