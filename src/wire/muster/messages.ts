/**
 * The one table of messages. Append-only: an id is never given out again and a field never changes its meaning, so that
 * nodes of different versions understand each other. Types, decoder checks and fast-check arbitraries all come from here.
 *
 * A *request* is answered by its reply or by an error; a *notice* is answered by nothing.
 */
import { type Static, Type } from 'typebox'
import { blob, count, digest, failure, fields, list, name, streamId, text, timeMs } from '../../base/fields.js'
import { limits } from '../../base/limits.js'
import { listenerFigures } from '../../domain/cluster/listenerFigures.js'
import { nodeReport } from '../../domain/cluster/nodeReport.js'
import { nodeState } from '../../domain/cluster/nodeState.js'

/** Lowest and highest protocol version that this build speaks. */
export const protocolRange = { min: 1, max: 1 } as const

/** Joined paths and their columns: see domain/files/entryColumns. */
const entryColumns = (bytesMax: number, entriesMax: number) =>
  fields({
    paths: text(bytesMax),
    digests: blob(entriesMax * 32),
    sizes: blob(entriesMax * 8),
    modes: blob(entriesMax * 2),
  })
const comparedEntries = () => entryColumns(limits.compareBytesMax, limits.compareEntriesMax)

const keyEntry = () =>
  fields({
    id: count(limits.agentIdMax),
    name: text(limits.agentNameCharsMax),
    ip: text(limits.agentIpCharsMax),
    key: text(limits.agentKeyCharsMax),
  })

