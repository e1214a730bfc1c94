/** What a manager asks of an agent (`#!-req`): acknowledged and repeated over UDP, answered once over TCP. */
import type { Deadline } from '../../base/deadlines.js'
import { agentControl } from '../../wire/agents/controlMessage.js'
import type { FleetContext } from './fleetContext.js'

const repeatMs = 1_000
/** `remoted.max_attempts` */
const attemptsMax = 4
const requestsMax = 64

export class FleetRequests {
  readonly #fleet: FleetContext
  readonly #say: (text: Buffer) => void
  /** By counter: answers that the manager has not acknowledged. */
  readonly #repeating = new Map<string, Deadline>()

  constructor(fleet: FleetContext, say: (text: Buffer) => void) {
    this.#fleet = fleet
    this.#say = say
  }

  take(counter: string, request: string, isStream: boolean): void {
    this.#fleet.totals.requestsAnswered += 1
    const answer = agentControl.answer(counter, this.#answerTo(request))
    if (isStream) this.#say(answer)
    else if (!this.#repeating.has(counter) && this.#repeating.size < requestsMax) {
      this.#say(agentControl.requestAck(counter))
      this.#repeat(counter, answer, attemptsMax)
    }
  }

  /** The manager has the answer. */
  acknowledged(counter: string): void {
    const deadline = this.#repeating.get(counter)
    if (deadline) this.#fleet.deadlines.remove(deadline)
    this.#repeating.delete(counter)
  }

  forget(): void {
    for (const counter of [...this.#repeating.keys()]) this.acknowledged(counter)
  }

  /** The one configuration that these agents have, and an error to anything else. */
  #answerTo(request: string): string {
    if (request !== 'agent getconfig client') return 'err At agent: Could not get requested section'
    const { cipher, servers, times } = this.#fleet.options.settings
    const server = servers.map(({ host, port, protocol }) => ({ address: host, port, protocol }))
    const client = { crypto_method: cipher, notify_time: times.notifyMs / 1_000, 'time-reconnect': times.reconnectMs / 1_000, server }
    return `ok ${JSON.stringify({ client })}`
  }

  #repeat(counter: string, answer: Buffer, attempts: number): void {
    this.#say(answer)
    const again = (): void => {
      if (attempts > 1) this.#repeat(counter, answer, attempts - 1)
      else this.#repeating.delete(counter)
    }
    this.#repeating.set(counter, this.#fleet.deadlines.add(repeatMs, { due: again }))
  }
}
