/** A node as a worker: its link to the master while there is one, and otherwise why there is none. */
import { customRandom, urlAlphabet } from 'nanoid'
import type { AnyActorLogic } from 'xstate'
import { ClusterError, errorTable } from '../base/errors.js'
import { checkedNode } from '../domain/cluster/monitoring/nodeHealth.js'
import type { AnswerLine } from '../domain/queries/answerLine.js'
import type { ClusterQuery } from '../domain/queries/clusterQuery.js'
import type { ControlCommand } from '../domain/queries/controlRequest.js'
import { isForwarded, notOnWorker } from '../domain/queries/forwardedRequest.js'
import type { Link } from '../ports/link.js'
import { type AgentOperations, workerOperations } from './agents/agentOperations.js'
import { IntegritySync } from './files/integritySync.js'
import type { ManagerRequests } from './manager/managerRequests.js'
import { carriedHere, workerRequests } from './manager/nodeRequests.js'
import { capabilitiesOf, type NodeIdentity, type NodeParts, type NodeRole, type RoleFigures } from './nodeContext.js'
import { appliedEvent } from './nodeEvent.js'
import { ownFigures } from './ownFigures.js'
import { ownReport } from './ownReport.js'
import { forwardedAnswer } from './queries/clusterQueries.js'
import { worker } from './worker.js'

export class WorkerRole implements NodeRole {
  readonly logic: AnyActorLogic
  readonly operations: AgentOperations
  readonly managerRequests: ManagerRequests
  readonly registry = undefined
  readonly #identity: NodeIdentity
  #link: Link | undefined
  /** Why the last dial failed, or the last connection ended. */
  #disconnection: ClusterError | undefined

  readonly #parts: NodeParts
  /** When it was connected, or when that ended. */
  #sinceMs: number

  constructor(parts: NodeParts) {
    const { agents, emit, fronts, identity, meter, ports, ruleset, startedMs, states, tree } = parts
    this.#parts = parts
    this.#identity = identity
    this.#sinceMs = startedMs
    const { compression, timings } = identity
    const { requestTimeoutMs } = timings
    const { clock, random } = ports
    this.operations = workerOperations({
      agents,
      master: () => this.#connected(),
      carryOut: (command, signal) => this.#carriedOut(command, signal),
      requestMsMax: requestTimeoutMs,
    })
    this.managerRequests = workerRequests({
      clock,
      requestMsMax: requestTimeoutMs,
      wazuh: ports.wazuh,
      master: () => this.#connected(),
      reloadRulesetAfterCheck: () => ruleset.askAfterCheck(),
    })
    this.logic = worker({
      ...ports,
      hello: {
        cluster: identity.cluster,
        node: identity.node,
        type: 'worker',
        instance: customRandom(urlAlphabet, 21, (count) => random.bytes(count))(),
        version: identity.version,
        wazuh: identity.wazuhVersion,
        capabilities: [...capabilitiesOf(ports)],
      },
      master: identity.master,
      timings,
      onRestart: meter.threadRestarted,
      agents,
      states,
      report: (isWhole) => ownReport(parts, isWhole),
      ...carriedHere(ports.wazuh, 'worker'),
      own: { node: identity.node, front: fronts.listener, remoted: ports.remoted },
      integrity: {
        tree,
        sync: new IntegritySync({ tree, clock, requestTimeoutMs, compression }),
        onChecked: (tookMs, same) => {
          meter.checks.add(tookMs)
          ruleset.checked(same)
        },
        onApplied: (outcome, tookMs) => {
          meter.applied(outcome, tookMs)
          emit(appliedEvent(outcome))
          if (ports.wazuh) ruleset.applied(outcome.reload)
          else if (outcome.reload) emit({ type: 'reloadWanted' })
        },
      },
      onConnected: (link) => {
        this.#link = link
        this.#sinceMs = clock.now()
        ruleset.announce(link)
        emit({ type: 'connected', master: link.peer.node })
      },
      onDisconnected: (error) => {
        this.#link = undefined
        this.#sinceMs = clock.now()
        this.#disconnection = error
        if (error.code === 'nodeRemoved') states.follow('removed')
        emit({ type: 'disconnected', error })
      },
      onDialFailed: ({ error, attempts, isLogged }) => {
        this.#disconnection = error
        if (error.code === 'nodeRemoved') states.follow('removed')
        if (isLogged) emit({ type: 'dialFailed', error, attempts })
      },
    })
  }

  get masterLink(): Link | undefined {
    return this.#link
  }

  figures(): RoleFigures {
    const isConnected = this.#link !== undefined
    const error = isConnected ? undefined : this.#disconnection?.message
    const usesPreviousKey = this.#link?.peer.key === 'previous'
    return { isListening: false, master: { error, isConnected, sinceMs: this.#sinceMs }, usesPreviousKey, workers: [] }
  }

  async *answer(request: ClusterQuery | ControlCommand, signal: AbortSignal): AsyncGenerator<AnswerLine> {
    const { master, timings } = this.#identity
    if (request.kind === 'check') {
      yield { kind: 'checked', checked: checkedNode(await ownFigures(this.#parts, this)) }
      if (!this.#link) return yield { kind: 'end' }
    }
    if (!isForwarded(request)) throw notOnWorker(master.host)
    yield* forwardedAnswer(this.#connected(), request, signal, timings.requestTimeoutMs)
  }

  async #carriedOut(command: ControlCommand, signal: AbortSignal): Promise<number> {
    let changed = 0
    for await (const line of this.answer(command, signal)) if (line.kind === 'done') changed = line.changed
    return changed
  }

  closed(): Promise<void> {
    return Promise.resolve()
  }

  /** Fails with `notConnected`. */
  #connected(): Link {
    if (this.#link) return this.#link
    const why = this.#disconnection
    throw new ClusterError('notConnected', why && { message: `${errorTable.notConnected.says}: ${why.message}` })
  }
}
