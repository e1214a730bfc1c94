/** What all programs at the local socket do: take arguments, ask the daemon, print, and say in one sentence what went wrong. */
import type { Readable, Writable } from 'node:stream'
import type { AnswerLine, ClusterQuery } from '../domain/clusterView.js'
import { asClusterError } from '../errors.js'
import type { CommonArguments, ParsedArguments } from './commandLine.js'
import { confirmed } from './confirmed.js'
import { ask } from './controlClient.js'
import { controlSocketPath } from './controlSocketPath.js'
import { escapeText } from './escapeText.js'
import { knownNodes } from './knownNodes.js'
import { ReaderGone, writeText } from './writeText.js'

export interface ControlWorld {
  readonly env: NodeJS.ProcessEnv
  readonly stdin: Readable
  readonly stdout: Writable
  readonly stderr: Writable
}

/** What a program may do with the world. */
export interface Conversation {
  /** Fails as `ask` of the client does, and with `unknownNode`. */
  ask(query: ClusterQuery): AsyncIterable<AnswerLine>
  print(parts: Iterable<string> | AsyncIterable<string>): Promise<void>
  /** Whether the operator answers the question with yes. */
  confirm(question: string): Promise<boolean>
}

export interface ControlProgram<A extends CommonArguments> {
  parse(argv: readonly string[], env: NodeJS.ProcessEnv): ParsedArguments<A>
  /** Resolves with the exit code. */
  carryOut(given: A, conversation: Conversation): Promise<number>
}

/** Runs one command line (without the program's name); resolves with the exit code and never rejects. */
export const runProgram = async <A extends CommonArguments>(
  program: ControlProgram<A>,
  argv: readonly string[],
  world: ControlWorld,
): Promise<number> => {
  const parsed = program.parse(argv, world.env)
  try {
    if ('given' in parsed) return await program.carryOut(parsed.given, conversationOf(parsed.given, world))
    const { exitCode, text } = parsed.outcome
    await writeText(exitCode === 0 ? world.stdout : world.stderr, [text])
    return exitCode
  } catch (error) {
    // The reader of our output has seen enough (`| head`).
    if (error instanceof ReaderGone) return 0
    return complain(error, 'given' in parsed && parsed.given.debug, world.stderr)
  }
}

const conversationOf = ({ debug, home }: CommonArguments, world: ControlWorld): Conversation => {
  const { stderr, stdout } = world
  const socketPath = controlSocketPath(home)
  return {
    ask: async function* (query) {
      if (debug) await writeText(stderr, [`DEBUG: Asking ${escapeText(socketPath)}: ${escapeText(JSON.stringify(query))}\n`])
      yield* knownNodes(ask({ socketPath, query, signal: new AbortController().signal }))
    },
    print: (parts) => writeText(stdout, parts),
    confirm: async (question) => {
      await writeText(stdout, [`${question} [y/N]: `])
      // Only now: a program that asks nothing does not touch its input.
      return confirmed(world.stdin)
    },
  }
}

/** These sentences are complete without a number. */
const unnumbered: ReadonlySet<string> = new Set(['notRunning', 'requestFailed', 'notOnWorker'])

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
