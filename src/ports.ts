/**
 * What the actors need of the world, as interfaces only. The daemon plugs in `platform/` and `transport/`, the simulation
 * its own; the suite in spec/compliance holds both to the same behaviour. Every port fails with a ClusterError.
 */

import type { ClusterError, Result } from './base/errors.js'
import type { AgentCounts, AgentDetails, AgentFilter, AgentListShape, AgentView, Presence } from './domain/agents/agent.js'
import type { GroupsChange, GroupsPage, GroupsRow, GroupsState } from './domain/agents/groups.js'
import type { KeyEntry, KeysAnswer, KeysChange, KeysPage } from './domain/agents/keyEntry.js'
import type { ByteRange, ContentRecipe } from './domain/files/contentRecipe.js'
import type { AppliedPlan, ContentRequest, PatchRanges, PatchStart, ScanPage, StageOutcome, WriteStep } from './domain/files/treeValues.js'
import type { Hello, NoticeBody, NoticeName, ReplyBody, RequestBody, RequestName, Welcome } from './wire/muster/messages.js'

/** Wall clock and timers; has the shape of XState's clock, so that machines run on it too. */
export interface Clock {
  /** Milliseconds since 1970; fractions allowed. May jump when an operator sets the time. */
  now(): number
  /** Milliseconds since some fixed moment; never goes back. */
  monotonicMs(): number
  setTimeout(fire: () => void, delayMs: number): unknown
  clearTimeout(timer: unknown): void
}

export interface Random {
  bytes(count: number): Uint8Array
  /** Uniform in [0, 1). */
  fraction(): number
}

export type LogLevel = 'error' | 'warning' | 'info' | 'debug' | 'debug2'

/** Operators' log. `tag` and `subtag` are those of the reference: `[Worker w1] [Integrity sync]`. */
export interface Log {
  error(message: string): void
  warning(message: string): void
  info(message: string): void
  debug(message: string): void
  debug2(message: string): void
  /** Whether lines of `debug2` are kept: what only they need is not done otherwise. */
  readonly keepsDebug2: boolean
  at(place: { readonly tag?: string; readonly subtag?: string }): Log
}

// ---------------------------------------------------------------------------------------------------------- network

/** A reliable, ordered stream of bytes in both directions: a TCP connection, or its simulation. */
export interface ByteStream {
  readonly remoteAddress: string
  /** Takes the bytes over (they must not be changed afterwards). False: wait for `onDrain` before writing much more. */
  write(parts: readonly Uint8Array[]): boolean
  /** No more `onBytes` until `resume`: back-pressure to the peer. */
  pause(): void
  resume(): void
  /** Sends what is written, then closes. */
  end(): void
  /** Closes at once; what is not sent is lost. */
  destroy(): void
  /** Must be called once, in the same turn as the stream is handed out; nothing is delivered before. */
  attach(events: ByteStreamEvents): void
}

export interface ByteStreamEvents {
  /** The bytes are the receiver's to keep. */
  onBytes(bytes: Uint8Array): void
  onDrain(): void
  /** Once, and last. `error` when it was not a clean end. */
  onClosed(error?: Error): void
}

export interface Listener {
  readonly address: string
  readonly port: number
  close(): Promise<void>
}

export interface Endpoint {
  /** IPv4, IPv6 or a DNS name, resolved anew at each dial. */
  readonly host: string
  readonly port: number
}

export interface Network {
  dial(endpoint: Endpoint, signal: AbortSignal): Promise<ByteStream>
  /** `onAcceptError` hears of connections that could not be accepted, for example because files ran out; the listener goes on. */
  listen(endpoint: Endpoint, onConnection: (stream: ByteStream) => void, onAcceptError?: (error: ClusterError) => void): Promise<Listener>
}

// ------------------------------------------------------------------------------------------------------------ links

export interface RequestOptions {
  readonly signal: AbortSignal
  readonly timeoutMs: number
}

export type Handlers = { readonly [K in RequestName]?: (body: RequestBody<K>) => ReplyBody<K> | Promise<ReplyBody<K>> }
export type NoticeHandlers = { readonly [K in NoticeName]?: (body: NoticeBody<K>) => void }

