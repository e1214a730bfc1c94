/**
 * Every bound on a size, count or time that a peer or a file can influence. Units stand last in the names; the relations
 * that must hold between bounds are asserted when the module is loaded.
 */
import { invariant } from './invariant.js'

const KiB = 1024
const MiB = 1024 * KiB

export const limits = {
  // --- before a peer is authenticated
  connectMsMax: 10_000,
  preambleBytes: 8,
  handshakeBytesMax: 256,
  handshakeMsMax: 10_000,
  unauthenticatedConnectionsMax: 256,
  unauthenticatedPerAddressMax: 64,
  helloBytesMax: 4 * KiB,

  // --- frames and messages
  frameBytesMax: 2 * MiB,
  messageBytesMax: 1 * MiB,
  messageDepthMax: 16,
  framesPerRekey: 65_536,
  recordsPerFrameMax: 8_192,
  /** A control message waits for one frame of bulk at most: this much and a chunk. */
  bulkPerFrameBytesMax: 256 * KiB,
  requestsInFlightMax: 4_096,
  /** How long a peer has to close its side after we closed ours. */
  lingerMsMax: 1_000,
  requestsServedMax: 1_024,
  sendQueueBytesMax: 16 * MiB,
  echoBytesMax: 64 * KiB,

  // --- streams
  streamChunkBytesMax: 256 * KiB,
  streamWindowBytes: 4 * MiB,
  streamsMax: 64,
  streamIdleMsMax: 120_000,

  // --- names and texts
  nodeNameCharsMax: 128,
  clusterNameCharsMax: 128,
  versionCharsMax: 64,
  capabilitiesMax: 32,
  capabilityCharsMax: 32,
  errorMessageCharsMax: 1_024,

  // --- manifest and transfer
  pathBytesMax: 4_096,
  nameBytesMax: 255,
  pathDepthMax: 128,
  manifestEntriesMax: 4_000_000,
  compareBytesMax: 256 * KiB,
  compareEntriesMax: 16_384,
  fetchFilesMax: 2_048,
  fetchPathBytesMax: 256 * KiB,
  fetchesPerWorkerMax: 4,
  /** Digests that the stage is asked for at a time. */
  stagedDigestsMax: 16_384,
  /** Blocks that go to a disk thread, or come from it, together. */
  contentBlocksPerTaskMax: 4,
  reportedFailuresMax: 256,
  scanPageEntriesMax: 1_000,
  contentBlockFilesMax: 512,
  pendingFilesShownMax: 100_000,

  // --- supervision
  restartsMax: 5,
  restartWindowMs: 60_000,
  restartDelayMsMin: 100,
  restartDelayMsMax: 5_000,
  stopMsMax: 5_000,
  timerMsMax: 2 ** 31 - 1,

  // --- local control socket
  controlRequestBytesMax: 64 * KiB,
  controlConnectionsMax: 64,
  controlLineBytesMax: 1 * MiB,
  /** Until the request line of a connection is complete. */
  controlRequestMsMax: 10_000,
  /** A client that takes nothing of its answer for so long is cut off; a reader of `| less` has that long for a screen. */
  controlStallMsMax: 120_000,
  /** What cluster_control waits for the next part of an answer. */
  controlAnswerMsMax: 60_000,

  // --- logging
  refusalLogIntervalMs: 60_000,
  refusalLogKeysMax: 1_024,
  /** Different sentences of one kind from one address that are logged within the interval. */
  refusalSentencesMax: 4,
  logLineCharsMax: 16 * KiB,
  logPendingBytesMax: 8 * MiB,

  // --- configuration
  configFileBytesMax: 1 * MiB,
} as const

invariant(limits.messageBytesMax < limits.frameBytesMax, 'a message fits into a frame')
invariant(limits.streamChunkBytesMax < limits.frameBytesMax, 'a chunk fits into a frame')
invariant(limits.streamWindowBytes >= 4 * limits.streamChunkBytesMax, 'a stream has several chunks in flight')
invariant(2 * limits.compareBytesMax <= limits.messageBytesMax, 'a page of entries and its decision fit into a message')
invariant(limits.fetchPathBytesMax + limits.fetchFilesMax * 64 <= limits.messageBytesMax, 'a fetch fits into a message')
invariant(limits.unauthenticatedPerAddressMax < limits.unauthenticatedConnectionsMax, 'one address cannot take the whole cap')
