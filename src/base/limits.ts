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
  /** Less where the process may not open that many files; see transport/admission. One costs the master about 4 KiB. */
  unauthenticatedConnectionsMax: 4_096,
  unauthenticatedPerAddressMax: 1_024,
  /** Addresses (IPv6: networks of 64 bits) that had a session and are preferred when the door is crowded. */
  addressesKnownMax: 4_096,
  /** Openings by peers with the key that are remembered, so that a recorded one is refused: some 100 bytes each. */
  openingsSeenMax: 65_536,
  helloBytesMax: 4 * KiB,
  /** TLS handshakes that a node begins as the server, each a millisecond or two of its time: some at once, then this many a second. */
  nodeHandshakesBurst: 256,
  nodeHandshakesPerSecond: 128,
  /** How often a node checks whether its certificates were renewed, or have ended. */
  certificatesCheckMs: 2_000,
  allowedNodesMax: 10_000,

  // --- frames and messages
  frameBytesMax: 2 * MiB,
  messageBytesMax: 1 * MiB,
  messageDepthMax: 16,
  framesPerRekey: 65_536,
  recordsPerFrameMax: 8_192,
  /**
   * A control message waits for one frame of bulk at most: this much and a chunk. A full chunk ends its frame, so that it can be moved.
   * Control messages gather to no more either, so that a slow wire is seen to move.
   */
  bulkPerFrameBytesMax: 128 * KiB,
  requestsInFlightMax: 4_096,
  /** How long a peer has to close its side after we closed ours. */
  lingerMsMax: 1_000,
  requestsServedMax: 1_024,
  sendQueueBytesMax: 16 * MiB,
  /** Over all links of a node. */
  sendQueuesBytesMax: 128 * MiB,
  /** A peer that reads nothing for this long is gone, whatever it sends. */
  sendStallMsMax: 30_000,
  /**
   * What peers that never rest may take of a master's time for long, all together, after a burst. They get slices: what anybody else
   * has to do comes between two of them, so that a high share is no harm.
   */
  peerWorkPercentMax: 75,
  peerWorkBurstMs: 50,
  peerWorkSliceMs: 5,
  echoBytesMax: 64 * KiB,

  /** Workers of one master. */
  workersMax: 10_000,
  /** Nodes that a master remembers, whether they are in or not, and the bytes of the file that it does so in. */
  knownNodesMax: 20_000,
  nodeStatesBytesMax: 8 * MiB,

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
  /** Of the name of a thread's state. */
  stateCharsMax: 32,
  errorMessageCharsMax: 1_024,

  // --- manifest and transfer
  pathBytesMax: 4_096,
  nameBytesMax: 255,
  pathDepthMax: 128,
  /** Of all files that one plan brings; more is no plan that a disk could take. */
  planBytesMax: 2 ** 40,
  /** Of a disk that is never filled with content. */
  diskReserveBytes: 64 * MiB,
  /** Files of a master's tree; a larger one is not synced. */
  manifestEntriesMax: 2_000_000,
  compareBytesMax: 256 * KiB,
  compareEntriesMax: 16_384,
  /** Buckets of which a worker has more files than this are compared by their parts. */
  comparedWholeFilesMax: 32,
  /** Parts that one question is about, and the buckets that they are in: each of a large tree takes a few milliseconds. */
  comparedPartsMax: 1_024,
  comparedPartsBucketsMax: 4,
  /** A change of no more files than this, and no larger than this, is announced with what changed, for this many roots back. */
  announcedFilesMax: 64,
  announcedBytesMax: 8 * KiB,
  /** Content of no more than this is in the announcement itself. */
  announcedContentBytesMax: 8 * KiB,
  /** The block that it travels in. */
  announcedBlockBytesMax: 16 * KiB,
  announcedRootsMax: 16,
  fetchFilesMax: 2_048,
  fetchPathBytesMax: 256 * KiB,
  fetchesPerWorkerMax: 4,
  /** Answers to questions of cluster_control that run for one worker, until their work has ended. */
  answersPerLinkMax: 4,
  /** Rows or entries that are worked on before everything else has its turn again: a few milliseconds. */
  stepsPerTurnMax: 4_096,
  /** A fetch may bring this many times what the plan says is missing, because files may grow until they are sent, and this much more. */
  fetchGrowthMax: 2,
  fetchSlackBytes: 1 * MiB,
  /**
   * Files of a plan that are staged at the same time, or deleted together. A larger plan is carried out in portions of half as many: each
   * is written while the next one is brought.
   */
  planPortionFilesMax: 8_192,
  /** Blocks that go to a disk thread, or come from it, together. */
  contentBlocksPerTaskMax: 4,
  /** Of blocks that a master keeps for other workers while several fetch at the same time. */
  sharedContentBytesMax: 32 * MiB,
  /** Files between these sizes are sent as what changed in them: a larger one would keep a thread busy for over half a second. */
  deltaBytesMin: 64 * KiB,
  deltaBytesMax: 128 * MiB,
  recipeChunksMax: 16_384,
  /** Recipes that a master keeps for the next worker. */
  recipesKeptMax: 8,
  patchRangesMax: 2_048,
  /** Files of one plan that are patched, the largest first: each is asked for on its own. */
  patchesPerPlanMax: 16,
  reportedFailuresMax: 256,
  /** Of a node's configuration files. */
  reportedAddressesMax: 64,
  reportedAddressCharsMax: 255,
  reportedMistakesMax: 100,
  reportedProcessesMax: 16,
  processNameCharsMax: 32,
  timeZoneCharsMax: 64,
  scanPageEntriesMax: 1_000,
  /** Directories that a disk thread keeps open while it works in them. */
  directoriesHeldMax: 16,
  contentBlockFilesMax: 512,
  pendingFilesShownMax: 100_000,
  /** Of the paths that one worker has to delete and the master remembers: it may invent them. */
  pendingRemovalCharsMax: 2 * MiB,
  /** The items of a node whose cluster.json differs from the master's, as they are sent; and what is said of the differences. */
  itemsBytesMax: 256 * KiB,
  itemsDifferencesShownMax: 16,
  itemsDifferenceCharsMax: 256,

  // --- agents
  agentsMax: 1_000_000,
  agentIdMax: 2 ** 31 - 1,
  agentNameCharsMin: 2,
  agentNameCharsMax: 128,
  agentIpCharsMax: 64,
  agentKeyCharsMax: 128,
  /** Of one fact but for the labels. */
  agentFactCharsMax: 1_024,
  agentLabelsCharsMax: 16 * KiB,
  /** Rows of one report of agent-info, and its bytes. */
  agentBatchRowsMax: 4_096,
  agentBatchBytesMax: 512 * KiB,
  /** Reports that wait for the table; more are refused. */
  agentReportsWaitingMax: 200_000,
  /** Calls that wait for the agents' table; more are refused. */
  agentCallsWaitingMax: 1_024,
  /** What a call waits for a table that something else holds locked. */
  agentTableLockedMsMax: 30_000,
  /** A time that lies further ahead of the clock than this is taken for a mistake. */
  agentFutureMsMax: 30_000,
  agentPageRowsMax: 1_000,
  keysLineBytesMax: 1_024,
  keysFileBytesMax: 256 * MiB,
  keysPageEntriesMax: 1_000,
  /** Changes of client.keys that are written together. */
  keysChangesMax: 1_000,
  /** From one write of several changes to the next one. */
  keysGatheredMs: 20,
  /** A file that lacks agents is trusted when it has been stable for this long. */
  keysTrustedMs: 5_000,
  /** Of a SHA-1, hexadecimal: an agent that enrols says by it which key it had. */
  agentKeyHashCharsMax: 40,
  /** The same agent that enrols again this soon, and never connected, did not get the answer. */
  enrolmentRetryMsMax: 60_000,
  /** What is noted of an agent that is to be registered, and was not. */
  registrationNotedMsMax: 600_000,
  /** Lines of client.keys that are named in the log, each once. */
  keysProblemsMax: 100,
  groupNameCharsMax: 255,
  groupsPerAgentMax: 128,
  groupsMax: 10_000,
  /** Rows of a page of group assignments, and its bytes. */
  groupsPageRowsMax: 4_096,
  groupsPageBytesMax: 512 * KiB,
  /** A merged.mg larger than this is not built. */
  mergedBytesMax: 64 * MiB,
  /** A file's name in a merged.mg: an agent has 2 048 bytes for its line, and for its path. */
  mergedNameBytesMax: 1_024,
  groupFilesMax: 100_000,

  // --- agents' services
  /** Of calls between a node and a thread of its listener or enrolment service; longer than a table that is locked may take. */
  frontCallMsMax: 60_000,
  frontCallsMax: 1_024,
  /** What such a thread may take to end its work, and its heap in megabytes; bytes of sockets and files do not count. */
  frontStopMsMax: 1_500,
  /** Rest before a service that could not be started is tried again: its port may be taken. */
  frontRetryMs: 10_000,
  listenerHeapMbMax: 1_024,
  enrolmentHeapMbMax: 512,

  // --- agents' services: the listener
  /** Of a connection until its first message that proves a key, and of a message until it is whole. An agent starts at once. */
  agentFirstMessageMsMax: 60_000,
  agentMessageMsMax: 60_000,
  /** An agent that says nothing for this long is let go; keep-alives come every 10 s. */
  agentIdleMsMax: 3_600_000,
  /** How often the times of a connection are checked. */
  agentCheckMs: 15_000,
  /** An agent that reads nothing for this long is let go, and what waits for it to read. */
  agentStallMsMax: 30_000,
  agentUnreadBytesMax: 256 * KiB,
  /** Parts of messages of all connections that did not prove a key yet. */
  agentUnprovenBytesMax: 64 * MiB,
  /** Another socket of an agent is let in when the first one was silent for longer. */
  agentTakeoverMs: 60_000,
  /** A chunk of merged.mg is a message. */
  agentPushChunkBytesMax: 900,
  /** Agents that get a merged.mg at the same time, the messages of one turn, and those of one agent in it. */
  agentPushesMax: 64,
  agentPushTurnMessages: 64,
  agentPushAgentMessages: 16,
  /** Over UDP nothing says when to wait: a burst, then a pause. */
  agentDatagramBurst: 32,
  agentDatagramPauseMs: 20,
  /** Content that is kept while agents get it, and for a minute after. */
  mergedKeptBytesMax: 128 * MiB,
  mergedKeptMs: 60_000,
  /** Agents that one question or report to the node is about. */
  agentReportsMax: 1_000,
  agentConfigurationsMax: 1_000,
  /** Until a question or report that failed is repeated. */
  agentDeskRetryMs: 1_000,
  /** Agents that are asked to reconnect at once, and the pause between. */
  agentReconnectsMax: 250,
  agentReconnectPauseMs: 100,
  /** How long a node that is drained waits for its agents to go; their connections are closed then. */
  nodeDrainMsMax: 30_000,
  /** Messages of an agent between two writes of its counter. */
  agentCounterMessages: 128,
  /** Ports and addresses that agents report to at one node. */
  listeningPlacesMax: 16,
  listeningPlacesCharsMax: 1_024,
  agentRequestsMax: 1_024,
  agentRequestBytesMax: 32 * KiB,
  /** Answers over UDP that come again are acknowledged again. */
  agentAnswersRemembered: 256,
  /** Agents of an update that lists all of them are gone when no other update named them for this long. */
  agentKeysGraceMs: 5_000,
  /** How long agents have to close their side after ours was closed. */
  agentLingerMsMax: 1_000,
  /** The same when the listener stops, and until its last reports are taken. */
  agentStopLingerMsMax: 700,
  agentStopReportsMsMax: 400,

  /** Agents that are named in one request to have them reconnect. */
  reconnectIdsMax: 20_000,

  // --- agents' services: the network
  /** Of version 2; one of version 1 has 107 at most. */
  proxyHeaderBytesMax: 4 * KiB,
  proxyHeaderMsMax: 10_000,
  /** Connections of listed proxies that wait for their header. */
  proxyHeadersMax: 4_096,
  /** Connections over TLS whose handshake has not ended: for one more, one that says nothing is closed. It costs about 5 KiB. */
  tlsHandshakesMax: 4_096,
  /** Of these, handshakes that have begun, about 40 KiB each; the others wait for their turn. */
  tlsHandshakesBegunMax: 512,
  /** A handshake that has begun gives way after this long to one of a site that has fewer under way. */
  tlsHandshakeContestedMsMax: 2_000,
  /** Names of a certificate that are kept, and the length of each. */
  certificateNamesMax: 64,
  certificateNameCharsMax: 255,
  /** Of one PEM file: a chain, or the authorities that are trusted. */
  certificatesPerFileMax: 64,
  /** Of such a file, and files of a directory of certificates. */
  certificateFileBytesMax: 256 * KiB,
  certificateDirectoryMax: 10_000,
  /** Nodes of a config.yml of wazuh-certs-tool, and what is said of one. */
  certificateNodesMax: 1_000,
  certificateFindingsMax: 50,
  /** What the machine is asked to keep of datagrams that nobody has taken; it may give less. */
  datagramReceiveBytes: 8 * MiB,
  datagramBytesMax: 65_507,
  /** Datagrams that wait to be sent; more are dropped. */
  datagramSendQueueBytesMax: 4 * MiB,
  /** What the machine is asked to keep of events that a reader has not taken, and until a reader that is absent is sought again. */
  readerSendBytes: 1 * MiB,
  readerRetryMs: 200,
  // --- agents' services: messages
  /** A message of an agent or to one, as it is on the wire, without the length before it. */
  agentFrameBytesMax: 64 * KiB,
  /** What a message of an agent is when it is inflated: checksum, numbers and text. More is not inflated. */
  agentInflatedBytesMax: 64 * KiB,
  /** The longest text that is sent in one message, as Wazuh's agents have it. */
  agentTextBytesMax: 65_408,

  // --- agents' services: events
  /** Of one event, as an agent sends it. */
  eventBytesMax: 64 * KiB,
  /** A line of an event: each of its bytes may need six. */
  eventLineBytesMax: 512 * KiB,
  /** Of lines, and of datagrams for a reader, that wait while the disk or the reader takes none. */
  eventsPendingBytesMax: 16 * MiB,
  /** Agents are read on while less than this waits for a slow reader. */
  eventsPendingForReaderBytesMax: 1 * MiB,
  /** A reader that takes nothing for this long is not waited for any more. */
  eventReaderStallMsMax: 5_000,
  /** Segments of events, however small they are. */
  eventSegmentsMax: 10_000,

  // --- agents' services: enrolment
  /** Of a request with its newline; wazuh-authd reads as much. */
  enrolmentLineBytesMax: 64 * KiB,
  /** Of a connection until its handshake is done: in a burst, it waits for the others. */
  enrolmentHandshakeMsMax: 60_000,
  /** From the end of the handshake until the request is whole: agents send it at once. */
  enrolmentRequestMsMax: 10_000,
  /** Connections whose request is not whole; for one more, the oldest of them is closed. */
  enrolmentReadingMax: 1_024,
  /** Requests that wait for the master; more are refused. */
  enrolmentAskingMax: 1_024,
  /** A certificate with its chain, a key, the certificates of authorities, or the password. */
  enrolmentFileBytesMax: 256 * KiB,
  /** What an answer may take: longer than a worker waits for its master. */
  enrolmentAnswerMsMax: 30_000,

  // --- what is remembered of a cluster
  /** Events; half of them may be of what happens all the time. */
  clusterEventsMax: 500,
  clusterEventCharsMax: 1_024,
  /** Workers that have left, and how long they are shown unless an operator removes them. */
  workersGoneMax: 1_000,
  workerGoneMsMax: 24 * 60 * 60_000,
  /** Counts of agents are asked of the table again after this time. */
  agentCountsMsMax: 1_000,

  // --- supervision
  restartsMax: 5,
  restartWindowMs: 60_000,
  restartDelayMsMin: 100,
  restartDelayMsMax: 5_000,
  stopMsMax: 5_000,
  timerMsMax: 2 ** 31 - 1,

  // --- local control socket
  /** About 7 000 keep-alives of agents, or 300 with all that the agents say of themselves. */
  controlRequestBytesMax: 256 * KiB,
  controlConnectionsMax: 64,
  controlLineBytesMax: 1 * MiB,
  /** Until the request line of a connection is complete. */
  controlRequestMsMax: 10_000,
  /** A client that reads nothing of its answer for this long is cut off; a reader of `| less` has that long for a screen. */
  controlStallMsMax: 120_000,
  /** What cluster_control waits for the next part of an answer. */
  controlAnswerMsMax: 60_000,

  // --- agents of our own (muster-agents)
  fleetAgentsMax: 100_000,
  /** Enrolments of one fleet at the same time. */
  fleetEnrolmentsMax: 16,
  fleetEnrolmentMsMax: 60_000,
  /** What an agent waits for the manager to close its side of a connection that the agent left. */
  fleetLingerMsMax: 30_000,

  // --- HTTP service
  apiHeapMbMax: 512,
  apiHeaderBytesMax: 8 * KiB,
  apiBodyBytesMax: 64 * KiB,
  /** Until the headers of a request are whole, and until all of it is. */
  apiHeadersMsMax: 10_000,
  apiRequestMsMax: 30_000,
  apiIdleMsMax: 60_000,
  apiConnectionsMax: 256,
  apiConnectionsPerAddressMax: 32,
  /** Requests of one address in a minute; what needs no login does not count. */
  apiRequestsPerMinute: 300,
  /** Addresses (IPv6: networks of 64 bits) whose requests and failures are counted. */
  apiAddressesMax: 4_096,
  /** Failed logins of an address, and how long it is refused then. */
  apiLoginFailuresMax: 50,
  apiLoginBlockedMs: 300_000,
  /** Passwords that are hashed at the same time, and that wait for it: each takes a thread that the disk needs too. */
  apiLoginsAtOnceMax: 2,
  apiLoginsWaitingMax: 32,
  apiUsersMax: 1_000,
  apiUserNameCharsMax: 64,
  apiPasswordCharsMin: 12,
  apiPasswordCharsMax: 256,
  apiTokenMs: 900_000,
  apiSessionIdleMs: 900_000,
  apiSessionMs: 12 * 3_600_000,
  apiSessionsMax: 1_024,
  /** Answers of the node that are read at the same time, and until one that nobody reads is dropped. */
  apiAnswersMax: 64,
  apiAnswerIdleMs: 60_000,
  /** Lines of an answer that cross between the threads together. */
  apiAnswerLinesMax: 256,
  apiItemsMax: 100_000,
  /** Of one answer of `/cluster/{node}/logs`, as Wazuh's. */
  apiLogLinesMax: 500,
  /** Items that are sorted in one step. */
  apiSortedAtOnceMax: 1_024,
  /** Agents of one question that are answered with all that is known of them. */
  apiAgentDetailsMax: 500,
  /** Items that are held to sort them. */
  apiSortedItemsMax: 200_000,
  apiQueryClausesMax: 100,
  apiQueryDepthMax: 16,
  apiNodesMax: 10_000,
  /** Questions about health share an answer of the node for this long, and wait for one at most that long. */
  apiHealthMs: 1_000,
  apiHealthMsMax: 5_000,
  apiStreamsMax: 32,
  apiStreamQueueBytesMax: 4 * MiB,
  /** A client that takes nothing for this long is cut. */
  apiStreamStallMsMax: 15_000,
  apiStreamEventsMax: 512,
  apiStreamPollMs: 1_000,
  apiStreamAliveMs: 5_000,
  apiFileBytesMax: 256 * KiB,

  // --- logging
  /** A worker that cannot connect logs it once within this time, with at most this many reasons. */
  dialLogIntervalMs: 60_000,
  dialReasonsMax: 4,
  refusalLogIntervalMs: 60_000,
  /** Addresses (IPv6: networks of 64 bits) and kinds that are remembered, and addresses that are counted. */
  refusalLogKeysMax: 1_024,
  /** Lines about refusals within any interval, of one kind and of all. */
  refusalLinesPerKindMax: 8,
  refusalLinesMax: 60,
  /** Different sentences of one kind from one address that are logged within the interval. */
  refusalSentencesMax: 4,
  logLineCharsMax: 16 * KiB,
  /** Warnings and errors of a node that it remembers, and what each may be long. */
  lastLinesMax: 50,
  lastLineCharsMax: 1_024,
  /** Files of one scan of the tree, and of one plan, that are named at debug. */
  filesLoggedMax: 100,
  /** Changes of a worker's own that are remembered until they are undone. */
  ownChangesMax: 10_000,
  /** What one peer may cause of one kind of line: at once, and a second for long. A line counts for its text and its place. */
  peerLogBurstBytes: 16 * KiB,
  peerLogBytesPerSecond: 512,
  peerLogPlaceBytes: 64,
  logPendingBytesMax: 8 * MiB,

  // --- the balancer
  /** A call to HAProxy's runtime socket or Data Plane API, with all of its answer; a forced reload is waited for. */
  balancerCallMsMax: 20_000,
  /** Of an answer: some 500 bytes a server. */
  balancerAnswerBytesMax: 8 * MiB,
  /** Of what a balancer answered, in the sentence of an error. */
  balancerAnswerCharsMax: 300,
  /** Writes of one change that another program's change came before. */
  balancerConflictsMax: 8,
  /** Until a server whose sessions were ended can be removed. */
  balancerRemovalMsMax: 5_000,

  // --- a real manager on the machine
  /** Of wazuh-db's stream socket: one request of over 65 536 bytes ends a thread of it for good. */
  wazuhDbRequestBytesMax: 60_000,
  /** What it answers at most: 65 536 by the stream, far more by HTTP. */
  wazuhDbAnswerBytesMax: 64 * MiB,
  wazuhDbAnswerMsMax: 10_000,
  /** Of its JSON: a full row has some 40 values. */
  wazuhDbValuesMax: 4_000_000,
  wazuhDbDepthMax: 16,
  /** Labels of a page of agents that are read. */
  wazuhDbLabelsMax: 16_384,
  wazuhDbIdleMsMax: 10_000,
  /** Of what one answered, in the sentence of an error. */
  managerAnswerCharsMax: 300,
  /** Agents of one question where they are, and rows of one request. */
  wazuhDbPresencesMax: 500,
  wazuhDbRowsMax: 1_000,
  /** Of answers that are noted and not in the table yet. */
  takenJournalBytesMax: 256 * MiB,
  /** Wazuh's C client asks ten times more when an answer is longer. */
  daemonAnswerBytesMax: 64 * KiB,
  daemonAnswerMsMax: 600_000,
  /** Of a message for a daemon: Wazuh's C client sends a million at most. */
  daemonRequestBytesMax: 1 * MiB,
  /** Of Wazuh's local clients, and of an answer of the distributed API. */
  carriedBytesMax: 256 * MiB,
  carriedMsMax: 200_000,
  /** Of a request of the distributed API between nodes; it is held whole where it is carried out, as much of one peer and this much of all. */
  carriedRequestBytesMax: 64 * MiB,
  carriedHeldBytesMax: 256 * MiB,
  /** Of an exception in place of an answer. */
  carriedExceptionBytesMax: 1 * MiB,
  /** Requests of each kind over one link that are carried out at the same time, that wait for it, and of all links. */
  carriedPerLinkMax: 16,
  carriedWaitingMax: 256,
  carriedMax: 256,
  /** The program that carries out requests in Wazuh's framework: requests at once, and until it is ready, stops, ends what it is to drop. */
  bridgeRequestsMax: 64,
  bridgeStartMsMax: 60_000,
  bridgeStopMsMax: 3_000,
  bridgeDropMsMax: 30_000,
  /** Pauses before it is started again grow from one to the other, unless it lived for this long. */
  bridgeRestartMsMin: 1_000,
  bridgeRestartMsMax: 60_000,
  bridgeOfUseMs: 60_000,
  /** Of what it writes to its standard error. */
  bridgeLineCharsMax: 512,
  bridgeLinesPerMinuteMax: 30,
  rulesetAnswerBytesMax: 1 * MiB,
  rulesetReloadMsMax: 60_000,
  rulesetMessagesMax: 64,
  rulesetMessageCharsMax: 512,
  /** Of all messages of one worker that its master shows: in one line, which fits into a chunk beside others. */
  rulesetShownCharsMax: 16 * KiB,

  // --- Wazuh's local socket
  /** Clients at the same time; for one more, the one that has been idle for longest is let go. */
  localConnectionsMax: 512,
  /** Requests of one client that are being answered; more are refused. */
  localRequestsMax: 16,
  /** Of a request, but for those of the distributed API. Wazuh's C client sends 1 000 000 at most. */
  localRequestBytesMax: 1 * MiB,
  localDepthMax: 64,
  /** Parts of requests of all clients, whose rest has not come: beyond it the client with the most of them is cut. */
  localHeldBytesMax: 512 * MiB,
  localDividedMax: 10,
  localStringsMax: 16,
  /** Until a request that began is whole, and until a client that says nothing is let go unless it waits for an answer. */
  localPartMsMax: 30_000,
  localIdleMsMax: 120_000,
  /** A client that reads nothing for this long is cut. */
  localStallMsMax: 30_000,
  /** What a client waits for its first answer, and we for its answer to a request of ours. */
  localAnswerMsMax: 20_000,
  /** How often these times are checked. */
  localCheckMs: 1_000,
  /** Of rules, decoders and lists whose digests are asked for. */
  rulesetFilesMax: 50_000,

  // --- configuration
  configFileBytesMax: 1 * MiB,
  /** Of objects and lists in cluster.json; its options need 3. */
  configDepthMax: 16,
} as const