export interface ServeOptions {
  /** Hears of a handler that threw something unexpected (the peer only learns `internal`). */
  readonly onCrash?: (thrown: unknown, request: RequestName) => void
}

/** An authenticated, named conversation with one peer: requests, notices and streams over one byte stream. */
export interface Link {
  readonly peer: Peer
  request<K extends RequestName>(type: K, body: RequestBody<K>, options: RequestOptions): Promise<ReplyBody<K>>
  /** Queued and sent at the next flush; silently dropped when the link is closed. */
  notify<K extends NoticeName>(type: K, body: NoticeBody<K>): void
  /** Answers requests of these types until the returned function is called. A second handler of a type is a bug of ours. */
  serve(handlers: Handlers, options?: ServeOptions): () => void
  /** Hears notices of these types until the returned function is called. */
  hear(handlers: NoticeHandlers): () => void
  /** A stream that the peer may send after a request names its id. */
  expectStream(): IncomingStream
  /** The other end of a stream that the peer expects. Fails when the id is taken. */
  openStream(id: number): OutgoingStream
  /** Says goodbye, sends what is queued, closes. */
  close(reason: 'stopping' | 'error', error?: ClusterError): void
  /** Calls back once when the link is closed, for whatever reason; at once when it already is. */
  onClosed(closed: (error: ClusterError) => void): void
  readonly counters: LinkCounters
}

export interface LinkCounters {
  readonly bytesSent: number
  readonly bytesReceived: number
  readonly framesSent: number
  readonly framesReceived: number
  /** Requests and notices of types that this build does not know: the peer is newer. */
  readonly unknownMessages: number
}

export interface Peer {
  readonly node: string
  readonly type: 'master' | 'worker'
  /** Muster's. */
  readonly version: string
  /** The version of Wazuh that it serves; missing when the peer is of a build that does not say it. */
  readonly wazuh?: string
  readonly address: string
  readonly capabilities: readonly string[]
  readonly protocol: number
  /** Which of our own keys the peer proved. */
  readonly key: 'current' | 'previous'
}

/** Chunks as they were written, in order. Credit goes back to the sender as they are taken, so an idle reader costs one window. */
export interface IncomingStream extends AsyncIterable<Uint8Array> {
  readonly id: number
  cancel(error?: ClusterError): void
}

export interface OutgoingStream {
  /** Aborted, with the ClusterError, as soon as nobody reads any more: the stream was reset by either side, or the link is closed. */
  readonly signal: AbortSignal
  /** Resolves when the chunk is within the peer's window; at most limits.streamChunkBytesMax bytes. */
  write(chunk: Uint8Array): Promise<void>
  end(): void
  reset(error: ClusterError): void
}

export interface Refusal {
  readonly address: string
  readonly error: ClusterError
}

/** The listening side's say in who gets a link. */
export interface Doorkeeper {
  /** Decides on a peer that proved the key. Called in the same turn as `onLink`, so a name cannot be taken in between. */
  admit(hello: Hello, address: string): Result<Welcome>
  onLink(link: Link): void
  onRefusal(refusal: Refusal): void
}

export interface Transport {
  /** Fails with the refusal's own code when the master says no. */
  dial(endpoint: Endpoint, hello: Hello, signal: AbortSignal): Promise<Link>
  listen(endpoint: Endpoint, doorkeeper: Doorkeeper): Promise<Listener>
}

// ------------------------------------------------------------------------------------------------------------ files

/**
 * The synced tree of one node. The calls are whole operations, not system calls, because the real ones run inside threads
 * (see tree/ for the code that both worlds share).
 */
