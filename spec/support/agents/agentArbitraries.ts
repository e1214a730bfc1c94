/** Few agents, nodes and moments, so that random reports on agents collide: ties, old reports, times beyond the clock. */
import fc from 'fast-check'
import { limits } from '../../../src/base/limits.js'
import {
  type AgentDetails,
  type AgentFacts,
  type AgentUpdates,
  agentFactNames,
  disconnections,
  type Presence,
  presenceStatuses,
} from '../../../src/domain/agents/agent.js'
import { packFacts, unpackFacts } from '../../../src/domain/agents/packedFacts.js'

export const firstMs = 1_700_000_000_000
const stepMs = 10_000

/** From before any time-out to more than a clock may be ahead. */
export const moments = fc.nat({ max: 9 }).map((step) => firstMs + step * stepMs)
/** The last three of them: some reports lie in the future of these, and some too far. */
export const nows = fc.integer({ min: 4, max: 9 }).map((step) => firstMs + step * stepMs)
export const agentIds = fc.integer({ min: 1, max: 6 })
/** The last two are in one order by UTF-16 units, and in the other by bytes. */
export const nodeNames = fc.constantFrom('w1', 'w2', '\u{1F600}', '\uFFFD')
const texts = fc.constantFrom('', 'a', 'b "quoted"\\', '\u{1F600}', '\uFFFD')

export const presences: fc.Arbitrary<Presence> = fc
  .record({
    id: agentIds,
    seenMs: moments,
    epochMs: moments,
    status: fc.constantFrom(...presenceStatuses),
    node: nodeNames,
    disconnectedMs: moments,
    disconnection: fc.constantFrom(...disconnections),
  })
  .map((presence) => (presence.status === 'disconnected' ? presence : { ...presence, disconnectedMs: 0, disconnection: 'none' as const }))

export const factsOf = (text: string, version = text): AgentFacts => ({
  ip: text,
  osName: text,
  osVersion: text,
  osPlatform: text,
  osArch: text,
  osUname: text,
  version,
  configSum: text,
  mergedSum: text,
  labels: text,
})

export const details: fc.Arbitrary<AgentDetails> = fc.record({
  id: agentIds,
  seenMs: moments,
  epochMs: moments,
  node: nodeNames,
  facts: fc.record({ text: texts, version: texts }).map(({ text, version }) => packFacts(factsOf(text, version))),
})

/** Breaks one rule of domain/agents/soundUpdates. */
const unsoundPresences = fc
  .tuple(
    presences,
    fc.constantFrom<Partial<Presence>>(
      { id: 0 },
      { id: 1.5 },
      { id: limits.agentIdMax + 1 },
      { seenMs: -1 },
      { seenMs: firstMs + 0.5 },
      { seenMs: firstMs + 1e9 },
      { epochMs: Number.NaN },
      { status: 'disconnected', disconnectedMs: Number.MAX_SAFE_INTEGER },
      { status: 'active', disconnectedMs: 1 },
      { status: 'pending', disconnectedMs: 0, disconnection: 'shutdown' },
    ),
  )
  .map(([presence, broken]): Presence => ({ ...presence, ...broken }))

const unsoundDetails = fc
  .tuple(
    details,
    fc.constantFrom(...agentFactNames),
    fc.constantFrom('a\u0000b', '\u001b[31m', '\uD800', 'x'.repeat(limits.agentLabelsCharsMax + 1), '\u0085'),
  )
  .map(([row, name, text]): AgentDetails => ({ ...row, facts: packFacts({ ...unpackFacts(row.facts), [name]: text }) }))

export const soundUpdatesOf: fc.Arbitrary<AgentUpdates> = fc.record({
  presences: fc.array(presences, { maxLength: 6 }),
  details: fc.array(details, { maxLength: 4 }),
})

export const anyUpdates: fc.Arbitrary<AgentUpdates> = fc.record({
  presences: fc.array(fc.oneof({ weight: 6, arbitrary: presences }, unsoundPresences), { maxLength: 6 }),
  details: fc.array(fc.oneof({ weight: 6, arbitrary: details }, unsoundDetails), { maxLength: 4 }),
})

export const groupNames = fc.constantFrom('default', 'web', 'web2', 'WEB', 'db_1', 'dbX1')
