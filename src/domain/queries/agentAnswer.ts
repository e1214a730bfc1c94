/** Answers about agents and groups: the lines, their check, and how long lists are cut into them. */
import { type Static, Type } from 'typebox'
import { count, properties, type ReadonlyValue, timeMs } from '../../base/fields.js'
import {
  type AgentListShape,
  type AgentView,
  agentFactNames,
  agentStatuses,
  disconnections,
  managerFactNames,
  shownIp,
} from '../agents/agent.js'

/**
 * One agent of a listing. A tuple, because 100 000 of them go over the socket: names of columns would double the bytes. Columns that a
 * newer daemon adds are let be, as fields are.
 */
const row = Type.Tuple(
  [
    /** ID. */
    count(),
    /** Name. */
    Type.String(),
    /** IP, see shownIp. */
    Type.String(),
    Type.Enum([...agentStatuses]),
    /** Version: empty until the agent connected for the first time, like the node; the times are 0 then. */
    Type.String(),
    /** Node. */
    Type.String(),
    /** Registered IP. */
    Type.String(),
    /** Groups, joined by commas. */
    Type.String(),
    /** Last seen. */
    timeMs(),
    /** Disconnected. */
    timeMs(),
    Type.Enum([...disconnections]),
  ],
  { additionalItems: true },
)

/** See AgentListShape. */
const shape = Type.Object({
  count: count(),
  idDigits: count(),
  nameChars: count(),
  ipChars: count(),
  statusChars: count(),
  versionChars: count(),
  nodeChars: count(),
})

const factsShape = Type.Object({
  ...properties(agentFactNames, Type.String()),
  ...properties(managerFactNames, Type.Optional(Type.String())),
})

/** See AgentView. */
const view = Type.Object({
  id: count(),
  name: Type.String(),
  registeredIp: Type.String(),
  status: Type.Enum([...agentStatuses]),
  node: Type.Optional(Type.String()),
  seenMs: Type.Optional(timeMs()),
  disconnectedMs: Type.Optional(timeMs()),
  disconnection: Type.Optional(Type.Enum([...disconnections])),
  facts: Type.Optional(factsShape),
  groups: Type.Array(Type.String()),
  groupHash: Type.String(),
})

/** Digests of merged.mg and of agent.conf, where they are there. */
const sums = { mergedSum: Type.Optional(Type.String()), configSum: Type.Optional(Type.String()) }
const group = Type.Object({ name: Type.String(), agents: count(), ...sums })
const platform = Type.Object({ name: Type.String(), agents: count() })
/** The digest is hexadecimal. */
const groupFile = Type.Object({ name: Type.String(), digest: Type.String() })
const refusedFact = Type.Object({ id: count(), fact: Type.Enum([...agentFactNames, ...managerFactNames]), why: Type.String() })

/** One for each kind. */
export const agentAnswers = [
  /** In order of the IDs. */
  Type.Object({ kind: Type.Literal('agents'), rows: Type.Array(row) }),
  /** Of all agents but the manager, by status, and how many have the configuration of their groups. */
  Type.Object({
    kind: Type.Literal('agentSummary'),
    counts: Type.Object(properties(agentStatuses, count())),
    configuration: Type.Optional(Type.Object({ synced: count(), notSynced: count() })),
  }),
  /** How many agents said that they run on each. */
  Type.Object({ kind: Type.Literal('agentPlatforms'), platforms: Type.Array(platform) }),
  /** One a line, in order of the IDs. `manager`: the name of the machine that it reports to, where that is known; `isSynchronized`: as below. */
  Type.Object({
    kind: Type.Literal('agentDetails'),
    agent: view,
    isSynchronized: Type.Boolean(),
    registeredMs: Type.Optional(timeMs()),
    manager: Type.Optional(Type.String()),
  }),
  /** Before the first row. */
  Type.Object({ kind: Type.Literal('agentsShape'), shape }),
  /** `isSynchronized`: it reported the sum of the merged.mg that its groups have now. */
  Type.Object({ kind: Type.Literal('agent'), agent: view, isSynchronized: Type.Boolean() }),
  Type.Object({ kind: Type.Literal('groups'), groups: Type.Array(group) }),
  Type.Object({ kind: Type.Literal('unassigned'), agents: count() }),
  Type.Object({ kind: Type.Literal('groupFiles'), files: Type.Array(groupFile) }),
  /** A command was carried out; this many agents changed. */
  Type.Object({ kind: Type.Literal('done'), changed: count() }),
  /** This many agents of a node were asked to reconnect; `error` when the node could not be asked. */
  Type.Object({ kind: Type.Literal('reconnected'), node: Type.String(), agents: count(), error: Type.Optional(Type.String()) }),
  Type.Object({
    kind: Type.Literal('added'),
    entry: Type.Object({ id: count(), name: Type.String(), ip: Type.String(), key: Type.String() }),
  }),
  /** `refusedFacts` were left out, the rest of their reports was not; the first limits.reportedFailuresMax of them. */
  Type.Object({
    kind: Type.Literal('reported'),
    taken: count(),
    unknown: count(),
    refused: count(),
    refusedFacts: Type.Optional(Type.Array(refusedFact)),
  }),
] as const

export type AgentAnswer = ReadonlyValue<Static<(typeof agentAnswers)[number]>>
export type AgentRow = ReadonlyValue<Static<typeof row>>
export type GroupView = ReadonlyValue<Static<typeof group>>
export type GroupFileView = ReadonlyValue<Static<typeof groupFile>>

export const agentRow = (agent: AgentView): AgentRow => [
  agent.id,
  agent.name,
  shownIp(agent),
  agent.status,
  agent.facts?.version ?? '',
  agent.node ?? '',
  agent.registeredIp,
  agent.groups.join(','),
  agent.seenMs ?? 0,
  agent.disconnectedMs ?? 0,
  agent.disconnection ?? 'none',
]

/** The shape of a listing that has this row too. */
export const widenedShape = (shape: AgentListShape, [id, name, ip, status, version, node]: AgentRow): AgentListShape => ({
  count: shape.count + 1,
  idDigits: Math.max(shape.idDigits, String(id).length),
  nameChars: Math.max(shape.nameChars, charsOf(name)),
  ipChars: Math.max(shape.ipChars, charsOf(ip)),
  statusChars: Math.max(shape.statusChars, status.length),
  versionChars: Math.max(shape.versionChars, charsOf(version)),
  nodeChars: Math.max(shape.nodeChars, charsOf(node)),
})

const charsOf = (text: string): number => [...text].length

/** So much of a page, not counting what JSON adds: six times as much at the most, which is still well below a line's limit. */
const pageCharsMax = 64 * 1024
const itemCharsMin = 32

/** The items in pages that fit into a line each, in order. */
export function* answerPages<T extends object>(items: Iterable<T>): Generator<readonly T[], void, undefined> {
  let page: T[] = []
  let chars = 0
  for (const item of items) {
    page.push(item)
    chars += itemCharsMin
    for (const value of Object.values(item)) if (typeof value === 'string') chars += value.length
    if (chars < pageCharsMax) continue
    yield page
    page = []
    chars = 0
  }
  if (page.length > 0) yield page
}