export interface Files {
  /** Looks at everything, or only at `paths` and what is below them; then returns the first page of what changed since the last look. */
  scan(paths: readonly string[] | undefined, signal: AbortSignal): Promise<ScanPage>
  /** The next page of the last scan, until a page says `done`. */
  nextPage(signal: AbortSignal): Promise<ScanPage>
  /** Calls back with paths that may have changed, or with nothing when anything may have. */
  watch(onHint: (paths: readonly string[] | undefined) => void): Promise<{ close(): Promise<void> }>
  /** One block of content (see wire/muster/contentBlock), from `from` on, at most limits.streamChunkBytesMax bytes long. */
  read(request: ContentRequest, signal: AbortSignal): Promise<{ readonly block: Uint8Array; readonly next: ContentRequest | undefined }>
  /** Offsets of what is already staged, by digest: an interrupted transfer goes on from there. */
  staged(digests: readonly string[], signal: AbortSignal): Promise<readonly number[]>
  /** Writes one received block to the stage. The block is used up: its memory may be moved to where it is written. */
  stage(block: Uint8Array, digests: readonly string[], signal: AbortSignal): Promise<StageOutcome>
  /** Of which chunks a file is made. Fails with `fileGone`, with `tooLarge` outside the sizes of a delta, and with `digestMismatch`. */
  recipe(path: string, digest: string, signal: AbortSignal): Promise<ContentRecipe>
  /** Begins to build new content in the stage out of an old one; returns what is missing, nothing when the old one is of no use. */
  beginPatch(start: PatchStart, signal: AbortSignal): Promise<readonly ByteRange[] | undefined>
  /** Writes one received block of what is missing, and returns how many bytes it brought. The block is used up, as in `stage`. */
  fillPatch(block: Uint8Array, ranges: PatchRanges, signal: AbortSignal): Promise<number>
  /** From now on the content is staged. Fails with `digestMismatch`. */
  finishPatch(digest: string, signal: AbortSignal): Promise<void>
  /** Brings the plan's files into place, then deletes. Every failure is per file. */
  apply(plan: { readonly writes: readonly WriteStep[]; readonly removals: readonly string[] }, signal: AbortSignal): Promise<AppliedPlan>
  /** Bytes that may still be written where content is staged. */
  freeBytes(signal: AbortSignal): Promise<number>
  /** Forgets all that is staged. */
  clearStage(signal: AbortSignal): Promise<void>
  close(): Promise<void>
}

export interface DiskStat {
  readonly kind: 'file' | 'directory' | 'symlink' | 'other'
  readonly size: number
  readonly mode: number
  readonly mtimeNs: bigint
  readonly ctimeNs: bigint
  readonly inode: bigint
  /** How many names it has. */
  readonly links: number
}

export interface DiskEntry {
  /** Raw bytes as the file system has them: they need not be UTF-8. */
  readonly name: Uint8Array
  readonly kind: DiskStat['kind']
}

/**
 * Synchronous file calls, for use inside a thread or a simulation, with absolute paths. They throw errors with the `code`s
 * of Node (ENOENT, ENOSPC, …).
 */
export interface Disk {
  now(): number
  lstat(path: string): DiskStat
  stat(path: string): DiskStat
  realpath(path: string): string
  readdir(path: string): readonly DiskEntry[]
  open(path: string, flags: 'r' | 'r+' | 'w' | 'wx', mode?: number): number
  fstat(file: number): DiskStat
  read(file: number, into: Uint8Array, offset: number, length: number, position: number): number
  write(file: number, from: Uint8Array, offset: number, length: number, position: number): number
  truncate(file: number, size: number): void
  sync(file: number): void
  close(file: number): void
  /** Opens a directory, to be closed like a file. Fails with ENOTDIR for a symlink in its place. */
  openDirectory(path: string): number
  /** A path to an open directory, to go on from with `/name`: it leads there whatever becomes of the directory's own name. */
  heldPath(directory: number): string
  chmod(file: number, mode: number): void
  /** Gives a file the owner and the group of another, or of a directory, as far as the system lets this process do so. */
  keepOwner(file: number, of: number): void
  mkdir(path: string, mode: number): void
  rename(from: string, to: string): void
  unlink(path: string): void
  rmdir(path: string): void
}

// ----------------------------------------------------------------------------------------------------------- agents

/** The table could not be used as it was: what happened, for the log. */
export interface OpenedStore {
  /** Drawn when the table was made: acknowledgements and versions count for this table only. */
  readonly table: string
  /** A sentence when a table that could not be used was set aside and an empty one made. */
  readonly setAside?: string
  /** What became of the table of an earlier build, for the log. */
  readonly earlier?: { readonly level: 'info' | 'warning'; readonly says: string }
  /** It is a master's and was made anew: its agents have not got back the groups that they had in the one before. */
  readonly groupsLost: boolean
}

