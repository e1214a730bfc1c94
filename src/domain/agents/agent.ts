/**
 * What is known of an agent, and which of two reports about it is the newer one. A report is taken by the time of the sign of
 * life that it rests on, never by the time at which it arrives, so the order of arrival does not matter.
 */

export const agentStatuses = ['active', 'disconnected', 'never_connected', 'pending'] as const
export type AgentStatus = (typeof agentStatuses)[number]

/** Statuses that a connected agent goes through, in this order; the position is the rank that decides between equal times. */
export const presenceStatuses = ['pending', 'active', 'disconnected'] as const
export type PresenceStatus = (typeof presenceStatuses)[number]

/** Why an agent is disconnected; the position is what the table and the messages hold. */
export const disconnections = ['none', 'keepAliveMissed', 'shutdown', 'connectionLost', 'restarted'] as const
export type Disconnection = (typeof disconnections)[number]

/** Where an agent is and in which state. All times are whole milliseconds since 1970 by the master's clock. */
export interface Presence {
  readonly id: number
  /** Its last sign of life: a start-up, a keep-alive or a shutdown message. */
  readonly seenMs: number
  /** When the connection began that the sign of life came over: distinguishes two connections of one instant. */
  readonly epochMs: number
  readonly status: PresenceStatus
  /** The node that it reports to. */
  readonly node: string
  /** 0 unless disconnected. */
  readonly disconnectedMs: number
  readonly disconnection: Disconnection
}

/** Of an agent that says what it is. Texts are as the agent sends them, within limits.agentFactCharsMax. */
export const agentFactNames = [
  'ip',
  'version',
  'osName',
  'osVersion',
  'osPlatform',
  'osArch',
  'osUname',
  'configSum',
  'mergedSum',
  'labels',
] as const
export type AgentFactName = (typeof agentFactNames)[number]
/** What only a real manager's database says of an agent besides. */
export const managerFactNames = ['osMajor', 'osMinor', 'osCodename', 'osBuild', 'managerHost', 'groupConfigStatus', 'statusCode'] as const
export type ManagerFactName = (typeof managerFactNames)[number]
/** Those of a real manager are left out where it says nothing. */
export type AgentFacts = { readonly [K in AgentFactName]: string } & { readonly [K in ManagerFactName]?: string }

/** Facts, stamped with the sign of life that brought them. */
export interface AgentDetails {
  readonly id: number
  readonly seenMs: number
  readonly epochMs: number
  readonly node: string
  /** As domain/agents/packedFacts packs them. */
  readonly facts: string
}

/** What one node says about agents: the whole row is both parts, "status only" and "keep-alive only" are a presence. */
export interface AgentUpdates {
  readonly presences: readonly Presence[]
  readonly details: readonly AgentDetails[]
}

const utf8 = new TextEncoder()

/** By UTF-8 bytes, as a database compares: by UTF-16 units it would be another order beyond the basic plane. */
const compareTexts = (a: string, b: string): number => {
  if (a === b) return 0
  const [left, right] = [utf8.encode(a), utf8.encode(b)]
  const at = left.findIndex((byte, index) => byte !== right[index])
  return at < 0 ? left.length - right.length : (left[at] ?? 0) - (right[at] ?? -1)
}

/** Below zero when `b` is the newer report, above zero when `a` is, zero only for equal ones: a total order. */
export const comparePresence = (a: Presence, b: Presence): number =>
  a.seenMs - b.seenMs ||
  a.epochMs - b.epochMs ||
  presenceStatuses.indexOf(a.status) - presenceStatuses.indexOf(b.status) ||
  compareTexts(a.node, b.node) ||
  a.disconnectedMs - b.disconnectedMs ||
  disconnections.indexOf(a.disconnection) - disconnections.indexOf(b.disconnection)

/** As comparePresence; of two details with the same stamp the later one in the order of their packed facts wins. */
export const compareDetails = (a: AgentDetails, b: AgentDetails): number =>
  a.seenMs - b.seenMs || a.epochMs - b.epochMs || compareTexts(a.node, b.node) || compareTexts(a.facts, b.facts)

