/**
 * Agents of a simulated cluster that enrol as agents do: by a request, and by another one at any node when the answer did not arrive,
 * whether it was refused, lost on the way or never given. What they get within a minute is one registration.
 */
import type { AgentOperations } from '../actors/agents/agentOperations.js'
import { asClusterError } from '../base/errors.js'
import { limits } from '../base/limits.js'
import type { EnrolmentRequest } from '../domain/agents/enrolmentRequest.js'
import type { KeyEntry } from '../domain/agents/keyEntry.js'
import type { VirtualClock } from './world/virtualClock.js'

export interface SimulatedEnrolmentsOptions {
  readonly clock: VirtualClock
  /** Names of the nodes that an agent asks, over and over. */
  readonly nodes: readonly string[]
  /** Undefined: nobody answers there. */
  operations(node: string): AgentOperations | undefined
  /** A key that nobody else gets. */
  key(name: string, attempt: number): string
  violated(rule: string, says: string): void
  /** Whether the master's clock or table was tampered with: then nobody knows any more when an agent was registered. */
  isMinuteCertain(): boolean
}

export interface SimulatedEnrolment {
  readonly name: string
  readonly node: string
  /** The answers to this many attempts do not reach the agent. */
  readonly lostAnswers: number
}

const attemptsMax = 5
const pauseMs = 4_000
/** What an agent waits for an answer. */
const answerMsMax = 8_000
const { signal } = new AbortController()

/** Resolves with what the agent knows in the end: undefined when it gave up. */
export const enrolAsAgent = async (
  { clock, isMinuteCertain, key, nodes, operations, violated }: SimulatedEnrolmentsOptions,
  { lostAnswers, name, node }: SimulatedEnrolment,
): Promise<KeyEntry | undefined> => {
  const first = nodes.indexOf(node)
  const beganMs = clock.monotonicMs()
  for (let attempt = 0; attempt < attemptsMax; attempt++) {
    const at = nodes[(first + attempt) % nodes.length] ?? node
    const request: EnrolmentRequest = { name, ip: 'any', groups: [], key: key(name, attempt), source: `of ${name}` }
    const answer = await answered(clock, operations(at)?.enrol(request, signal))
    const isSoon = clock.monotonicMs() - beganMs < limits.enrolmentRetryMsMax
    if (answer.refusal !== undefined && isSoon && isMinuteCertain())
      violated('an agent that enrols again soon gets its registration', `${name} was refused by ${at}: ${answer.refusal}`)
    if (answer.entry && attempt >= lostAnswers) return answer.entry
    await waited(clock, pauseMs)
  }
  return undefined
}

interface Answered {
  readonly entry?: KeyEntry
  /** Because of another agent of its name. */
  readonly refusal?: string
}

const answered = (clock: VirtualClock, asking: Promise<KeyEntry> | undefined): Promise<Answered> =>
  new Promise((resolve) => {
    if (!asking) {
      resolve({})
      return
    }
    const timer = clock.setTimeout(() => resolve({}), answerMsMax)
    const over = (answer: Answered): void => {
      clock.clearTimeout(timer)
      resolve(answer)
    }
    asking.then(
      (entry) => over({ entry }),
      (thrown: unknown) => {
        const { code, message } = asClusterError(thrown)
        over(code === 'duplicateAgentName' ? { refusal: message } : {})
      },
    )
  })

const waited = (clock: VirtualClock, ms: number): Promise<void> => new Promise((resolve) => clock.setTimeout(resolve, ms))
