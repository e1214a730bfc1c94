/**
 * What the actors need of the world, as interfaces only. The daemon plugs in `platform/` and `transport/`, the simulation
 * its own; the suite in spec/compliance holds both to the same behaviour. Every port fails with a ClusterError.
 */
import type { AppliedPlan, ContentRequest, ScanPage, StageOutcome, WriteStep } from './domain/tree.js'
import type { ClusterError, Result } from './errors.js'
import type { Hello, NoticeBody, NoticeName, ReplyBody, RequestBody, RequestName, Welcome } from './protocol/messages.js'

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
  listen(endpoint: Endpoint, onConnection: (stream: ByteStream) => void): Promise<Listener>
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
  readonly version: string
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
  /** One block of content (see domain/contentBlock), from `from` on, at most limits.streamChunkBytesMax bytes long. */
  read(request: ContentRequest, signal: AbortSignal): Promise<{ readonly block: Uint8Array; readonly next: ContentRequest | undefined }>
  /** Offsets of what is already staged, by digest: an interrupted transfer goes on from there. */
  staged(digests: readonly string[], signal: AbortSignal): Promise<readonly number[]>
  /** Writes one received block to the stage. The block is used up: its memory may be moved to where it is written. */
  stage(block: Uint8Array, digests: readonly string[], signal: AbortSignal): Promise<StageOutcome>
  /** Brings the plan's files into place, then deletes. Every failure is per file. */
  apply(plan: { readonly writes: readonly WriteStep[]; readonly removals: readonly string[] }, signal: AbortSignal): Promise<AppliedPlan>
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
  chmod(path: string, mode: number): void
  mkdir(path: string, mode: number): void
  rename(from: string, to: string): void
  unlink(path: string): void
  rmdir(path: string): void
}