export interface UnsentNews {
  /** See wire/muster/agentBatch. */
  readonly batch: Uint8Array
  readonly rows: number
  /** To be acknowledged once the master has the batch, and to ask for what comes after it. */
  readonly upTo: number
}

/** A row is a presence or the details of one agent: who sends both has sent two. */
export interface MergeOutcome {
  /** Rows that were news. */
  readonly taken: number
  /** Rows about agents that are not in the table. */
  readonly unknown: number
  /** Rows that break a rule: sizes, times, characters. */
  readonly refused: number
  /** Agents that got the group `default`, because they were heard of for the first time. */
  readonly defaulted: number
}

export interface RecordOutcome extends MergeOutcome {
  /** The agents, each once, that are not in the table though a row is about them. */
  readonly unknownAgents: readonly number[]
}

/**
 * The agents' table of one node. Calls are whole operations on sets of rows, so that an embedded database, one on a server and
 * a simulated one can each do them in their own way; each is atomic and durable when it resolves, and they take effect in the order in which they are made. They wait for a table that
 * is locked, up to limits.agentTableLockedMsMax, and fail with `tableFailed`, with `overloaded` when limits.agentCallsWaitingMax wait
 * already, with `aborted` once the store is closed. An agent's row comes first: what is about an agent without one is dropped and counted.
 * Nothing that must be prompt may wait for them: a database can be locked or slow.
 */
export interface AgentStore {
  /**
   * First of all: opens, checks, brings an older schema up to date. Fails with `tableNewer` for a table of a newer version, with
   * `tableNotOurs` for a file of another program. May be tried again. A table that turns out to be damaged fails all operations with `tableDamaged` until it is opened anew.
   */
  open(): Promise<OpenedStore>

  /** Rows for these agents, as client.keys has them; what else is known of them stays. */
  addAgents(entries: readonly KeyEntry[]): Promise<void>
  /** Forgets all about these agents. Returns how many there were. */
  removeAgents(ids: readonly number[]): Promise<number>
  /** Forgets all about the agents that are none of these. Returns the IDs that went. */
  keepAgents(ids: Uint32Array): Promise<readonly number[]>
  /** The highest ID that any row ever had, removed ones included. */
  highestId(): Promise<number>

  /**
   * Takes what this node itself saw of its agents, to be sent to the master. `isCorrected: false` marks times of a clock that was
   * never compared with the master's. Newer words win (domain/agents/agent); what lies more than limits.agentFutureMsMax beyond
   * `nowMs` in the table loses to anything; new words of such times are refused. On a master, agents get the group `default` as in `merge`.
   */
  record(
    news: { readonly presences: readonly Presence[]; readonly details: readonly AgentDetails[] },
    nowMs: number,
    isCorrected: boolean,
  ): Promise<RecordOutcome>
  /** Shifts the times of rows that are not corrected yet, and calls them corrected: from now on they are to be sent. */
  correct(byMs: number): Promise<void>
  /**
   * What is not acknowledged in `table` and comes after `after` (0: from the start), at most one batch; nothing when there is none.
   * Rows that are not corrected are left out until they are.
   */
  unsent(table: string, after: number, nowMs: number): Promise<UnsentNews | undefined>
  /** `table` has everything up to `upTo`. Only the last table is remembered: to another one everything counts as unsent. */
  acknowledge(table: string, upTo: number): Promise<void>
  /**
   * Takes a worker's batch (from `unsent` of its store). Agents seen for the first time get the group `default`. Times beyond
   * `nowMs` and limits.agentFutureMsMax are refused. A batch that is none fails with `malformed`.
   * The batch is used up: its memory may be moved to where it is merged.
   */
  merge(batch: Uint8Array, from: string, nowMs: number): Promise<MergeOutcome>
  /** Calls agents disconnected that have been silent for longer; those of one node only when it is named. Returns how many. On a worker, to be sent. */
  silence(nowMs: number, disconnectionMs: number, node?: string): Promise<number>

