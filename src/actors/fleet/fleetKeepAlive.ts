/** The keep-alives of an agent: one each notify time from its start on, whatever becomes of connections; one that is overdue follows the next. */
import type { Deadline, Due } from '../../base/deadlines.js'
import { agentControl } from '../../wire/agents/controlMessage.js'
import { printKeepAlive } from '../../wire/agents/keepAliveText.js'
import type { FleetConfiguration } from './fleetConfiguration.js'
import type { FleetContext } from './fleetContext.js'

/** What all these agents are. */
const machine = {
  osName: 'Debian GNU/Linux',
  osPlatform: 'debian',
  osVersion: '12 (bookworm)',
  osArch: 'x86_64',
  ip: '127.0.0.1',
} as const
const unameOf = (name: string): string => `Linux |${name} |6.1.0-32-amd64 |#1 SMP PREEMPT_DYNAMIC Debian 6.1.129-1 |${machine.osArch}`

export interface KeptAgent {
  readonly name: string
  readonly isConnected: boolean
  readonly configuration: FleetConfiguration
  say(text: Buffer): void
}

export class FleetKeepAlive implements Due {
  readonly #fleet: FleetContext
  readonly #agent: KeptAgent
  #deadline: Deadline | undefined
  #isOverdue = false
  /** Of the one that is not acknowledged. */
  #sentMs: number | undefined

  constructor(fleet: FleetContext, agent: KeptAgent) {
    this.#fleet = fleet
    this.#agent = agent
  }

  start(): void {
    this.#deadline = this.#fleet.deadlines.add(this.#fleet.options.settings.times.notifyMs, this)
  }

  stop(): void {
    if (this.#deadline) this.#fleet.deadlines.remove(this.#deadline)
  }

  due(): void {
    if (this.#agent.isConnected) this.#send()
    else this.#isOverdue = true
  }

  connected(): void {
    if (this.#isOverdue) this.#send()
  }

  disconnected(): void {
    this.#sentMs = undefined
  }

  /** True when it was a keep-alive that was acknowledged. */
  acknowledged(): boolean {
    const { latencies, ports } = this.#fleet
    if (this.#sentMs === undefined) return false
    latencies.keepAlive.add(ports.clock.monotonicMs() - this.#sentMs)
    this.#sentMs = undefined
    return true
  }

  #send(): void {
    const { options, ports, totals } = this.#fleet
    const { configuration, name } = this.#agent
    const { configSum, mergedSum } = configuration
    this.#isOverdue = false
    this.start()
    totals.keepAlives += 1
    this.#sentMs ??= ports.clock.monotonicMs()
    const labels = options.labels.map(([key, value]) => `"${key}":${value}`).join('\n')
    const text = printKeepAlive({ ...machine, osUname: unameOf(name), version: `Wazuh ${options.version}`, labels, mergedSum, configSum })
    this.#agent.say(agentControl.keepAlive(text))
  }
}
