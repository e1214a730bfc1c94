/**
 * When an agent connects, waits, gives a server up, asks for a key and counts its server as gone: what the real wazuh-agentd was
 * measured to do. Decides, never waits: each step returns the state after it and what is to be done.
 */
import type { AgentServer, AgentTimes } from './agentServer.js'

export type AgentStage =
  /** Waits for the network, with the start-up to be sent once it is there. */
  | { readonly kind: 'dialling' }
  /** The start-up is sent; its answer is awaited. */
  | { readonly kind: 'greeting'; readonly untilMs: number }
  /** An attempt failed. The old socket stays open meanwhile. */
  | { readonly kind: 'resting'; readonly untilMs: number }
  | { readonly kind: 'enrolling' }
  /** Has a new key, and waits before it uses it. */
  | { readonly kind: 'settling'; readonly untilMs: number }
  | { readonly kind: 'connected'; readonly untilMs: number }

export interface AgentSchedule {
  readonly stage: AgentStage
  /** Counts the servers of the list, from 0. */
  readonly server: number
  /** Attempts at this server that failed, one after the other. */
  readonly failures: number
  /** Refusals of a key to an agent that has none, one after the other. */
  readonly refusals: number
  readonly hasKey: boolean
}

/** `dial`: closes what is open, and connects. `enrol`: asks for a key at the present server. `greet`: sends the start-up. */
export type AgentOrder = 'dial' | 'greet' | 'enrol' | 'nothing'

export interface AgentStep {
  readonly schedule: AgentSchedule
  readonly order: AgentOrder
}

export interface AgentRules {
  readonly servers: readonly Pick<AgentServer, 'maxRetries' | 'retryIntervalMs'>[]
  readonly times: AgentTimes
  readonly enrols: boolean
}

/** wazuh-agentd checks once a second whether its server still answers. */
const silenceCheckMs = 1_000
const enrolmentDelayStepMs = 5_000
const enrolmentDelayMsMax = 60_000

const dial = (schedule: AgentSchedule): AgentStep => ({ schedule: { ...schedule, stage: { kind: 'dialling' } }, order: 'dial' })
const enrol = (schedule: AgentSchedule): AgentStep => ({ schedule: { ...schedule, stage: { kind: 'enrolling' } }, order: 'enrol' })
const wait = (schedule: AgentSchedule, stage: AgentStage): AgentStep => ({ schedule: { ...schedule, stage }, order: 'nothing' })

const serverOf = ({ servers }: AgentRules, { server }: AgentSchedule): AgentRules['servers'][number] =>
  servers[server] ?? { maxRetries: 1, retryIntervalMs: 0 }

const nextServer = (schedule: AgentSchedule, { servers }: AgentRules): AgentSchedule => ({
  ...schedule,
  server: (schedule.server + 1) % Math.max(1, servers.length),
  failures: 0,
})

/** An agent starts with the first server of its list. Without a key it asks for one before anything else. */
export const begin = (hasKey: boolean): AgentStep => {
  const schedule: AgentSchedule = { stage: { kind: 'dialling' }, server: 0, failures: 0, refusals: 0, hasKey }
  return hasKey ? dial(schedule) : enrol(schedule)
}

export const dialled = (schedule: AgentSchedule, { times }: AgentRules, nowMs: number): AgentStep => ({
  schedule: { ...schedule, stage: { kind: 'greeting', untilMs: nowMs + times.receiveMsMax } },
  order: 'greet',
})

/** The start-up was acknowledged. */
export const acknowledged = (schedule: AgentSchedule, rules: AgentRules, nowMs: number): AgentSchedule => ({
  ...schedule,
  failures: 0,
  stage: { kind: 'connected', untilMs: silentAtMs(rules, nowMs) },
})

/** A control message came over a live connection. */
export const answered = (schedule: AgentSchedule, rules: AgentRules, nowMs: number): AgentSchedule =>
  schedule.stage.kind === 'connected' ? { ...schedule, stage: { kind: 'connected', untilMs: silentAtMs(rules, nowMs) } } : schedule

const silentAtMs = ({ times }: AgentRules, nowMs: number): number => nowMs + times.reconnectMs + silenceCheckMs

/** A live connection is gone, or the manager wants it made again: at once, to the same server. */
export const lost = (schedule: AgentSchedule): AgentStep => dial({ ...schedule, failures: 0 })

/** Refused, closed, not answered, or answered with something else than the acknowledgement. */
export const attemptFailed = (schedule: AgentSchedule, rules: AgentRules, nowMs: number): AgentStep => {
  const { maxRetries, retryIntervalMs } = serverOf(rules, schedule)
  const after = { ...schedule, failures: schedule.failures + 1 }
  // The attempt with a new key is one more than the others.
  if (after.failures === maxRetries && rules.enrols) return enrol(after)
  return wait(after, { kind: 'resting', untilMs: nowMs + retryIntervalMs })
}

/** An enrolment ended, with a key or without. */
export const enrolmentEnded = (schedule: AgentSchedule, rules: AgentRules, gotKey: boolean, nowMs: number): AgentStep => {
  const { times } = rules
  if (gotKey) return wait({ ...schedule, hasKey: true, refusals: 0 }, { kind: 'settling', untilMs: nowMs + times.delayAfterEnrolmentMs })
  if (schedule.hasKey) return wait(schedule, { kind: 'resting', untilMs: nowMs + serverOf(rules, schedule).retryIntervalMs })
  const refusals = schedule.refusals + 1
  const delayMs = Math.min(enrolmentDelayMsMax, refusals * enrolmentDelayStepMs)
  return wait({ ...schedule, refusals }, { kind: 'resting', untilMs: nowMs + delayMs })
}

/** The time of the stage is over. */
export const stageOver = (schedule: AgentSchedule, rules: AgentRules, nowMs: number): AgentStep => {
  switch (schedule.stage.kind) {
    case 'greeting':
      return attemptFailed(schedule, rules, nowMs)
    case 'connected':
      return lost(schedule)
    case 'settling':
      return dial(schedule)
    case 'resting':
      if (!schedule.hasKey) return enrol(nextServer(schedule, rules))
      return dial(schedule.failures >= serverOf(rules, schedule).maxRetries ? nextServer(schedule, rules) : schedule)
    default:
      return { schedule, order: 'nothing' }
  }
}

/** What the stage waits for at the latest; undefined while something else decides when it ends. */
export const stageEndsAtMs = ({ stage }: AgentSchedule): number | undefined => ('untilMs' in stage ? stage.untilMs : undefined)

/**
 * The longest time, in milliseconds, until an agent whose connection was lost is connected again, when the server with this number
 * accepts it and the others before it refuse; `answerMs`: for one dial and its answer.
 */
export const failoverMsMax = (rules: AgentRules, from: number, to: number, answerMs: number): number => {
  let totalMs = 0
  const count = Math.max(1, rules.servers.length)
  for (let step = 0, server = from; step <= count; step++, server = (server + 1) % count) {
    if (server === to && step > 0) return totalMs + answerMs
    const { maxRetries, retryIntervalMs } = rules.servers[server] ?? { maxRetries: 1, retryIntervalMs: 0 }
    totalMs += maxRetries * (retryIntervalMs + answerMs) + (rules.enrols ? answerMs : 0)
  }
  return totalMs
}
