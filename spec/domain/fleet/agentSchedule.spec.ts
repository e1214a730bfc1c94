/** The schedule of an agent against what wazuh-agentd was measured to do. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  type AgentRules,
  type AgentSchedule,
  type AgentStep,
  acknowledged,
  answered,
  attemptFailed,
  begin,
  dialled,
  enrolmentEnded,
  failoverMsMax,
  lost,
  stageEndsAtMs,
  stageOver,
} from '../../../src/domain/fleet/agentSchedule.js'
import { defaultAgentServer, defaultAgentTimes } from '../../../src/domain/fleet/agentServer.js'

type Reaction = 'accepts' | 'refuses' | 'is silent'

interface Done {
  readonly atMs: number
  readonly what: 'dial' | 'enrol'
  readonly server: number
}

interface Trial {
  readonly rules: AgentRules
  /** What a server does at this time. */
  readonly reaction: (server: number, nowMs: number) => Reaction
  readonly getsKey?: boolean
  readonly hasKey?: boolean
  readonly untilMs: number
}

/** Runs a schedule in a world without latency; ends when it is connected or the time is over. */
const tried = (trial: Trial, from?: { readonly step: AgentStep; readonly atMs: number }): { done: Done[]; connectedAtMs?: number } => {
  const { rules } = trial
  const done: Done[] = []
  let nowMs = from?.atMs ?? 0
  let { order, schedule } = from?.step ?? begin(trial.hasKey ?? true)
  const take = (step: AgentStep): void => {
    order = step.order
    schedule = step.schedule
  }
  while (nowMs < trial.untilMs) {
    if (order === 'dial') {
      done.push({ atMs: nowMs, what: 'dial', server: schedule.server })
      const reaction = trial.reaction(schedule.server, nowMs)
      if (reaction === 'refuses') take(attemptFailed(schedule, rules, nowMs))
      else if (reaction === 'is silent') take({ ...dialled(schedule, rules, nowMs), order: 'nothing' })
      else return { done, connectedAtMs: nowMs }
    } else if (order === 'enrol') {
      done.push({ atMs: nowMs, what: 'enrol', server: schedule.server })
      take(enrolmentEnded(schedule, rules, trial.getsKey ?? false, nowMs))
    } else {
      nowMs = stageEndsAtMs(schedule) ?? Number.POSITIVE_INFINITY
      if (nowMs < trial.untilMs) take(stageOver(schedule, rules, nowMs))
    }
  }
  return { done }
}

const server = { maxRetries: defaultAgentServer.maxRetries, retryIntervalMs: defaultAgentServer.retryIntervalMs }
const measured: AgentRules = { servers: [server, server], times: defaultAgentTimes, enrols: false }
const seconds = (done: readonly Done[], what: Done['what'] = 'dial'): string[] =>
  done.filter((one) => one.what === what).map(({ atMs, server: at }) => `${atMs / 1_000} s: ${at}`)

const servers = fc.array(fc.record({ maxRetries: fc.integer({ min: 1, max: 6 }), retryIntervalMs: fc.integer({ min: 1, max: 30_000 }) }), {
  minLength: 1,
  maxLength: 4,
})

describe('an agent whose servers do not answer', () => {
  it('stays 50 s on a server that refuses and 350 s on a silent one, as the default was measured', () => {
    const { done } = tried({ rules: measured, reaction: (at) => (at === 0 ? 'refuses' : 'is silent'), untilMs: 401_000 })
    const refused = ['0 s: 0', '10 s: 0', '20 s: 0', '30 s: 0', '40 s: 0']
    const silent = ['50 s: 1', '120 s: 1', '190 s: 1', '260 s: 1', '330 s: 1']
    expect(seconds(done)).toEqual([...refused, ...silent, '400 s: 0'])
  })

  it('goes through its list in order and for ever, each server with its own retries and interval', () =>
    fc.assert(
      fc.property(servers, (list) => {
        const rules = { ...measured, servers: list }
        const round = list.flatMap(({ maxRetries, retryIntervalMs }, at) =>
          Array.from({ length: maxRetries }, () => ({ server: at, ms: retryIntervalMs })),
        )
        const roundMs = round.reduce((sum, { ms }) => sum + ms, 0)
        const { done } = tried({ rules, reaction: () => 'refuses', untilMs: 3 * roundMs })
        let atMs = 0
        const wanted = [...round, ...round, ...round].map((one) => {
          const dial = { atMs, what: 'dial', server: one.server }
          atMs += one.ms
          return dial
        })
        expect(done).toEqual(wanted)
      }),
    ))
})

