/**
 * Changes of client.keys take turns with the checks of it; those that wait for a turn are written together, and answered one by one
 * when they are durable. An agent that enrols and meets another one with its name or address is decided about with what the table
 * knows of that one; the change itself fails when it is another agent by then, and is decided about again.
 */

import { ClusterError, type ErrorCode, isErrorCode } from '../../base/errors.js'
import type { InTurn } from '../../base/inTurn.js'
import { limits } from '../../base/limits.js'
import { agentIdText } from '../../domain/agents/agent.js'
import type { EnrolmentRequest } from '../../domain/agents/enrolmentRequest.js'
import type { KeyEntry, KeysAnswer, KeysChange } from '../../domain/agents/keyEntry.js'
import { type EnrolmentRules, isSameRegistration, type Registration, replacementOf, signatureOf } from '../../domain/agents/replacement.js'
import type { AgentFiles, AgentKeysStore } from '../../ports/agents.js'
import type { Clock } from '../../ports/machine.js'
import { pause } from '../kit/pause.js'

export interface ChangesTogetherOptions {
  readonly files: Pick<AgentFiles, 'change'>
  readonly store: Pick<AgentKeysStore, 'noteRegistrations' | 'registrations'>
  readonly rules: EnrolmentRules
  /** The master's time, in milliseconds since 1970. */
  readonly now: () => number
  readonly timers: Pick<Clock, 'monotonicMs' | 'setTimeout' | 'clearTimeout'>
  /** Aborted when the node stops. */
  readonly closing: AbortSignal
  /** The turns in which client.keys is read and changed. */
  readonly inTurn: InTurn
  /** They are written; they are answered once this resolves, which brings the table in line. */
  readonly onWritten: (signal: AbortSignal) => Promise<void>
  /** Puts agents that were added into their groups. */
  readonly assignGroups: (ids: readonly number[], groups: readonly string[], signal: AbortSignal) => Promise<void>
}

/** What is to be changed; the ID of an agent that is added is above all that the table knows. */
export type WantedChange =
  | { readonly kind: 'add'; readonly name: string; readonly ip: string; readonly key: string; readonly groups: readonly string[] }
  | ({ readonly kind: 'enrol' } & EnrolmentRequest)
  | { readonly kind: 'remove'; readonly id: number }

export interface ChangeMade {
  readonly entry: KeyEntry
  /** Agents that it took the place of, in sentences. */
  readonly replaced: readonly string[]
  /** It was there already. */
  readonly isRepeated: boolean
}

interface WaitingChange {
  readonly wanted: WantedChange
  /** The requests that may be carried out, and the sentences about them. */
  replaces: ReadonlyMap<number, string>
  readonly resolve: (made: ChangeMade) => void
  readonly reject: (thrown: unknown) => void
}

interface Made {
  readonly waiting: WaitingChange
  readonly entry: KeyEntry
  readonly isRepeated: boolean
}

type Refusal = Extract<KeysAnswer, { readonly ok: false }>

/** What agents meet of each other in one write is decided in the next one. */
const passesMax = 3

export class ChangesTogether {
  readonly #options: ChangesTogetherOptions
  readonly #waiting: WaitingChange[] = []
  /** Notes of agents that were not registered. */
  #obsolete: string[] = []
  #nextWriteMs = 0

  constructor(options: ChangesTogetherOptions) {
    this.#options = options
  }

