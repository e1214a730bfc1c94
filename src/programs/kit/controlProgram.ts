/** What all programs at the local socket do: take arguments, ask the daemon, print, and say in one sentence what went wrong. */
import type { Readable, Writable } from 'node:stream'
import { asClusterError, ClusterError, errorTable, firstOwnNumber, lastOwnNumber } from '../../base/errors.js'
import { escapeText, safeJson } from '../../base/escapeText.js'
import type { AnswerLine } from '../../domain/queries/answerLine.js'
import type { ControlRequest } from '../../domain/queries/controlRequest.js'
import { ask } from '../../localSocket/controlClient.js'
import { controlSocketPath } from '../../localSocket/controlSocketPath.js'
import { knownNodes } from './answers.js'
import type { CommonArguments, ParsedArguments } from './commandLine.js'
import { sourceStack } from './sourceStack.js'
import { ReaderGone, writeText } from './writeText.js'

export interface ProgramOptions {
  readonly env: NodeJS.ProcessEnv
  readonly stdin: Readable
  readonly stdout: Writable
  readonly stderr: Writable
}

/** What a program may do with the world. */
export interface Conversation {
  /** Fails as `ask` of the client does, and with `unknownNode`. */
  ask(request: ControlRequest): AsyncIterable<AnswerLine>
  print(parts: Iterable<string> | AsyncIterable<string>): Promise<void>
  /** Whether the operator answers the question with yes. */
  confirm(question: string): Promise<boolean>
}

export interface ControlProgram<A extends CommonArguments> {
  parse(argv: readonly string[], env: NodeJS.ProcessEnv): ParsedArguments<A>
  /** Resolves with the exit code. */
  carryOut(given: A, conversation: Conversation): Promise<number>
  /** Says what went wrong in this program's own way. */
  errorText?(error: ClusterError, given: A): string | undefined
}

/** Runs one command line (without the program's name); resolves with the exit code and never rejects. */
export const runProgram = async <A extends CommonArguments>(
  program: ControlProgram<A>,
  argv: readonly string[],
  world: ProgramOptions,
): Promise<number> => {
  const parsed = program.parse(argv, world.env)
  let isPrinted = false
  const print: Conversation['print'] = (parts) =>
    writeText(world.stdout, parts, () => {
      isPrinted = true
    })
  try {
    if ('given' in parsed) return await program.carryOut(parsed.given, { ...conversationOf(parsed.given, world), print })
    if ('mistake' in parsed) throw new ClusterError('argumentsInvalid', { message: `Wrong arguments: ${parsed.mistake}` })
    await print([parsed.shown])
    return 0
  } catch (thrown) {
    // The reader of our output has seen enough (`| head`).
    if (thrown instanceof ReaderGone) return 0
    const error = asClusterError(thrown)
    const given = 'given' in parsed ? parsed.given : undefined
    const json = 'json' in parsed ? parsed.json : (given?.json ?? false)
    const text = (given && program.errorText?.(error, given)) ?? errorText(error)
    await complain(error, { debug: given?.debug ?? false, isWholeAnswer: json && !isPrinted, text, world })
    return 1
  }
}

const conversationOf = ({ debug, home }: CommonArguments, world: ProgramOptions): Omit<Conversation, 'print'> => {
  const { stderr, stdout } = world
  const socketPath = controlSocketPath(home)
  return {
    ask: async function* (request) {
      if (debug) await writeText(stderr, [`DEBUG: Asking ${escapeText(socketPath)}: ${escapeText(JSON.stringify(request))}\n`])
      yield* knownNodes(ask({ socketPath, request, signal: new AbortController().signal }))
    },
    confirm: async (question) => {
      await writeText(stdout, [`${question} [y/N]: `])
      // Only now: a program that asks nothing does not touch its input.
      return confirmed(world.stdin)
    },
  }
}

/** Longer lines are no answer to a question. */
const answerCharsMax = 1_000

/** Whether the next line is a yes; the end of the input is a no. Nothing more can be read from `stdin` afterwards. */
export const confirmed = async (stdin: Readable): Promise<boolean> => {
  let text = ''
  for await (const chunk of stdin) {
    text += String(chunk)
    if (text.includes('\n') || text.length > answerCharsMax) break
  }
  return /^\s*y(es)?\s*$/i.test(text.split('\n', 1)[0] ?? '')
}

/** These sentences are complete without a number. */
const unnumbered: ReadonlySet<string> = new Set(['argumentsInvalid', 'notRunning', 'requestFailed', 'notOnWorker'])

/** Wazuh's own texts are left as they are; every other sentence ends with a full stop. */
const sentenceOf = ({ code, message }: ClusterError): string => {
  const { number, says } = errorTable[code]
  const isWazuhs = message === says && (number < firstOwnNumber || number > lastOwnNumber)
  return isWazuhs ? message : message.replace(/(?<![.!?])$/, '.')
}

/** As Wazuh writes it. */
const errorText = (error: ClusterError): string => {
  const sentence = sentenceOf(error)
  return `ERROR: ${unnumbered.has(error.code) ? sentence : `Error ${error.number} - ${sentence}`}`
}

interface Complaint {
  readonly debug: boolean
  /** The answer is JSON, and nothing of it was printed: the error takes its place. */
  readonly isWholeAnswer: boolean
  readonly text: string
  readonly world: ProgramOptions
}

const complain = async (error: ClusterError, { debug, isWholeAnswer, text, world }: Complaint): Promise<void> => {
  const details = debug ? [error.stack ?? '', error.cause instanceof Error ? (error.cause.stack ?? '') : ''].join('\n') : ''
  const shown = sourceStack(details)
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => `DEBUG: ${escapeText(line)}\n`)
  try {
    if (isWholeAnswer) await writeText(world.stdout, [`${safeJson({ error: error.number, message: sentenceOf(error) })}\n`])
    await writeText(world.stderr, [...(isWholeAnswer ? [] : [`${escapeText(text)}\n`]), ...shown])
  } catch (thrown) {
    // Nobody is left to read it; the exit code still says it.
    if (!(thrown instanceof ReaderGone)) throw thrown
  }
}