export const requests = {
  'session.hello': {
    id: 1,
    request: fields({
      cluster: text(limits.clusterNameCharsMax, 1),
      node: name(limits.nodeNameCharsMax),
      type: Type.Literal('worker'),
      /** Drawn when the process starts: a second connection of the same process replaces the first. */
      instance: text(64, 1),
      version: text(limits.versionCharsMax, 1),
      /** The version of Wazuh that the node serves; `version` is Muster's. */
      wazuh: Type.Optional(text(limits.versionCharsMax, 1)),
      capabilities: list(text(limits.capabilityCharsMax), limits.capabilitiesMax),
    }),
    reply: fields({
      cluster: text(limits.clusterNameCharsMax, 1),
      node: name(limits.nodeNameCharsMax),
      version: text(limits.versionCharsMax, 1),
      wazuh: Type.Optional(text(limits.versionCharsMax, 1)),
      capabilities: list(text(limits.capabilityCharsMax), limits.capabilitiesMax),
    }),
  },
  'session.echo': {
    id: 2,
    request: fields({ payload: blob(limits.echoBytesMax) }),
    reply: fields({ payload: blob(limits.echoBytesMax) }),
  },
  'keepAlive.beat': {
    id: 3,
    /**
     * `clockSkewMs`: the master's clock minus the worker's, as the worker measured it at the beat before. `integrity`: the state of
     * the worker's integrity thread (see domain/files/integrityState). `listener`: what its listener of agents counted, if it has one.
     * `roundTripMs`: what the beat before took; sent with the capability `figures`.
     */
    request: fields({
      sentAtMs: timeMs(),
      clockSkewMs: Type.Optional(Type.Number({ minimum: -8.64e15, maximum: 8.64e15 })),
      integrity: Type.Optional(text(limits.stateCharsMax)),
      listener: Type.Optional(listenerFigures()),
      roundTripMs: Type.Optional(timeMs()),
    }),
    reply: fields({ receivedAtMs: timeMs() }),
  },
  /** Is the worker's tree the master's? Both digests are over the whole tree, see domain/files/manifest. */
  'integrity.check': {
    id: 4,
    request: fields({ root: digest(), items: digest(), files: count() }),
    reply: fields({ same: Type.Boolean() }),
  },
  /**
   * Which of the buckets differ? 16 bytes of digest a bucket. With the capability `parts` the reply says how many files the master has
   * in each of them.
   */
  'integrity.buckets': {
    id: 5,
    request: fields({ digests: blob(256 * 16, 256 * 16) }),
    reply: fields({ differing: list(count(255), 256), files: Type.Optional(list(count(), 256)) }),
  },
  /**
   * What has the worker to do in these buckets? `counts[i]` entries of `entries` belong to `buckets[i]`, in order. The reply
   * decides the first `decided` of the buckets, as many as fit; the worker asks again for the rest.
   */
  'integrity.compare': {
    id: 6,
    request: fields({ buckets: list(count(255), 256), counts: list(count(limits.compareEntriesMax), 256), entries: comparedEntries() }),
    reply: fields({
      decided: count(256),
      create: comparedEntries(),
      update: comparedEntries(),
      /** Paths joined by NUL. */
      remove: text(limits.compareBytesMax),
    }),
  },
  /** Send these files over the stream, each from its offset, as blocks (see wire/muster/contentBlock). */
  'integrity.fetch': {
    id: 7,
    request: fields({
      stream: streamId(),
      paths: text(limits.fetchPathBytesMax),
      digests: blob(limits.fetchFilesMax * 32),
      offsets: list(count(), limits.fetchFilesMax),
      compress: Type.Boolean(),
    }),
    reply: fields({}),
  },
  /**
   * How far the worker is with the plan that the master decided: what it did, and what it could not do. With the capability `changes`
   * the last report has the worker's root, and the reply says whether it is the master's. `diskWrites`: see domain/files/content/syncPace.
   */
  'integrity.report': {
    id: 8,
    request: fields({
      phase: Type.Union([Type.Literal('started'), Type.Literal('applied')]),
      created: count(),
      updated: count(),
      removed: count(),
      /** Files whose failure is listed in `failures`, then those left out because there are too many. */
      failures: list(
        fields({ path: text(limits.pathBytesMax), code: text(64), message: text(limits.errorMessageCharsMax) }),
        limits.reportedFailuresMax,
      ),
      failuresLeftOut: count(),
      tookMs: count(),
      root: Type.Optional(digest()),
      diskWrites: Type.Optional(text(limits.stateCharsMax)),
      /** Files whose change on the worker itself was undone; sent with the capability `figures`. */
      undone: Type.Optional(count()),
    }),
    reply: fields({ same: Type.Optional(Type.Boolean()) }),
  },
  /** A question of cluster_control, carried from a worker to the master; the answer's JSON comes over the stream. */
  'control.query': {
    id: 9,
    request: fields({ stream: streamId(), query: text(limits.controlRequestBytesMax) }),
    reply: fields({}),
  },
  /**
   * Updates about agents (see wire/muster/agentBatch), in rounds of chunks. `table` is the master's table that the worker counts its
   * acknowledgements in; the reply names the existing one.
   */
  'agentInfo.report': {
    id: 10,
    request: fields({ table: text(64), batch: blob(limits.agentBatchBytesMax), chunk: count(), last: Type.Boolean() }),
    reply: fields({ table: text(64), taken: count(), unknown: count(), refused: count() }),
  },
  /** Enrols an agent; asked again with the same key, it is answered with the agent that is there. */
  'agents.add': {
    id: 11,
    request: fields({
      name: text(limits.agentNameCharsMax, 1),
      ip: text(limits.agentIpCharsMax, 1),
      key: text(limits.agentKeyCharsMax, 1),
      groups: list(text(limits.groupNameCharsMax, 1), limits.groupsPerAgentMax),
    }),
    reply: keyEntry(),
  },
  'agents.remove': { id: 12, request: fields({ id: count(limits.agentIdMax) }), reply: fields({}) },
  /** The groups of agents that changed after `since`, or those of all agents (`since` 0), from agent `after` on. */
  'agentGroups.fetch': {
    id: 13,
    request: fields({ table: text(64), since: count(), after: count(), full: Type.Boolean() }),
    reply: fields({
      table: text(64),
      version: count(),
      hash: text(40),
      /** JSON: `[[id, "group,group"], …]`, in order of the IDs. */
      rows: blob(limits.groupsPageBytesMax),
      next: Type.Optional(count()),
    }),
  },
  /** The state of the groups on the master, as the notice `agentGroups.state` has it; no `table` when it is not known yet. */
  'agentGroups.ask': {
    id: 16,
    request: fields({}),
    reply: fields({ table: text(64), version: count(), hash: text(40), ids: text(64) }),
  },
  /** Of which chunks is this content made (see domain/files/content/contentRecipe)? With the capability `delta`. */
  'integrity.recipe': {
    id: 14,
    request: fields({ path: text(limits.pathBytesMax, 1), digest: digest() }),
    reply: fields({ averageBits: count(32), chunks: blob(limits.recipeChunksMax * 20) }),
  },
  /** Send these ranges of a file over the stream (see domain/files/content/contentRecipe), as blocks whose files are the ranges. */
  'integrity.ranges': {
    id: 15,
    request: fields({
      stream: streamId(),
      path: text(limits.pathBytesMax, 1),
      digest: digest(),
      ranges: blob(limits.patchRangesMax * 8),
      compress: Type.Boolean(),
    }),
    reply: fields({}),
  },
  /**
   * The groups of another table of a master, as this worker has them, page by page before they give way to those of the table that
   * there is now. `rows` as in `agentGroups.fetch`, empty in a first question whether they are wanted.
   */
  'agentGroups.offer': {
    id: 17,
    request: fields({ table: text(64, 1), version: count(), rows: blob(limits.groupsPageBytesMax), last: Type.Boolean() }),
    reply: fields({ wanted: Type.Boolean() }),
  },
  /**
   * The synced items of both nodes (see domain/files/itemsDifference), after a check was refused because they are not the same. Empty when
   * they are too many. With the capability `items`.
   */
  'integrity.items': {
    id: 18,
    request: fields({ items: blob(limits.itemsBytesMax) }),
    reply: fields({ items: blob(limits.itemsBytesMax) }),
  },
  /** Which of the 256 parts of each of these buckets differ (see domain/files/partsQuestion)? With the capability `parts`. */
  'integrity.parts': {
    id: 19,
    request: fields({
      buckets: list(count(255), limits.comparedPartsBucketsMax),
      digests: blob(limits.comparedPartsBucketsMax * 256 * 16),
    }),
    reply: fields({ differing: blob(limits.comparedPartsBucketsMax * 32) }),
  },
  /** As `integrity.compare`, about parts of buckets: 256 times the bucket's index, and the part's own. With the capability `parts`. */
  'integrity.compareParts': {
    id: 20,
    request: fields({
      parts: list(count(256 * 256 - 1), limits.comparedPartsMax),
      counts: list(count(limits.compareEntriesMax), limits.comparedPartsMax),
      entries: comparedEntries(),
    }),
    reply: fields({
      decided: count(limits.comparedPartsMax),
      create: comparedEntries(),
      update: comparedEntries(),
      /** Paths joined by NUL. */
      remove: text(limits.compareBytesMax),
    }),
  },
  /** An agent enrols, perhaps in place of another; asked again shortly after, it is answered with the same (see domain/agents/replacement). */
  'agents.enrol': {
    id: 21,
    request: fields({
      name: text(limits.agentNameCharsMax, 1),
      ip: text(limits.agentIpCharsMax, 1),
      key: text(limits.agentKeyCharsMax, 1),
      groups: list(text(limits.groupNameCharsMax, 1), limits.groupsPerAgentMax),
      keyHash: Type.Optional(text(limits.agentKeyHashCharsMax)),
      source: text(limits.agentIpCharsMax, 1),
    }),
    reply: keyEntry(),
  },
  /**
   * Asks agents that are connected to reconnect, these or all. To the master: those of these nodes, or of all when none is named; to a
   * worker: its own. The reply says how many were asked at each node, or why a node could not be asked.
   */
  'agents.reconnect': {
    id: 22,
    request: fields({
      all: Type.Boolean(),
      ids: list(count(limits.agentIdMax), limits.reconnectIdsMax),
      nodes: list(text(limits.nodeNameCharsMax, 1), limits.workersMax),
    }),
    reply: fields({
      nodes: list(
        fields({ node: text(limits.nodeNameCharsMax), agents: count(), error: Type.Optional(text(limits.errorMessageCharsMax)) }),
        limits.workersMax + 1,
      ),
    }),
  },
  /**
   * What a worker says of its own machine and files. Asked by the master, of workers with the capability `reports`; for the whole of it, of those
   * with the capability `wholeReports`.
   */
  'node.report': { id: 23, request: fields({ whole: Type.Optional(Type.Boolean()) }), reply: nodeReport() },
  /**
   * A request of the programs of a real Wazuh manager, opaque: `sendsync` to a daemon of the master, `dapi` to the framework of the peer.
   * It comes, `bytes` long, over the stream that the reply names; the answer goes over the stream `answer` behind a head (see
   * wire/muster/carriedHead). With the capability `carry`.
   */
  'manager.carry': {
    id: 24,
    request: fields({
      kind: Type.Union([Type.Literal('sendsync'), Type.Literal('dapi')]),
      daemon: Type.Optional(text(limits.stateCharsMax)),
      bytes: count(limits.carriedRequestBytesMax),
      answer: streamId(),
    }),
    reply: fields({ question: streamId() }),
  },
} as const