  /** Fails with what the rules say. */
  make(wanted: WantedChange): Promise<ChangeMade> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ wanted, replaces: new Map(), resolve, reject })
      if (this.#waiting.length === 1) void this.#begin()
    })
  }

  /** A write costs several times what a change in it does: in a burst the next one gathers for a moment. One that comes alone does not wait. */
  async #begin(): Promise<void> {
    const { closing, inTurn, timers } = this.#options
    const missingMs = this.#nextWriteMs - timers.monotonicMs()
    if (missingMs > 0) await pause(timers, missingMs, closing).catch(() => undefined)
    await inTurn.run(() => this.#write())
  }

  async #write(): Promise<void> {
    const together = this.#waiting.splice(0, limits.keysChangesMax)
    this.#nextWriteMs = together.length > 1 ? this.#options.timers.monotonicMs() + limits.keysGatheredMs : 0
    if (this.#waiting.length > 0) void this.#options.inTurn.run(() => this.#write())
    // The caller may go away; what is begun is finished for the others.
    const { signal } = new AbortController()
    try {
      const idFloor = await this.#note(together)
      let open: readonly WaitingChange[] = together
      for (let pass = 1; open.length > 0; pass++) open = await this.#pass(open, idFloor, pass === passesMax, signal)
    } catch (thrown) {
      // Those that were answered stay answered.
      for (const { reject } of together) reject(thrown)
    }
  }

  /** Before they are in client.keys, so that a crash right after leaves no agent in it without a record. Returns the ID that new ones are above. */
  async #note(together: readonly WaitingChange[]): Promise<number> {
    if (together.every(({ wanted }) => wanted.kind === 'remove')) return 0
    const { now, store } = this.#options
    const registeredMs = now()
    const noted = together.flatMap(({ wanted }) =>
      wanted.kind === 'enrol' ? [{ key: wanted.key, registeredMs, signature: signatureOf(wanted) }] : [],
    )
    return store.noteRegistrations(noted, this.#obsolete.splice(0), registeredMs)
  }

  /** Returns those that are to be tried again. */
  async #pass(open: readonly WaitingChange[], idFloor: number, isLast: boolean, signal: AbortSignal): Promise<readonly WaitingChange[]> {
    const { files, onWritten } = this.#options
    const changes = open.map((waiting) => this.#changeOf(waiting, idFloor))
    const answers = await files.change(changes, signal)
    if (answers.length !== open.length) throw new ClusterError('internal', { message: 'Changes of client.keys were not answered' })
    const made: Made[] = []
    const refused: [WaitingChange, Refusal][] = []
    for (const [index, waiting] of open.entries()) {
      const answer = answers[index]
      if (answer?.ok) made.push({ waiting, entry: answer.entry, isRepeated: false })
      else if (answer) refused.push([waiting, answer])
    }
    if (made.length > 0) await onWritten(signal)
    const { again, repeated } = await this.#decide(refused, isLast)
    await this.#finish([...made, ...repeated], signal)
    return again
  }

  #changeOf({ replaces, wanted }: WaitingChange, idFloor: number): KeysChange {
    const { purge } = this.#options.rules
    if (wanted.kind === 'remove') return { ...wanted, purge }
    const { ip, key, name } = wanted
    return { kind: 'add', name, ip, key, idFloor, replaces: [...replaces.keys()], purge }
  }

  /** What becomes of those who met somebody with their name or address. */
  async #decide(
    refused: readonly (readonly [WaitingChange, Refusal])[],
    isLast: boolean,
  ): Promise<{ again: WaitingChange[]; repeated: Made[] }> {
    const again: WaitingChange[] = []
    const repeated: Made[] = []
    const ids = refused.flatMap(([{ wanted }, { holders = [] }]) => (wanted.kind === 'enrol' ? holders.map(({ id }) => id) : []))
    const known = new Map(ids.length > 0 ? (await this.#options.store.registrations(ids)).map((one) => [one.id, one]) : [])
    for (const [waiting, refusal] of refused) {
      const { wanted } = waiting
      const decision = wanted.kind === 'enrol' ? this.#decisionOf(wanted, refusal, known) : refusal
      if ('replaces' in decision && !isLast) {
        waiting.replaces = decision.replaces
        again.push(waiting)
        continue
      }
      if (wanted.kind === 'enrol') this.#obsolete.push(wanted.key)
      if ('entry' in decision) repeated.push({ waiting, entry: decision.entry, isRepeated: true })
      else waiting.reject(errorOf('replaces' in decision ? refusal : decision))
    }
    return { again, repeated }
  }

  #decisionOf(
    request: EnrolmentRequest,
    refusal: Refusal,
    known: ReadonlyMap<number, Registration>,
  ): Refusal | Pick<WaitingChange, 'replaces'> | { readonly entry: KeyEntry } {
    const { now, rules } = this.#options
    const { holders = [] } = refusal
    if (holders.length === 0) return refusal
    const nowMs = now()
    const replaces = new Map<number, string>()
    for (const entry of holders) {
      const holder = known.get(entry.id)
      // An agent in client.keys that is not in the table yet came another way just now.
      if (!holder) return refusal
      if (isSameRegistration(holder, entry, request, nowMs)) return { entry }
      const replacement = replacementOf(holder, entry, request.keyHash, rules.force, nowMs)
      const isAtIp = entry.ip === request.ip && request.ip !== 'any'
      // As Wazuh writes it.
      if (replacement.kind === 'kept')
        return isAtIp
          ? { ...refusal, code: 'duplicateAgentIp', message: `Duplicate IP '${request.ip}', rejecting enrollment. ${replacement.says}` }
          : {
              ...refusal,
              code: 'duplicateAgentName',
              message: `Duplicate name '${request.name}', rejecting enrollment. ${replacement.says}`,
            }
      const duplicate = isAtIp ? `Duplicate IP '${request.ip}'` : 'Duplicate name'
      replaces.set(entry.id, `${duplicate}. Removing old agent '${entry.name}' (id '${agentIdText(entry.id)}').`)
    }
    return { replaces }
  }

  /** They get their groups together, also those that were there already: their groups may have been lost in a crash. */
  async #finish(done: readonly Made[], signal: AbortSignal): Promise<void> {
    const byGroups = new Map<string, Made[]>()
    for (const one of done) {
      const { wanted } = one.waiting
      const groups = wanted.kind === 'remove' ? '' : wanted.groups.join()
      const members = byGroups.get(groups)
      if (members) members.push(one)
      else byGroups.set(groups, [one])
    }
    for (const [groups, members] of byGroups) {
      try {
        const ids = members.map(({ entry }) => entry.id)
        if (groups !== '') await this.#options.assignGroups(ids, groups.split(','), signal)
        for (const { entry, isRepeated, waiting } of members)
          waiting.resolve({ entry, isRepeated, replaced: [...waiting.replaces.values()] })
      } catch (thrown) {
        for (const { waiting } of members) waiting.reject(thrown)
      }
    }
  }
}

const errorOf = ({ code, message }: Refusal): ClusterError => {
  const known: ErrorCode = isErrorCode(code) ? code : 'internal'
  return new ClusterError(known, { message })
}