invariant(limits.messageBytesMax < limits.frameBytesMax, 'a message fits into a frame')
invariant(limits.streamChunkBytesMax < limits.frameBytesMax, 'a chunk fits into a frame')
invariant(limits.streamWindowBytes >= 4 * limits.streamChunkBytesMax, 'a stream has several chunks in flight')
invariant(2 * limits.compareBytesMax <= limits.messageBytesMax, 'a page of entries and its decision fit into a message')
invariant(limits.fetchPathBytesMax + limits.fetchFilesMax * 64 <= limits.messageBytesMax, 'a fetch fits into a message')
invariant(
  (limits.reportedMistakesMax * limits.errorMessageCharsMax + limits.lastLinesMax * limits.lastLineCharsMax) * 6 <= limits.messageBytesMax,
  'a report fits into a message, escaped',
)
invariant(limits.recipeChunksMax * 20 <= limits.messageBytesMax / 2, 'a recipe fits into a message')
invariant(limits.tlsHandshakesBegunMax < limits.tlsHandshakesMax, 'not all TLS handshakes begin at once')
invariant(limits.unauthenticatedPerAddressMax < limits.unauthenticatedConnectionsMax, 'one address cannot take the whole cap')
invariant(limits.itemsBytesMax < limits.messageBytesMax, 'the synced items fit into a message')
invariant(limits.agentBatchBytesMax < limits.messageBytesMax, 'a batch of agents fits into a message')
invariant(limits.groupsPageBytesMax < limits.messageBytesMax, 'a page of groups fits into a message')
invariant(limits.controlRequestBytesMax < limits.messageBytesMax, 'a query fits into a message')
invariant(2 * limits.agentLabelsCharsMax < limits.agentBatchBytesMax, 'every row fits into a batch')
invariant(6 * limits.eventBytesMax < limits.eventLineBytesMax, 'every event fits into a line')
invariant(2 * limits.eventLineBytesMax < limits.eventsPendingBytesMax, 'several lines can wait')
invariant(limits.agentStopLingerMsMax + limits.agentStopReportsMsMax < limits.frontStopMsMax, 'a listener has time to stop')
