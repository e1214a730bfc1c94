/**
 * ClusterError and the one closed table of its codes. Where Wazuh has a number for the same mistake, the number is kept,
 * so that operators find what they know; Muster's own are those from 3100 to 3199.
 */

export const firstOwnNumber = 3100
export const lastOwnNumber = 3199

interface ErrorKind {
  /** Wazuh's number, or Muster's own. */
  readonly number: number
  /** Whether the same attempt may succeed later without anyone fixing anything. */
  readonly retryable: boolean
  readonly says: string
}

const kind = (number: number, retryable: boolean, says: string): ErrorKind => ({ number, retryable, says })

export const errorTable = {
  agentMissing: kind(1701, false, 'Agent does not exist'),
  notForManager: kind(1703, false, 'Action not available for Manager (agent 000)'),
  groupMissing: kind(1710, false, 'The group does not exist'),
  groupExists: kind(1711, false, 'The group already exists'),
  groupKept: kind(1712, false, 'Default group is not deletable'),
  groupNameInvalid: kind(1722, false, 'Incorrect format for group_id'),
  notInGroup: kind(1734, false, 'Error removing agent from group'),
  tooManyGroups: kind(1737, false, 'Maximum number of groups per multigroup is 128'),
  onlyDefaultGroup: kind(1745, false, "Agent only belongs to 'default' and it cannot be unassigned from this group."),
  inGroupAlready: kind(1751, false, 'Could not assign agent to group'),
  configInvalid: kind(3004, false, 'The cluster configuration is not valid'),
  notRunning: kind(3012, true, 'Cluster is not running.'),
  requestFailed: kind(3016, true, 'The peer could not carry out the request'),
  notOnWorker: kind(3019, false, 'Not available on a worker node'),
  requestTimeout: kind(3020, true, 'The peer did not answer in time'),
  unknownNode: kind(3022, false, 'Unknown node ID'),
  notConnected: kind(3023, true, 'Worker node is not connected to master'),
  notAuthentic: kind(3025, false, 'A frame could not be authenticated'),
  unknownMessage: kind(3027, false, 'Unknown message type'),
  duplicateName: kind(3028, true, 'Worker node ID already exists'),
  sameNameAsMaster: kind(3029, false, 'Connected nodes with same name as the master'),
  wrongClusterName: kind(3030, false, 'Worker does not belong to the cluster'),
  tooLarge: kind(3033, false, 'A message, count or path exceeds its limit'),
  transferFailed: kind(3034, true, 'A file could not be transferred'),
  handshakeRefused: kind(
    3100,
    true,
    'The peer closed the connection during the handshake: it has another cluster key, it is not a Muster master, a proxy or firewall is in between, or too many connections are waiting there',
  ),
  noCommonProtocol: kind(3101, false, 'The two nodes have no protocol version in common'),
  handshakeTimeout: kind(3102, true, 'The peer did not finish the handshake in time'),
  overloaded: kind(3103, true, 'Too many connections, requests or bytes are waiting'),
  malformed: kind(3104, false, 'A frame or message has a wrong shape'),
  wrongState: kind(3105, false, 'A message came at a point where it is not allowed'),
  linkClosed: kind(3106, true, 'The connection was closed'),
  linkLost: kind(3107, true, 'The connection was lost'),
  peerStopping: kind(3108, true, 'The peer is stopping'),
  peerSilent: kind(3109, true, 'The peer stopped answering keep-alives'),
  dialFailed: kind(3110, true, 'The connection could not be made'),
  listenFailed: kind(3111, true, 'Cannot listen on this address'),
  aborted: kind(3112, true, 'The operation was stopped'),
  itemsDiffer: kind(3120, false, 'The synced items of this node differ from those of the master (cluster.json)'),
  pathRefused: kind(3121, false, 'A path leads out of its synced directory or is not a valid path'),
  digestMismatch: kind(3122, true, 'A file changed while it was sent; fetching it again'),
  fileGone: kind(3123, true, 'A file vanished while it was sent; fetching it again'),
  fileFailed: kind(3124, true, 'A file could not be read or written'),
  diskFull: kind(3125, true, 'The disk is full'),
  threadCrashed: kind(3130, true, 'A cluster thread failed unexpectedly'),
  alreadyRunning: kind(3131, false, 'Another wazuh-clusterd is already running for this home directory'),
  tooManyWorkers: kind(3132, true, 'The master has reached its limit of workers'),
  nodeRemoved: kind(3133, true, 'This node was removed from the cluster'),
  notCertified: kind(3134, true, "The peer's certificate does not let it be this node"),
  balancerFailed: kind(3135, true, 'The load balancer could not be reached or refused a change'),
  managerFailed: kind(3136, true, 'A daemon of the Wazuh manager could not be reached or did not answer'),
  managerRefused: kind(3137, false, 'A daemon of the Wazuh manager refused a request'),
  tableFailed: kind(3140, true, "The agents' table could not be read or written"),
  tableNewer: kind(3141, false, "The agents' table was made by a newer version"),
  tableDamaged: kind(3142, true, "The agents' table is damaged; reopening it"),
  tableNotOurs: kind(3143, false, "A file of another program is where the agents' table belongs"),
  leftToManager: kind(3150, false, 'This is left to the Wazuh manager on the same machine'),
  apiBridgeOff: kind(3151, false, "Requests of Wazuh's distributed API are not carried out here: the API bridge is off"),
  argumentsInvalid: kind(3160, false, 'Wrong arguments'),
  agentNameInvalid: kind(9005, false, 'Invalid agent name'),
  agentIpInvalid: kind(9006, false, 'Invalid IP'),
  duplicateAgentIp: kind(9007, false, 'Duplicate IP'),
  duplicateAgentName: kind(9008, false, 'Duplicate name'),
  agentKeyInvalid: kind(9009, false, 'Invalid key'),
  agentIdInvalid: kind(9010, false, 'No such agent ID'),
  unknownAgent: kind(9011, false, 'Agent not found'),
  tooManyAgents: kind(9013, false, 'The maximum number of agents is reached'),
  groupInvalid: kind(9014, false, 'Invalid group'),
  internal: kind(3199, false, 'Internal error'),
} as const satisfies Record<string, ErrorKind>

