/** A node as a worker: its link to the master while there is one, and otherwise why there is none. */
import { customRandom, urlAlphabet } from 'nanoid'
import type { AnyActorLogic } from 'xstate'
import { ClusterError, errorTable } from '../base/errors.js'
import type { AnswerLine } from '../domain/queries/answerLine.js'
import type { ClusterQuery } from '../domain/queries/clusterQuery.js'
import type { ControlCommand } from '../domain/queries/controlRequest.js'
import { isForwarded, notOnWorker } from '../domain/queries/forwardedRequest.js'
import type { Link } from '../ports/link.js'
import { type AgentOperations, workerOperations } from './agents/agentOperations.js'
import { IntegritySync } from './files/integritySync.js'
import { capabilities, type NodeIdentity, type NodeParts, type NodeRole } from './nodeContext.js'
import { appliedEvent } from './nodeEvent.js'
import { forwardedAnswer } from './queries/clusterQueries.js'
import { worker } from './worker.js'

export class WorkerRole implements NodeRole {
  readonly logic: AnyActorLogic
  readonly operations: AgentOperations
  readonly registry = undefined
  readonly #identity: NodeIdentity
  #link: Link | undefined
  /** Why the last dial failed, or the last connection ended. */
  #disconnection: ClusterError | undefined

  constructor({ agents, emit, fronts, identity, ports, states, tree }: NodeParts) {
    this.#identity = identity
    const { compression, timings } = identity
    const { requestTimeoutMs } = timings
    const { clock, random } = ports
    this.operations = workerOperations({
      agents,
      master: () => this.#connected(),
      carryOut: (command, signal) => this.#carriedOut(command, signal),
      requestMsMax: requestTimeoutMs,
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
        capabilities: [...capabilities],
      },
      master: identity.master,
      timings,
      agents,
      states,
      own: { node: identity.node, front: fronts.listener },
      integrity: {
        tree,
        sync: new IntegritySync({ tree, clock, requestTimeoutMs, compression }),
        onApplied: (outcome) => emit(appliedEvent(outcome)),
      },
      onConnected: (link) => {
        this.#link = link
        emit({ type: 'connected', master: link.peer.node })
      },
      onDisconnected: (error) => {
        this.#link = undefined
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

  async *answer(request: ClusterQuery | ControlCommand, signal: AbortSignal): AsyncGenerator<AnswerLine> {
    const { master, timings } = this.#identity
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