/**
 * The merge: the greater of two in a total order, and therefore commutative, associative and idempotent.
 * What a wrong clock put beyond `futureMs` does not count at all.
 */
export const newerPresence = (a: Presence, b: Presence, futureMs = Number.POSITIVE_INFINITY): Presence => {
  if (a.seenMs > futureMs !== b.seenMs > futureMs) return a.seenMs > futureMs ? b : a
  return comparePresence(a, b) >= 0 ? a : b
}

export const newerDetails = (a: AgentDetails, b: AgentDetails, futureMs = Number.POSITIVE_INFINITY): AgentDetails => {
  if (a.seenMs > futureMs !== b.seenMs > futureMs) return a.seenMs > futureMs ? b : a
  return compareDetails(a, b) >= 0 ? a : b
}

/** Is the agent to be called disconnected, because it has been silent for too long? */
export const isSilentAgent = (presence: Presence, nowMs: number, disconnectionMs: number): boolean =>
  presence.status !== 'disconnected' && presence.seenMs + disconnectionMs < nowMs

/** The same on every node and at any time: nodes that decide it separately agree. */
export const silencedPresence = (presence: Presence, disconnectionMs: number): Presence => ({
  ...presence,
  status: 'disconnected',
  disconnectedMs: presence.seenMs + disconnectionMs,
  disconnection: 'keepAliveMissed',
})

/** The same report with its times corrected by this much, as when a clock is compared with the master's for the first time. */
export const shiftedTimes = <T extends Presence | AgentDetails>(row: T, byMs: number): T => ({
  ...row,
  seenMs: Math.max(0, row.seenMs + byMs),
  epochMs: Math.max(0, row.epochMs + byMs),
})

export const shiftedPresence = (row: Presence, byMs: number): Presence => ({
  ...shiftedTimes(row, byMs),
  disconnectedMs: row.status === 'disconnected' ? Math.max(0, row.disconnectedMs + byMs) : 0,
})

/** One agent as operators see it. */
export interface AgentView {
  readonly id: number
  readonly name: string
  /** What client.keys says: `any`, an address or a network. */
  readonly registeredIp: string
  readonly status: AgentStatus
  /** Missing until the agent connected for the first time, like all that follows. */
  readonly node?: string
  readonly seenMs?: number
  readonly disconnectedMs?: number
  readonly disconnection?: Disconnection
  readonly facts?: AgentFacts
  /** In order; empty until the agent has any. */
  readonly groups: readonly string[]
  /** Of the groups, see domain/agents/groups; empty without groups. */
  readonly groupHash: string
}

export interface AgentFilter {
  /** Agents that report to one of these nodes. */
  readonly nodes?: readonly string[]
  readonly statuses?: readonly AgentStatus[]
  /** Agents that are in this group. */
  readonly group?: string
  readonly ids?: readonly number[]
}

/** Counts of active agents by node, and of all agents by status. */
export interface AgentCounts {
  /** Of agents that were ever connected, by node; statuses that no agent has are left out. */
  readonly byNode: ReadonlyMap<string, Readonly<Partial<Record<AgentStatus, number>>>>
  readonly byStatus: { readonly [K in AgentStatus]: number }
  readonly withoutGroups: number
}

/** What a listing shows: the address that the agent reported last, or else what client.keys says. */
export const shownIp = ({ facts, registeredIp }: AgentView): string => (facts?.ip ? facts.ip : registeredIp)

/** Widest texts of a listing, in characters (code points), so that its columns can be laid out before the first row. */
export interface AgentListShape {
  readonly count: number
  /** At least three, see agentIdText. */
  readonly idDigits: number
  readonly nameChars: number
  /** Of what shownIp says. */
  readonly ipChars: number
  readonly statusChars: number
  readonly versionChars: number
  readonly nodeChars: number
}

/** Of the manager itself, which lists show as an agent. */
export const managerId = 0

/** An agent's ID as operators write it: at least three digits. */
export const agentIdText = (id: number): string => String(id).padStart(3, '0')
