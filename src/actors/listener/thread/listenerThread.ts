/**
 * The listener of agents, kept by its node: it is started with all agents of client.keys, gets what changes of them, of groups and of
 * merged files, and its questions are answered. It crashes, to be started again, when the listener has died.
 */
import { counted } from '../../../base/counted.js'
import { asClusterError, type ClusterError } from '../../../base/errors.js'
import { fullStop } from '../../../base/fullStop.js'
import { limits } from '../../../base/limits.js'
import { logSeconds } from '../../../base/logText.js'
import type { NodeState } from '../../../domain/cluster/nodeState.js'
import { placesOf } from '../../../domain/listener/listeningPlace.js'
import type { ListenerCounts, ListenerDesk, ListenerHost, ListenerOptions, RunningListener } from '../../../ports/listener.js'
import type { Clock, Log } from '../../../ports/machine.js'
import type { AgentOperations } from '../../agents/agentOperations.js'
import type { LocalAgents } from '../../agents/nodeAgents.js'
import type { LocalTree } from '../../files/localTree.js'
import { type Front, frontThread, type RunningFront } from '../../kit/front.js'
import { pause } from '../../kit/pause.js'
import { changesGatherMs } from '../../kit/periodicThread.js'
import type { Published } from '../../kit/published.js'
import { ConfigurationDesk } from './configurationDesk.js'
import { KeysUpdates } from './keysUpdates.js'

/** One run of the listener. */
export interface ListenerRun extends RunningFront {
  readonly listener: RunningListener
  readonly desk: ConfigurationDesk
  readonly updates: KeysUpdates
}

/** What the run under way counted; undefined while there is none, or when it does not answer. */
export const countsOf = ({ running }: Front<ListenerRun>): Promise<ListenerCounts | undefined> | undefined =>
  running?.listener.counts().catch(() => undefined)

export interface ListenerThreadOptions {
  readonly front: Front<ListenerRun>
  readonly host: ListenerHost
  readonly options: ListenerOptions
  readonly state: Published<NodeState | undefined>
  readonly agents: LocalAgents
  readonly tree: LocalTree
  readonly operations: Pick<AgentOperations, 'report'>
  readonly clock: Clock
  readonly log: Log
  readonly onListening: (port: number) => void
}

export const listenerThread = (thread: ListenerThreadOptions) => {
  const { front, log, onListening, options, state } = thread
  return frontThread<ListenerRun>({
    id: 'listener',
    front,
    state,
    start: async (signal) => {
      const run = await startListener(thread, signal)
      const { port } = run.listener
      for (const place of placesOf({ ...options, port }))
        log.info(`Listening on port ${place.port}/${place.transports.join(',').toUpperCase()} (secure).`) // as Wazuh writes it
      onListening(port)
      return run
    },
    serve: (run, fail) => serveListener(thread, run, fail),
    drain: ({ listener }) => drainAgents(listener, limits.nodeDrainMsMax, log),
    onFailure: ({ message }) => log.error(`The listener of agents could not be started: ${fullStop(message)} Retrying.`),
  })
}

/** Agents are asked to go elsewhere, for no longer than this; then their connections are closed. Never rejects. */
export const drainAgents = async (listener: Pick<RunningListener, 'drain'>, msMax: number, log: Log): Promise<void> => {
  try {
    const left = await listener.drain(msMax)
    if (left > 0) log.warning(`${counted(left, 'agent')} did not go to another node within ${logSeconds(msMax)}.`)
  } catch (thrown) {
    log.warning(`The agents could not be asked to reconnect: ${fullStop(asClusterError(thrown).message)}`)
  }
}

const startListener = async (
  { agents, host, log, operations, options }: ListenerThreadOptions,
  signal: AbortSignal,
): Promise<ListenerRun> => {
  const desk = new ConfigurationDesk({ store: agents.store, files: agents.files })
  const ending = new AbortController()
  const own: ListenerDesk = {
    report: async (reports) => {
      await operations.report(reports)
    },
    configurations: (ids) => desk.configurations(ids, ending.signal),
    log: async (level, message) => log[level](message),
  }
  const updates = new KeysUpdates(agents.keys)
  try {
    const listener = await host.start(options, own, await updates.all(signal))
    return {
      listener,
      desk,
      updates,
      died: listener.died,
      stop: async () => {
        updates.stop()
        await listener.stop()
        ending.abort()
      },
    }
  } catch (thrown) {
    updates.stop()
    throw thrown
  }
}

const serveListener = (
  { agents, clock, tree }: ListenerThreadOptions,
  { desk, listener, updates }: ListenerRun,
  fail: (error: ClusterError) => void,
): (() => void) => {
  const ending = new AbortController()
  let isGathering = false
  const announce = async (): Promise<void> => {
    await pause(clock, changesGatherMs, ending.signal)
    isGathering = false
    await listener.configurationChanged()
  }
  const changed = (): void => {
    if (isGathering) return
    isGathering = true
    announce().catch((thrown: unknown) => {
      if (!ending.signal.aborted) fail(asClusterError(thrown))
    })
  }
  const stops = [
    agents.groups.changes.add(changed),
    tree.onContent((paths) => {
      if (desk.changed(paths)) changed()
    }),
  ]
  updates.sendTo(
    (update) => listener.keys(update),
    (error) => {
      if (!ending.signal.aborted) fail(error)
    },
  )
  return () => {
    ending.abort()
    for (const stop of stops) stop()
  }
}