  groupsState(): Promise<GroupsState>
  /** Changes groups on the master: if any agent changes, the version rises by one. Returns how many. Fails with `groupInvalid` for a name that is none. */
  changeGroups(change: GroupsChange): Promise<number>
  /** Groups that changed after version `since` (0: those of every agent that has any), in order of the IDs, beginning after agent `after`. Removed agents are in no page. */
  groupsPage(since: number, after: number): Promise<GroupsPage>
  /** Takes groups from the master. Returns how many rows are about agents that are not in the table; they are left out. */
  takeGroups(rows: readonly GroupsRow[]): Promise<number>
  /**
   * All pages were taken: from now on this is the state counted from. `full`: all agents were asked for, so those that are none of
   * `ids` have no groups. Returns the state with the hash over the rows that this table has, to be compared.
   */
  settleGroups(state: GroupsState, full: { readonly ids: Uint32Array } | undefined): Promise<GroupsState>
  /**
   * On a master whose groups are lost: gives them back, but for agents whose groups were changed in this table, and for those that it
   * does not have. After the last rows they are lost no longer. Returns how many agents changed.
   */
  restoreGroups(rows: readonly GroupsRow[], isLast: boolean): Promise<number>
  /** Every list of two or more groups that some agent has. */
  multigroups(): Promise<readonly (readonly string[])[]>
  /** How many agents each group has. */
  groupSizes(): Promise<ReadonlyMap<string, number>>

  shape(filter: AgentFilter): Promise<AgentListShape>
  /** At most limits.agentPageRowsMax agents with IDs above `after`, in order. */
  list(filter: AgentFilter, after: number): Promise<readonly AgentView[]>
  counts(): Promise<AgentCounts>
  close(): Promise<void>
}

/** The same operations as they run where nothing else has to wait: inside a thread, or in a simulated table. */
export type AgentTable = {
  readonly [K in keyof AgentStore]: (...given: Parameters<AgentStore[K]>) => Awaited<ReturnType<AgentStore[K]>>
}

export interface GroupFile {
  readonly name: string
  readonly bytes: number
  /** SHA-256, hexadecimal. */
  readonly digest: string
}

/** What `buildMerged` did. */
export interface MergedOutcome {
  /** Paths relative to the home. */
  readonly written: readonly string[]
  readonly removed: readonly string[]
  readonly problems: readonly string[]
}

/**
 * What agents have on a node's disk: client.keys, their message counters, the groups' directories and the merged files.
 * Whole operations, like those of Files. A write is atomic, and durable when it resolves.
 */
export interface AgentFiles {
  /**
   * Looks at client.keys: what changed since the look before, or all of its agents at the first look and when `all` is wanted
   * (because an answer was lost). Removals rest on what domain/agents/keysBelief says: on a worker on `confirmed`, the digest of the agents
   * that the master believes in (empty before it said so).
   */
  look(all: boolean, confirmed: string, signal: AbortSignal): Promise<KeysPage>
  nextPage(signal: AbortSignal): Promise<KeysPage>
  /** Adds and removes agents on the master: one rewrite for all of them, lines that cannot be read are kept. The next look tells of it. */
  change(changes: readonly KeysChange[], signal: AbortSignal): Promise<readonly KeysAnswer[]>
  /** Deletes `queue/rids/ID` of agents that are gone. */
  forget(ids: readonly number[], signal: AbortSignal): Promise<void>
  /** Names of the directories under etc/shared, in order. */
  groups(signal: AbortSignal): Promise<readonly string[]>
  groupFiles(group: string, signal: AbortSignal): Promise<readonly GroupFile[]>
  /** MD5 (hex), as agents report it, of the merged.mg for a list of groups; nothing while it is not there. */
  mergedSum(groups: readonly string[], signal: AbortSignal): Promise<string | undefined>
  /** Fails with `groupInvalid` when it is there already. */
  createGroup(group: string, signal: AbortSignal): Promise<void>
  /** The group `default`, where etc/shared is there and lacks it. Returns whether it was made. Fails when it cannot be. */
  createDefaultGroup(signal: AbortSignal): Promise<boolean>
  /** With all its files. Fails with `groupInvalid` when it is not there. */
  removeGroup(group: string, signal: AbortSignal): Promise<void>
  /** Brings merged.mg of every group, and of each of these lists of groups, up to date; deletes those of lists that nobody has. */
  buildMerged(multigroups: readonly (readonly string[])[], signal: AbortSignal): Promise<MergedOutcome>
  close(): Promise<void>
}
