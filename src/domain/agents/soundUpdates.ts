/** What may enter an agents' table: the rules for single rows of updates, the same for a node's own reports and for received ones. */
import { limits } from '../../base/limits.js'
import type { AgentDetails, AgentUpdates, Presence } from './agent.js'
import { areSoundFacts } from './packedFacts.js'

const isId = (id: number): boolean => Number.isSafeInteger(id) && id >= 1 && id <= limits.agentIdMax
const isTime = (timeMs: number, latestMs: number): boolean => Number.isSafeInteger(timeMs) && timeMs >= 0 && timeMs <= latestMs

const isSoundPresence = (presence: Presence, latestMs: number): boolean =>
  isId(presence.id) &&
  isTime(presence.seenMs, latestMs) &&
  isTime(presence.epochMs, latestMs) &&
  isTime(presence.disconnectedMs, latestMs) &&
  (presence.status === 'disconnected' || (presence.disconnectedMs === 0 && presence.disconnection === 'none'))

const areSoundDetails = (details: AgentDetails, latestMs: number): boolean =>
  isId(details.id) && isTime(details.seenMs, latestMs) && isTime(details.epochMs, latestMs) && areSoundFacts(details.facts)

/** From when on a time is taken for a mistake. */
export const latestTimeMs = (nowMs: number): number => nowMs + limits.agentFutureMsMax

/** The rows that may be taken, in order, and how many are refused. */
export const soundUpdates = (updates: AgentUpdates, nowMs: number): { readonly updates: AgentUpdates; readonly refused: number } => {
  const latestMs = latestTimeMs(nowMs)
  const presences = updates.presences.filter((presence) => isSoundPresence(presence, latestMs))
  const details = updates.details.filter((row) => areSoundDetails(row, latestMs))
  return { updates: { presences, details }, refused: updates.presences.length + updates.details.length - presences.length - details.length }
}

/** The agents that rows are about and that are not known, each once. */
export const unknownIn = ({ details, presences }: AgentUpdates, isKnown: (id: number) => boolean): readonly number[] => {
  const unknown = new Set<number>()
  for (const rows of [presences, details]) for (const { id } of rows) if (!isKnown(id)) unknown.add(id)
  return [...unknown]
}
