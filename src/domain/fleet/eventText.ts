/** The events of a fleet: texts that say which run, agent and number they are of and when they were sent, filled up to a size. */

export interface FleetEvent {
  /** Counts the agents of the run, from 1: an agent that enrols again gets another ID. */
  readonly agent: number
  /** Counts the events that the agent sent, from 1. */
  readonly sequence: number
  /** Wall clock, in milliseconds. */
  readonly sentMs: number
}

/** Distinguishes one run from others whose events are in the same segments: letters and digits. */
export type RunName = string

export const eventLocation = 'muster-agents'
const queue = '1'
const numberMax = 2 ** 40

const filling = 'abcdefghijklmnopqrstuvwxyz0123456789 '
/** Of a size that every event has room in: cut from this, not built for each. */
let filled = filling.repeat(64)

const fillingOf = (length: number): string => {
  while (filled.length < length) filled += filled
  return filled.slice(0, length)
}

/** The log line alone, of at least `bytes` bytes (more when its numbers need them). */
export const eventLog = (run: RunName, { agent, sentMs, sequence }: FleetEvent, bytes: number): string => {
  const text = `muster-agents ${run} ${agent} ${sequence} ${Math.round(sentMs)} `
  return text.length >= bytes ? text : text + fillingOf(bytes - text.length)
}

/** As an agent sends it. */
export const eventMessage = (run: RunName, event: FleetEvent, bytes: number): string =>
  `${queue}:${eventLocation}:${eventLog(run, event, bytes)}`

const numberFrom = (text: string | undefined): number => (text !== undefined && /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN)

/** Undefined: not an event of this run. */
export const parseEventLog = (run: RunName, log: string): FleetEvent | undefined => {
  if (!log.startsWith(`muster-agents ${run} `)) return undefined
  const [, , agent, sequence, sentMs] = log.split(' ', 5)
  const event = { agent: numberFrom(agent), sequence: numberFrom(sequence), sentMs: numberFrom(sentMs) }
  return event.agent > 0 && event.agent < numberMax && event.sequence > 0 && event.sequence < numberMax && event.sentMs >= 0
    ? event
    : undefined
}
