/** Why an agent is disconnected, as wazuh-db numbers it. Other numbers say why its version was refused. */
import type { Disconnection } from '../agents/agent.js'

const codes = { shutdown: 3, keepAliveMissed: 4, restarted: 5 } as const satisfies { readonly [K in Disconnection]?: number }
const disconnectionOf: ReadonlyMap<number, Disconnection> = new Map([
  [codes.shutdown, 'shutdown'],
  [codes.keepAliveMissed, 'keepAliveMissed'],
  [codes.restarted, 'restarted'],
])

/** `none` for a code that is about something else. */
export const disconnectionOfCode = (code: number): Disconnection => disconnectionOf.get(code) ?? 'none'

/** 0 for what wazuh-db has no number for. */
export const codeOfDisconnection = (disconnection: Disconnection): number =>
  Object.entries(codes).find(([name]) => name === disconnection)?.[1] ?? 0

/** The agent itself did nothing: it was silent, or its connection was forgotten. */
export const isWithoutSign = (code: number): boolean => code === codes.keepAliveMissed || code === codes.restarted
