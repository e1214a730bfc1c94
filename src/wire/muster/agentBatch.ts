/**
 * Updates about agents as they travel from a worker's table to the master's: JSON in three weights, with times counted back from
 * one moment, so that a mere sign of life costs about 20 bytes. The node is not in it: it is who sends.
 */
import { Type } from 'typebox'
import { ok, type Result, refuse } from '../../base/errors.js'
import { parsedJson } from '../../base/json/parsedJson.js'
import { limits } from '../../base/limits.js'
import { shapeOf } from '../../base/shapeOf.js'
import {
  type AgentDetails,
  type AgentUpdates,
  disconnections,
  type Presence,
  presenceStatuses,
  shiftedPresence,
  shiftedTimes,
} from '../../domain/agents/agent.js'
import { latestTimeMs, soundUpdates } from '../../domain/agents/soundUpdates.js'

/** Numbers of a keep-alive: ID, how long before the base it was seen, and how long before that the connection began. */
const keepAliveColumns = 3
/** And of any other status: rank, disconnection (a code), and when it was disconnected, before the base; 0 when it is not. */
const statusColumns = 6

const batchShape = shapeOf(
  Type.Object(
    {
      baseMs: Type.Integer({ minimum: 0, maximum: 8.64e15 }),
      keepAlives: Type.Array(Type.Integer(), { maxItems: keepAliveColumns * limits.agentBatchRowsMax }),
      statuses: Type.Array(Type.Integer(), { maxItems: statusColumns * limits.agentBatchRowsMax }),
      /** As a keep-alive; the packed facts of each follow in `facts`. */
      details: Type.Array(Type.Integer(), { maxItems: keepAliveColumns * limits.agentBatchRowsMax }),
      facts: Type.Array(Type.String(), { maxItems: limits.agentBatchRowsMax }),
    },
    { additionalProperties: false },
  ),
)

/** Room for what surrounds the rows. */
const frameBytes = 128

const ranks = new Map(presenceStatuses.map((status, rank) => [status, rank]))
const codes = new Map(disconnections.map((disconnection, code) => [disconnection, code]))

/**
 * Takes rows as long as they fit. A row that lies further ahead of now than a row may was stamped before the master's clock was
 * set back: it is sent as of now, since no node would take it as it is.
 */
export class AgentBatchWriter {
  readonly #baseMs: number
  readonly #latestMs: number
  readonly #keepAlives: string[] = []
  readonly #statuses: string[] = []
  readonly #details: string[] = []
  readonly #facts: string[] = []
  #bytes = frameBytes
  #rows = 0

  constructor(nowMs: number) {
    this.#baseMs = Math.floor(nowMs)
    this.#latestMs = latestTimeMs(this.#baseMs)
  }

  get rows(): number {
    return this.#rows
  }

  /** False when it does not fit: the batch is to be sent without it. */
  addPresence(row: Presence): boolean {
    const aheadMs = Math.max(row.seenMs, row.disconnectedMs)
    const presence = aheadMs > this.#latestMs ? shiftedPresence(row, this.#baseMs - aheadMs) : row
    const { disconnectedMs, disconnection, status } = presence
    if (status === 'active') return this.#add(this.#keepAlives, this.#stamp(presence))
    const sinceMs = status === 'disconnected' ? this.#baseMs - disconnectedMs : 0
    return this.#add(this.#statuses, `${this.#stamp(presence)},${ranks.get(status)},${codes.get(disconnection)},${sinceMs}`)
  }

  addDetails(row: AgentDetails): boolean {
    const details = row.seenMs > this.#latestMs ? shiftedTimes(row, this.#baseMs - row.seenMs) : row
    const facts = JSON.stringify(details.facts)
    if (!this.#add(this.#details, this.#stamp(details), Buffer.byteLength(facts) + 1)) return false
    this.#facts.push(facts)
    return true
  }

  finish(): Uint8Array<ArrayBuffer> {
    const text = `{"baseMs":${this.#baseMs},"keepAlives":[${this.#keepAlives.join()}],"statuses":[${this.#statuses.join()}],"details":[${this.#details.join()}],"facts":[${this.#facts.join()}]}`
    return new TextEncoder().encode(text)
  }

  #stamp({ epochMs, id, seenMs }: Presence | AgentDetails): string {
    return `${id},${this.#baseMs - seenMs},${seenMs - epochMs}`
  }

