/** What a manager asks of an agent (`#!-req`): acknowledged and repeated over UDP, answered once over TCP. */
import type { Deadline } from '../../base/deadlines.js'
import { answerText, parseRequest, requestAcknowledgement } from '../../domain/fleet/agentTexts.js'
import type { FleetContext } from './fleetContext.js'

const repeatMs = 1_000
/** `remoted.max_attempts` */
const attemptsMax = 4
const requestsMax = 64

export class FleetRequests {
  readonly #fleet: FleetContext
  readonly #say: (text: string) => void
  /** By counter: answers that the manager has not acknowledged. */
  readonly #repeating = new Map<string, Deadline>()

  constructor(fleet: FleetContext, say: (text: string) => void) {
    this.#fleet = fleet
    this.#say = say
  }

  /** False: it is not a request. */
  take(text: string, isStream: boolean): boolean {
    const asked = parseRequest(text)
    if (!asked) return false
    const { counter, request } = asked
    if (request === 'ack') {
      this.#end(counter)
      return true
    }
    const { options, totals } = this.#fleet
    const { cipher, servers, times } = options.settings
    const client = {
      crypto_method: cipher,
      notify_time: times.notifyMs / 1_000,
      server: servers.map(({ host, port }) => ({ address: host, port })),
    }
    const answer = answerText(counter, request, client)
    totals.requestsAnswered += 1
    if (isStream) this.#say(answer)
    else if (!this.#repeating.has(counter) && this.#repeating.size < requestsMax) {
      this.#say(requestAcknowledgement(counter))
      this.#repeat(counter, answer, attemptsMax)
    }
    return true
  }

  forget(): void {
    for (const counter of [...this.#repeating.keys()]) this.#end(counter)
  }

  #repeat(counter: string, answer: string, attempts: number): void {
    this.#say(answer)
    const again = (): void => {
      if (attempts > 1) this.#repeat(counter, answer, attempts - 1)
      else this.#repeating.delete(counter)
    }
    this.#repeating.set(counter, this.#fleet.deadlines.add(repeatMs, { due: again }))
  }

  #end(counter: string): void {
    const deadline = this.#repeating.get(counter)
    if (deadline) this.#fleet.deadlines.remove(deadline)
    this.#repeating.delete(counter)
  }
}
