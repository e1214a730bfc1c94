/** What agents are to have, as the node says it: asked for in batches, one at a time, when an agent with another merged.mg says that it is there. */
import { limits } from '../../../base/limits.js'
import type { AgentConfiguration, ListenerDesk } from '../../../ports/listener.js'
import type { Clock } from '../../../ports/machine.js'
import { DeskCalls } from '../deskCalls.js'

/** What is kept of it with an agent. */
export interface WantingAgent {
  readonly id: number
  /** Undefined: nothing is known, or the node does not know the agent. */
  wanted: AgentConfiguration | undefined
  /** Of the state in which `wanted` was asked for. */
  wantedState: number
}

/** Agents that are asked about together, and the state in which they are. */
interface Question<Agent> {
  readonly agents: ReadonlyMap<number, Agent>
  readonly state: number
}

export class WantedConfigurations<Agent extends WantingAgent> {
  readonly #onKnown: (agent: Agent) => void
  readonly #calls: DeskCalls<Question<Agent>, readonly AgentConfiguration[]>
  #state = 1
  #waiting = new Set<Agent>()

  /** @param onKnown what is wanted of it is known now */
  constructor(
    desk: Pick<ListenerDesk, 'configurations'>,
    clock: Clock,
    onKnown: (agent: Agent) => void,
    onFailure: (thrown: unknown) => void,
  ) {
    this.#onKnown = onKnown
    this.#calls = new DeskCalls({
      clock,
      take: () => this.#take(),
      call: ({ agents }) => desk.configurations([...agents.keys()]),
      onAnswer: (question, configurations) => this.#answered(question, configurations),
      onFailure: ({ agents }, thrown) => {
        for (const agent of agents.values()) this.#waiting.add(agent)
        onFailure(thrown)
      },
    })
  }

  /** Whatever is known may be wrong now. */
  changed(): void {
    this.#state += 1
  }

  isKnown(agent: Agent): boolean {
    return agent.wantedState === this.#state
  }

  ask(agent: Agent): void {
    if (this.#calls.isClosed) return
    this.#waiting.add(agent)
    this.#calls.wake()
  }

  /** The agent is no longer here. */
  forget(agent: Agent): void {
    this.#waiting.delete(agent)
  }

  close(): void {
    this.#waiting.clear()
    this.#calls.close()
  }

  #take(): Question<Agent> | undefined {
    if (this.#waiting.size === 0) return undefined
    const agents = new Map<number, Agent>()
    for (const agent of this.#waiting) {
      if (agents.size === limits.agentConfigurationsMax) break
      agents.set(agent.id, agent)
      this.#waiting.delete(agent)
    }
    return { agents, state: this.#state }
  }

  #answered({ agents, state }: Question<Agent>, configurations: readonly AgentConfiguration[]): void {
    const known = new Map(configurations.map((configuration) => [configuration.id, configuration]))
    for (const [id, agent] of agents) {
      agent.wanted = known.get(id)
      agent.wantedState = state
      this.#onKnown(agent)
    }
  }
}