  #add(rows: string[], row: string, moreBytes = 0): boolean {
    const bytes = this.#bytes + row.length + 1 + moreBytes
    if (bytes > limits.agentBatchBytesMax || this.#rows >= limits.agentBatchRowsMax) return false
    this.#bytes = bytes
    this.#rows += 1
    rows.push(row)
    return true
  }
}

/**
 * The rows that may be taken, those of active agents first, and how many are refused. A sender whose now lies too far ahead of
 * this node does not know yet that the clock was set back: its rows count from our now. Refuses an invalid batch with `malformed`.
 */
export const decodeAgentBatch = (
  batch: Uint8Array,
  from: string,
  nowMs: number,
): Result<{ readonly updates: AgentUpdates; readonly refused: number }> => {
  if (batch.byteLength > limits.agentBatchBytesMax) return refuse('malformed', { message: 'A batch of agents is too large' })
  const parsed = parsedJson(batch, batchShape, 'A batch of agents')
  if (!parsed.ok) return parsed
  const { details, facts, keepAlives, statuses } = parsed.value
  const baseMs = parsed.value.baseMs > latestTimeMs(nowMs) ? nowMs : parsed.value.baseMs
  const keepAliveRows = keepAlives.length / keepAliveColumns
  const statusRows = statuses.length / statusColumns
  const detailsRows = details.length / keepAliveColumns
  const isWhole = [keepAliveRows, statusRows, detailsRows].every(Number.isInteger) && facts.length === detailsRows
  if (!isWhole || keepAliveRows + statusRows + detailsRows > limits.agentBatchRowsMax)
    return refuse('malformed', { message: 'A batch of agents has a wrong count of values' })

  // Objects are built in one piece: spreading a part into each costs thirty times as much.
  const presences: Presence[] = []
  for (let at = 0; at < keepAlives.length; at += keepAliveColumns) {
    const [id, seenMs, epochMs] = stampAt(baseMs, keepAlives, at)
    presences.push({ id, seenMs, epochMs, status: 'active', node: from, disconnectedMs: 0, disconnection: 'none' })
  }
  let strange = 0
  for (let at = 0; at < statuses.length; at += statusColumns) {
    const [id, seenMs, epochMs] = stampAt(baseMs, statuses, at)
    const status = presenceStatuses[statuses[at + 3] ?? -1]
    const disconnection = disconnections[statuses[at + 4] ?? -1]
    const sinceMs = statuses[at + 5] ?? Number.NaN
    const disconnectedMs = status === 'disconnected' ? baseMs - sinceMs : sinceMs
    // A number that this build does not know may be a newer one's.
    if (!status || !disconnection) strange += 1
    else presences.push({ id, seenMs, epochMs, status, node: from, disconnectedMs, disconnection })
  }
  const rows: AgentDetails[] = []
  for (let row = 0; row < detailsRows; row++) {
    const [id, seenMs, epochMs] = stampAt(baseMs, details, row * keepAliveColumns)
    rows.push({ id, seenMs, epochMs, node: from, facts: facts[row] ?? '' })
  }
  const sound = soundUpdates({ presences, details: rows }, baseMs)
  return ok({ updates: sound.updates, refused: sound.refused + strange })
}

const stampAt = (baseMs: number, numbers: readonly number[], at: number): readonly [id: number, seenMs: number, epochMs: number] => {
  const seenMs = baseMs - (numbers[at + 1] ?? Number.NaN)
  return [numbers[at] ?? Number.NaN, seenMs, seenMs - (numbers[at + 2] ?? Number.NaN)]
}
