/** What agents are to have, as the node says it: asked for in batches, one at a time, when an agent with another merged.mg says that it is there. */
import { limits } from '../../../base/limits.js'
import type { AgentConfiguration, ListenerDesk } from '../../../ports/listener.js'
import type { Clock } from '../../../ports/machine.js'

/** What is kept of it with an agent. */
export interface WantingAgent {
  readonly id: number
  /** Undefined: nothing is known, or the node does not know the agent. */
  wanted: AgentConfiguration | undefined
  /** Of the state in which `wanted` was asked for. */
  wantedState: number
}

export class WantedConfigurations<Agent extends WantingAgent> {
  readonly #desk: Pick<ListenerDesk, 'configurations'>
  readonly #clock: Clock
  readonly #onKnown: (agent: Agent) => void
  readonly #onFailure: (thrown: unknown) => void
  #state = 1
  #waiting = new Set<Agent>()
  #isBusy = false
  #retry: unknown
  #isClosed = false

  /** @param onKnown what is wanted of it is known now */
  constructor(
    desk: Pick<ListenerDesk, 'configurations'>,
    clock: Clock,
    onKnown: (agent: Agent) => void,
    onFailure: (thrown: unknown) => void,
  ) {
    this.#desk = desk
    this.#clock = clock
    this.#onKnown = onKnown
    this.#onFailure = onFailure
  }

  /** Whatever is known may be wrong now. */
  changed(): void {
    this.#state += 1
  }

  isKnown(agent: Agent): boolean {
    return agent.wantedState === this.#state
  }

  ask(agent: Agent): void {
    if (this.#isClosed) return
    this.#waiting.add(agent)
    this.#next()
  }

  /** The agent is no longer here. */
  forget(agent: Agent): void {
    this.#waiting.delete(agent)
  }

  close(): void {
    this.#isClosed = true
    this.#waiting.clear()
    if (this.#retry !== undefined) this.#clock.clearTimeout(this.#retry)
    this.#retry = undefined
  }

  #next(): void {
    if (this.#isBusy || this.#retry !== undefined || this.#waiting.size === 0) return
    const batch = new Map<number, Agent>()
    for (const agent of this.#waiting) {
      if (batch.size === limits.agentConfigurationsMax) break
      batch.set(agent.id, agent)
      this.#waiting.delete(agent)
    }
    const state = this.#state
    this.#isBusy = true
    this.#desk.configurations([...batch.keys()]).then(
      (configurations) => this.#answered(batch, state, configurations),
      (thrown: unknown) => this.#failed(batch, thrown),
    )
  }

  #answered(batch: ReadonlyMap<number, Agent>, state: number, configurations: readonly AgentConfiguration[]): void {
    this.#isBusy = false
    if (this.#isClosed) return
    const known = new Map(configurations.map((configuration) => [configuration.id, configuration]))
    for (const [id, agent] of batch) {
      agent.wanted = known.get(id)
      agent.wantedState = state
      this.#onKnown(agent)
    }
    this.#next()
  }

  #failed(batch: ReadonlyMap<number, Agent>, thrown: unknown): void {
    this.#isBusy = false
    if (this.#isClosed) return
    for (const agent of batch.values()) this.#waiting.add(agent)
    this.#onFailure(thrown)
    this.#retry = this.#clock.setTimeout(() => {
      this.#retry = undefined
      this.#next()
    }, limits.agentDeskRetryMs)
  }
}
