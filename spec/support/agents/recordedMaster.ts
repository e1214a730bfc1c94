/** A master in memory that decides as the recorded wazuh-authd was configured: its groups, its `<force>`, and the changes of the test. */
import { ClusterError, type ErrorCode } from '../../../src/base/errors.js'
import type { EnrolmentAnswer, EnrolmentRequest } from '../../../src/domain/agents/enrolmentRequest.js'
import type { KeyEntry } from '../../../src/domain/agents/keyEntry.js'
import { type ForceRules, type Registration, replacementOf } from '../../../src/domain/agents/replacement.js'

const groups = ['default', 'web', 'db']

interface Known {
  readonly entry: KeyEntry
  registration: Registration
}

export class RecordedMaster {
  readonly #force: ForceRules
  readonly #nowMs: number
  #known: readonly Known[] = []
  #highestId = 0

  constructor(force: ForceRules, nowMs: number) {
    this.#force = force
    this.#nowMs = nowMs
  }

  async enrol(request: EnrolmentRequest): Promise<EnrolmentAnswer> {
    const { ip, key, keyHash, name } = request
    const missing = request.groups.find((group) => !groups.includes(group))
    if (missing !== undefined) return { ...refused('groupInvalid'), subject: missing }
    if (ip !== 'any' && !this.#replaces((entry) => entry.ip === ip, keyHash)) return refused('duplicateAgentIp')
    if (!this.#replaces((entry) => entry.name === name, keyHash)) return refused('duplicateAgentName')
    this.#highestId += 1
    const entry: KeyEntry = { id: this.#highestId, name, ip, key }
    const registration: Registration = {
      id: entry.id,
      status: 'never_connected',
      disconnectedMs: 0,
      registeredMs: this.#nowMs,
      signature: '',
    }
    this.#known = [...this.#known, { entry, registration }]
    return { ok: true, entry }
  }

  /** `global sql UPDATE agent SET connection_status='active', date_add=1795655498 WHERE name='f06'` */
  change(query: string): void {
    const value = (column: string): string | undefined => new RegExp(`${column}='?([^',]+?)'?(,| WHERE|$)`).exec(query)?.[1]
    const [, where = ''] = query.split(' WHERE ')
    const [column, wanted] = where.replaceAll("'", '').split('=')
    const known = this.#known.find(({ entry }) => (column === 'id' ? String(entry.id) : entry.name) === wanted)
    if (!known) throw new Error(`No agent is meant by: ${query}`)
    const { registration } = known
    known.registration = {
      ...registration,
      status: statusOf(value('connection_status')) ?? registration.status,
      disconnectedMs: Number(value('disconnection_time') ?? 0) * 1_000,
      registeredMs: Number(value('date_add')) * 1_000,
    }
  }

  #replaces(isHolder: (entry: KeyEntry) => boolean, keyHash: string | undefined): boolean {
    const holder = this.#known.find(({ entry }) => isHolder(entry))
    if (!holder) return true
    if (replacementOf(holder.registration, holder.entry, keyHash, this.#force, this.#nowMs).kind === 'kept') return false
    this.#known = this.#known.filter((known) => known !== holder)
    return true
  }
}

const statuses = ['active', 'pending', 'disconnected', 'never_connected'] as const

const statusOf = (text: string | undefined): Registration['status'] | undefined => statuses.find((status) => status === text)

const refused = (code: ErrorCode) => ({ ok: false as const, code, message: new ClusterError(code).message })
