/**
 * The listener of agents (port 1514), as its node needs it, and what the listener needs of its node. It runs where its work delays
 * nothing of the cluster: in a thread of its own, in the simulation on the same virtual clock. All that crosses is plain data.
 * Every call fails with a ClusterError.
 */

import type { ClusterError } from '../base/errors.js'
import type { AgentReport } from '../domain/agents/agentReport.js'
import type { KeyEntry } from '../domain/agents/keyEntry.js'
import type { ListeningPlace } from '../domain/listener/listeningPlace.js'
import type { MessageCounter } from '../wire/agents/counters.js'
import type { EventAgent } from '../wire/agents/eventLine.js'
import type { LogLevel } from './machine.js'

export type AgentTransport = 'tcp' | 'udp'

/** Of `<remote>`, with the identity of the node. */
export interface ListenerOptions extends ListeningPlace {
  /** Further blocks: agents may come by any of them. */
  readonly further?: readonly ListeningPlace[]
  /** The manager's directory. */
  readonly home: string
  readonly cluster: string
  readonly node: string
  /** What events say of the manager. */
  readonly managerName: string
  /** Events do not say which cluster and node they came through. */
  readonly hidden: boolean
  /** Newer agents (by major and minor) are refused unless `allowHigherVersions`. */
  readonly wazuhVersion: string
  readonly allowHigherVersions: boolean
  /** `remoted.verify_msg_id`: a message whose counter is not greater than the previous one is refused. */
  readonly verifiesCounters: boolean
  /** Peers whose connections begin with a header of the PROXY protocol: addresses or networks. */
  readonly proxies: readonly string[]
  readonly connectionsMax: number
  readonly events: EventOptions
}

export interface EventOptions {
  /** A segment of `queue/events` is ended when it has this many bytes. */
  readonly segmentBytesMax: number
  /** The oldest segments go when all together have more than this. */
  readonly bytesMax: number
  /** Whether events also go to `queue/sockets/queue` when there is a reader. */
  readonly toReader: boolean
}

/** What changed of who may connect. */
export interface KeysUpdate {
  /** Everybody that may: who is not among them any more is gone. Only in the first of several updates that belong together. */
  readonly isFirst: boolean
  readonly upserts: readonly KeyEntry[]
  readonly removals: readonly number[]
}

/** Since the listener started, but for `connected`. */
export interface ListenerCounts {
  readonly connected: number
  readonly eventsTaken: number
  readonly eventBytesTaken: number
  /** Datagrams that were events and found no room, and events of a full disk. */
  readonly eventsDropped: number
  /** Frames, datagrams and connections that were refused. */
  readonly refused: number
  readonly segmentsDeleted: number
  /** Where agents report to, as a text for people. */
  readonly places?: string
}

/** What an agent of these groups is to have. */
export interface AgentConfiguration {
  readonly id: number
  /** The merged.mg of its groups, relative to the home. */
  readonly path: string
  /** MD5, hexadecimal in lower case; empty while the file is not there. */
  readonly sum: string
}

/** What the node asks of its listener. */
export interface ListenerCalls {
  keys(update: KeysUpdate): Promise<void>
  /** Groups of agents or a merged.mg changed: what agents are to have is asked for again. */
  configurationChanged(): Promise<void>
  /** Asks these agents (undefined: all) that are connected here to reconnect, in chunks. Returns how many. */
  reconnect(ids: readonly number[] | undefined): Promise<number>
  counts(): Promise<ListenerCounts>
  /** Takes no new connections, asks the agents to reconnect, and waits at most this long until they have gone. Returns how many were left. */
  drain(msMax: number): Promise<number>
}

/** What the listener asks of its node. */
export interface ListenerDesk {
  /** Resolves when it is durable. */
  report(reports: readonly AgentReport[]): Promise<void>
  /** In any order; agents that are not known are left out. */
  configurations(ids: readonly number[]): Promise<readonly AgentConfiguration[]>
  log(level: LogLevel, message: string): Promise<void>
}

export interface RunningListener extends ListenerCalls {
  /** Of the first place: of TCP; of UDP when there is no TCP. */
  readonly port: number
  /** Resolves when it has died. */
  readonly died: Promise<ClusterError>
  /** Closes all sockets; what was taken is in its segment. */
  stop(): Promise<void>
}

/** Starts the listener, which knows these agents before it listens: an agent that is not known is refused. Fails with `listenFailed`. */
export interface ListenerHost {
  start(options: ListenerOptions, desk: ListenerDesk, agents: readonly KeysUpdate[]): Promise<RunningListener>
}

/** The agent an event is of. The same object for all its events until something changes: what lines say of it is kept with it. */
export type EventSource = EventAgent

/**
 * Where events go. `take` gathers, `flush` writes: what was taken before a flush survives the end of the process after it.
 * A listener flushes in the turn in which it read.
 */
export interface EventOutlet {
  /** `message`: `<queue>:<location>:<log>` as the agent sent it, valid only during the call. */
  take(source: EventSource, message: Uint8Array, nowMs: number): void
  /** False: there is no room (a full disk, a slow reader); read no more until `onReady`. */
  flush(): boolean
  onReady: () => void
  readonly counts: Pick<ListenerCounts, 'eventsTaken' | 'eventBytesTaken' | 'eventsDropped' | 'segmentsDeleted'>
  /** Writes what is there still, and counts what cannot be. */
  close(): void
}

/**
 * Where lines of events are kept: `queue/events`. Synchronous: the listener has a thread of its own.
 * None of it throws: what does not go now is given again later.
 */
export interface EventStore {
  /** Returns how many bytes of whole lines it has now; the rest is to be given again, first of all. */
  append(lines: Uint8Array): number
  /** Why the last append did not take all. */
  readonly failure: ClusterError | undefined
  /** Segments that went because all together had become too large. */
  readonly segmentsDeleted: number
  close(): void
}

/** What the listener has on the disk. Synchronous: it has a thread of its own. */
export interface ListenerFiles {
  /** Content of a merged.mg; undefined when it is not there. Fails with `tooLarge` over limits.mergedBytesMax. */
  readMerged(path: string): Uint8Array | undefined
  /** `queue/rids/ID`; undefined when nothing is there. */
  readCounter(id: number | 'sender'): MessageCounter | undefined
  writeCounter(id: number | 'sender', counter: MessageCounter): void
}

/** A Unix socket of datagrams that another program reads. `full`: it has no room at the moment. */
export interface LocalDatagrams {
  send(bytes: Uint8Array): 'sent' | 'full' | 'absent'
  close(): void
}
