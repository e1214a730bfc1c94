/** A node as the master: the workers that are in, and what is answered and done for all. */
import type { AnyActorLogic } from 'xstate'
import type { AnswerLine } from '../domain/queries/answerLine.js'
import type { ClusterQuery } from '../domain/queries/clusterQuery.js'
import type { ControlCommand } from '../domain/queries/controlRequest.js'
import type { Listener } from '../ports/network.js'
import type { AgentOperations } from './agents/agentOperations.js'
import { ClusterEvents } from './cluster/clusterEvents.js'
import type { Registry } from './cluster/registry.js'
import { WorkerRecords } from './cluster/workerRecords.js'
import { countsOf } from './listener/thread/listenerThread.js'
import { reconnectAgents } from './listener/thread/reconnectRoutes.js'
import type { ManagerRequests } from './manager/managerRequests.js'
import { carriedHere, masterRequests } from './manager/nodeRequests.js'
import { type MasterOptions, master, masterRegistry, masterView } from './master.js'
import { capabilitiesOf, type NodeParts, type NodeRole, type RoleFigures } from './nodeContext.js'
import { ownFigures } from './ownFigures.js'
import { ownReport } from './ownReport.js'
import { type MasterView, masterAnswer } from './queries/clusterQueries.js'

export class MasterRole implements NodeRole {
  readonly logic: AnyActorLogic
  readonly managerRequests: ManagerRequests
  readonly registry: Registry
  readonly masterLink = undefined
  readonly #view: MasterView
  #listener: Listener | undefined

  readonly #records: WorkerRecords

  constructor(parts: NodeParts) {
    const { agents, emit, fronts, groups, identity, log, meter, ports, startedMs, states, tree } = parts
    const { node, timings } = identity
    this.#records = new WorkerRecords(ports.clock, states, node)
    const events = new ClusterEvents(ports.clock)
    const options: MasterOptions = {
      ...{ ...identity, ...ports, tree, agents, groups, states, capabilities: capabilitiesOf(ports), bind: identity.master },
      ...{ events, meter, records: this.#records, startedMs },
      reconnect: (request, signal) =>
        reconnectAgents(
          {
            agents,
            own: { node, front: fronts.listener, remoted: ports.remoted },
            registry: this.registry,
            requestMsMax: timings.requestTimeoutMs,
          },
          request,
          signal,
        ),
      figures: () => ownFigures(parts, this),
      report: (isWhole) => ownReport(parts, isWhole),
      ...carriedHere(ports.wazuh, 'master'),
      listenerCounts: async () => countsOf(fronts.listener),
      onListening: (listener: Listener) => {
        this.#listener = listener
        emit({ type: 'listening', address: listener.address, port: listener.port })
      },
    }
    this.registry = masterRegistry(options)
    this.managerRequests = masterRequests({
      node,
      worker: (name) => this.registry.get(name)?.link,
      clock: ports.clock,
      requestMsMax: timings.requestTimeoutMs,
      wazuh: ports.wazuh,
    })
    this.#records.follow(this.registry)
    events.follow({ meter, node, registry: this.registry, states })
    this.registry.joined.add(({ name }) => emit({ type: 'workerJoined', node: name }))
    this.registry.left.add(({ member, error }) => emit({ type: 'workerLeft', node: member.name, error }))
    this.logic = master(options, this.registry)
    this.#view = masterView(options, this.registry, log)
  }

  get operations(): AgentOperations {
    return this.#view.operations
  }

  figures(): RoleFigures {
    const workers = this.#records.workers().map(({ figures }) => figures)
    const usesPreviousKey = workers.some((worker) => worker.isConnected && worker.usesPreviousKey)
    return { isListening: this.#listener !== undefined, master: undefined, usesPreviousKey, workers }
  }

  answer(request: ClusterQuery | ControlCommand, signal: AbortSignal): AsyncIterable<AnswerLine> {
    return masterAnswer(this.#view, request, signal)
  }

  async closed(): Promise<void> {
    await this.#listener?.close()
  }
}