describe('an agent that enrols', () => {
  const rules = { ...measured, enrols: true }

  it('asks for a key once after the last attempt at a server, and tries once more 20 s later with it', () => {
    const without = tried({ rules, reaction: () => 'refuses', untilMs: 51_000 })
    expect(seconds(without.done, 'enrol')).toEqual(['40 s: 0'])
    expect(seconds(without.done).at(-1)).toBe('50 s: 1')
    const withKey = tried({ rules, reaction: () => 'refuses', getsKey: true, untilMs: 71_000 })
    expect(seconds(withKey.done).slice(-3)).toEqual(['40 s: 0', '60 s: 0', '70 s: 1'])
  })

  it('asks again after 5, 10, 15 s and so on without a key, at the next server, never over 60 s later', () => {
    const { done } = tried({ rules, reaction: () => 'refuses', hasKey: false, untilMs: 1_000_000 })
    expect(done.every(({ what }) => what === 'enrol')).toBe(true)
    expect(seconds(done, 'enrol').slice(0, 4)).toEqual(['0 s: 0', '5 s: 1', '15 s: 0', '30 s: 1'])
    const [before, last] = done.slice(-2)
    expect((last?.atMs ?? 0) - (before?.atMs ?? 0)).toBe(60_000)
  })
})

describe('an agent that was connected', () => {
  const connected = (nowMs: number): AgentSchedule => acknowledged(begin(true).schedule, measured, nowMs)

  it('dials the same server at once when its connection is lost, with all its retries again', () =>
    fc.assert(
      fc.property(servers, fc.nat(10), (list, at) => {
        const rules = { ...measured, servers: list }
        const here = { ...connected(0), server: at % list.length }
        const { done } = tried({ rules, reaction: () => 'refuses', untilMs: 1_000_000 }, { step: lost(here), atMs: 0 })
        expect(done[0]).toEqual({ atMs: 0, what: 'dial', server: here.server })
        const first = done.findIndex((one) => one.server !== here.server)
        if (list.length > 1) expect(first).toBe(list[here.server]?.maxRetries)
      }),
    ))

  it('counts its server as gone 61 s after the last control message, not before', () =>
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 60_000 }), { maxLength: 10 }), (gaps) => {
        let nowMs = 0
        let schedule = connected(nowMs)
        for (const gap of gaps) {
          nowMs += gap
          schedule = answered(schedule, measured, nowMs)
        }
        expect(stageEndsAtMs(schedule)).toBe(nowMs + 61_000)
        expect(stageOver(schedule, measured, nowMs + 61_000)).toMatchObject({ order: 'dial', schedule: { server: 0 } })
      }),
    ))

  it('is connected to the first server that accepts within its bound, whatever the others do', () =>
    fc.assert(
      fc.property(servers, fc.nat(10), fc.nat(10), fc.boolean(), (list, from, to, enrols) => {
        const rules = { ...measured, servers: list, enrols }
        const here = { ...connected(0), server: from % list.length }
        const there = to % list.length
        const boundMs = failoverMsMax(rules, here.server, there, 0)
        const accepts = (at: number, nowMs: number): Reaction => (at === there && nowMs > 0 ? 'accepts' : 'refuses')
        const { connectedAtMs } = tried({ rules, reaction: accepts, untilMs: Number.POSITIVE_INFINITY }, { step: lost(here), atMs: 0 })
        expect(connectedAtMs).toBeLessThanOrEqual(boundMs)
      }),
    ))
})