export const notices = {
  'stream.credit': { id: 64, notice: fields({ stream: streamId(), bytes: count(2 ** 32) }) },
  'stream.end': { id: 65, notice: fields({ stream: streamId() }) },
  'stream.reset': { id: 66, notice: fields({ stream: streamId(), error: failure() }) },
  /** The sender is about to close on purpose; `stopping` invites to redial at once. */
  'session.goodbye': {
    id: 67,
    notice: fields({ reason: Type.Union([Type.Literal('stopping'), Type.Literal('error')]), error: failure() }),
  },
  /**
   * The master's tree has another root now: check at once. With the capability `changes` a small change is in it, for workers whose tree
   * has one of the roots in `since` (see domain/files/changeNotice).
   */
  'integrity.changed': {
    id: 68,
    notice: fields({
      root: digest(),
      since: Type.Optional(blob(limits.announcedRootsMax * 8)),
      entries: Type.Optional(entryColumns(limits.announcedBytesMax, limits.announcedFilesMax)),
      removed: Type.Optional(text(limits.announcedBytesMax)),
      /** With the capability `contents`: see domain/files/changeNotice. */
      content: Type.Optional(blob(limits.announcedBlockBytesMax)),
      contentDigests: Type.Optional(blob(limits.announcedFilesMax * 32)),
    }),
  },
  /** The worker has done all that was announced to it, and its tree has the root that was. In place of `integrity.report`, with the capability `applied`. */
  'integrity.applied': {
    id: 72,
    notice: fields({
      root: digest(),
      created: count(),
      updated: count(),
      removed: count(),
      undone: count(),
      tookMs: count(),
      diskWrites: Type.Optional(text(limits.stateCharsMax)),
    }),
  },
  /** The state of the groups on the master, once a round and after each change; `ids` is the digest of the agents that exist. */
  'agentGroups.state': { id: 69, notice: fields({ table: text(64), version: count(), hash: text(40), ids: text(64) }) },
  /** What an operator said of this worker, at its start and after each change. With the capability `states`. */
  'node.state': { id: 70, notice: fields({ state: nodeState() }) },
  /** What this worker's analysisd said to the last reload of its rules, to be shown with its files. */
  'ruleset.reloaded': {
    id: 71,
    notice: fields({
      atMs: timeMs(),
      isLoaded: Type.Boolean(),
      messages: list(text(limits.rulesetMessageCharsMax), limits.rulesetMessagesMax),
    }),
  },
} as const

export type RequestName = keyof typeof requests
export type NoticeName = keyof typeof notices
export type RequestBody<K extends RequestName> = Static<(typeof requests)[K]['request']>
export type ReplyBody<K extends RequestName> = Static<(typeof requests)[K]['reply']>
export type NoticeBody<K extends NoticeName> = Static<(typeof notices)[K]['notice']>

export type Hello = RequestBody<'session.hello'>
export type Welcome = ReplyBody<'session.hello'>