export type ErrorCode = keyof typeof errorTable

export const isErrorCode = (text: string): text is ErrorCode => Object.hasOwn(errorTable, text)

export interface ErrorOptions {
  /** What happened here, in place of the table's general sentence. */
  readonly message?: string
  readonly context?: Readonly<Record<string, unknown>>
  readonly cause?: unknown
}

export class ClusterError extends Error {
  override readonly name = 'ClusterError'
  readonly code: ErrorCode
  readonly context: Readonly<Record<string, unknown>>

  constructor(code: ErrorCode, options: ErrorOptions = {}) {
    super(options.message ?? errorTable[code].says, options.cause === undefined ? undefined : { cause: options.cause })
    this.code = code
    this.context = options.context ?? {}
  }

  get number(): number {
    return errorTable[this.code].number
  }

  get retryable(): boolean {
    return errorTable[this.code].retryable
  }

  /** One line for an operator: number and sentence, never a stack. */
  get sentence(): string {
    return `Error ${this.number} - ${this.message}`
  }
}

/** Any thrown value as a ClusterError; any other error becomes `otherwise`, with its own text kept as the cause. */
export const asClusterError = (thrown: unknown, otherwise: ErrorCode = 'internal'): ClusterError => {
  if (thrown instanceof ClusterError) return thrown
  const text = thrown instanceof Error ? thrown.message : String(thrown)
  return new ClusterError(otherwise, { message: `${errorTable[otherwise].says}: ${text}`, cause: thrown })
}

/**
 * Whether this is a mistake of ours, and not something that happens in the world: anything but a ClusterError, or one with
 * the code `internal`, which is what such a mistake becomes on its way out of a thread of the system or of a port.
 */
export const isCrash = (thrown: unknown): boolean => !(thrown instanceof ClusterError) || thrown.code === 'internal'

/** Outcome of a pure decision that can refuse. */
export type Result<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly error: ClusterError }

export const ok = <T>(value: T): Result<T> => ({ ok: true, value })
export const refuse = (code: ErrorCode, options?: ErrorOptions): { readonly ok: false; readonly error: ClusterError } => ({
  ok: false,
  error: new ClusterError(code, options),
})
