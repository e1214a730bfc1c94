/**
 * What goes wrong in a simulation, as data: when, what, where. One table says which faults there are and what each needs;
 * types, checks, text and generation follow from it.
 */
import type { Result } from '../../base/errors.js'
import { ok, refuse } from '../../base/errors.js'
import { limits } from '../../base/limits.js'

export const diskOperations = ['lstat', 'readdir', 'open', 'read', 'write', 'sync', 'rename', 'unlink', 'mkdir', 'chmod'] as const
export const diskErrnos = ['EIO', 'EACCES', 'EROFS', 'EMFILE', 'ENOSPC', 'EDQUOT'] as const

/** How client.keys appears for a moment, while an editor saves it. */
export const keysDamages = ['empty', 'missing', 'noise', 'truncated'] as const

/** What a load balancer does with agents for a server. */
export const serverStates = ['ready', 'drain', 'maintenance'] as const

export type ServerState = (typeof serverStates)[number]
export type KeysDamage = (typeof keysDamages)[number]
export type DiskOperation = (typeof diskOperations)[number]
export type DiskErrno = (typeof diskErrnos)[number]

/** All that a fault can say, with units. */
export interface FaultFields {
  readonly node: string
  /** The node that an operator asks. */
  readonly by: string
  readonly a: string
  readonly b: string
  readonly durationMs: number
  /** One way. */
  readonly latencyMs: number
  readonly bytesPerSecond: number
  /** By how much the wall clock jumps; negative is back. */
  readonly jumpMs: number
  readonly operation: DiskOperation
  readonly errno: DiskErrno
  /** Relative to the node's home. */
  readonly path: string
  /** What a symlink says; relative to its directory, or absolute. */
  readonly target: string
  readonly contentSeed: number
  /** Bytes. */
  readonly size: number
  readonly mode: number
  /** Counts the agents of the simulation, in the order in which they came to be; beyond the last one it begins again. */
  readonly agent: number
  readonly group: string
  /** Names with commas between. */
  readonly groups: string
  readonly damage: KeysDamage
  /** Until a certificate ends. */
  readonly validMs: number
  readonly serverState: ServerState
  readonly requests: number
}

export const faultClasses = [
  'network',
  'crash',
  'clock',
  'disk',
  'edits',
  'agents',
  'operators',
  'certificates',
  'balancer',
  'manager',
] as const
export type FaultClass = (typeof faultClasses)[number]

const faultOf = <const C extends FaultClass, const F extends readonly (keyof FaultFields)[]>(of: C, fields: F) => ({ of, fields })

/** The fields are in the order in which a plan's text has them. */
export const faultTable = {
  /** Power loss: what is not synced is lost, peers are not informed; on again after the duration. */
  crash: faultOf('crash', ['node', 'durationMs']),
  /** kill -9: what was written stays, peers get resets; started again after the duration. */
  kill: faultOf('crash', ['node', 'durationMs']),
  /** SIGTERM: agents are asked to go elsewhere, peers are informed; started again after the duration. */
  stop: faultOf('crash', ['node', 'durationMs']),
  /** The process stands still and goes on, as by SIGSTOP and SIGCONT. */
  pause: faultOf('crash', ['node', 'durationMs']),
  partition: faultOf('network', ['a', 'b', 'durationMs']),
  isolate: faultOf('network', ['node', 'durationMs']),
  hold: faultOf('network', ['a', 'b', 'durationMs']),
  reset: faultOf('network', ['a', 'b']),
  latency: faultOf('network', ['latencyMs', 'durationMs']),
  slowNetwork: faultOf('network', ['bytesPerSecond', 'durationMs']),
  clockJump: faultOf('clock', ['node', 'jumpMs']),
  /** The operation fails on this node for the duration. */
  diskFault: faultOf('disk', ['node', 'operation', 'errno', 'durationMs']),
  diskFull: faultOf('disk', ['node', 'durationMs']),
  editMaster: faultOf('edits', ['path', 'contentSeed', 'size']),
  deleteMasterFile: faultOf('edits', ['path']),
  editWorker: faultOf('edits', ['node', 'path', 'contentSeed', 'size']),
  deleteWorkerFile: faultOf('edits', ['node', 'path']),
  addExtraFile: faultOf('edits', ['node', 'path', 'contentSeed', 'size']),
  chmod: faultOf('edits', ['node', 'path', 'mode']),
  replaceWithDirectory: faultOf('edits', ['node', 'path']),
  symlink: faultOf('edits', ['node', 'path', 'target']),
  /** An operator asks this node. */
  enrolAgent: faultOf('agents', ['node']),
  removeAgent: faultOf('agents', ['node', 'agent']),
  assignGroup: faultOf('agents', ['agent', 'group']),
  unassignGroup: faultOf('agents', ['agent', 'group']),
  replaceGroups: faultOf('agents', ['agent', 'groups']),
  createGroup: faultOf('agents', ['group']),
  deleteGroup: faultOf('agents', ['group']),
  /** Starts up at a node, and sends keep-alives for the duration; then it is silent. */
  agentConnects: faultOf('agents', ['node', 'agent', 'durationMs']),
  /** Goes from a to b, which notices at once; a notices after the duration that its connection is lost. */
  agentMoves: faultOf('agents', ['a', 'b', 'agent', 'durationMs']),
  /** Is connected to two nodes at once. */
  agentTwice: faultOf('agents', ['a', 'b', 'agent', 'durationMs']),
  agentShutsDown: faultOf('agents', ['node', 'agent']),
  agentLost: faultOf('agents', ['node', 'agent']),
  /** The thread that agents report to is gone, and its sockets with it; the node goes on. */
  listenerDies: faultOf('agents', ['node']),
  /** Something else holds the agents' table of the node. */
  tableLocked: faultOf('agents', ['node', 'durationMs']),
  /** The agents' table of a worker turns out to be damaged, and is recreated. */
  workerTableDamaged: faultOf('agents', ['node']),
  /** client.keys on the master as it may be seen while it is saved; after a moment it is as it was. */
  keysFlicker: faultOf('agents', ['damage', 'durationMs']),
  /** An operator says it of a node. */
  drainNode: faultOf('operators', ['by', 'node']),
  readyNode: faultOf('operators', ['by', 'node']),
  removeNode: faultOf('operators', ['by', 'node']),
  /** The node's files hold a certificate that ends, and one that does not after the duration. Without certificates: nothing. */
  certificateEnds: faultOf('certificates', ['node', 'validMs', 'durationMs']),
  /** The load balancer is gone, with all connections; back after the duration, without its servers. Without one these are nothing. */
  balancerDown: faultOf('balancer', ['durationMs']),
  /** It goes on with agents, and does not answer the master. */
  balancerUnreachable: faultOf('balancer', ['durationMs']),
  balancerSlow: faultOf('balancer', ['latencyMs', 'durationMs']),
  /** The next change is refused, as for a version that somebody else has changed. */
  balancerConflict: faultOf('balancer', []),
  /** The next change is made, and the answer is lost. */
  balancerUnanswered: faultOf('balancer', []),
  /** It is restarted, and begins with the servers that it had, all in this state. */
  balancerRestarts: faultOf('balancer', ['serverState']),
  /** Somebody sets the state of a server by hand. */
  serverSet: faultOf('balancer', ['node', 'serverState']),
  /** wazuh-db of a real manager is not there; these are nothing where there is no manager. */
  wazuhDbDown: faultOf('manager', ['node', 'durationMs']),
  /** kill -9: it loses what it answered in up to a minute; started again after the duration. */
  wazuhDbKilled: faultOf('manager', ['node', 'durationMs']),
  wazuhDbSlow: faultOf('manager', ['node', 'latencyMs', 'durationMs']),
  /** It does what it is asked, and answers nothing. */
  wazuhDbSilent: faultOf('manager', ['node', 'durationMs']),
  /** It refuses this many requests. */
  wazuhDbErrors: faultOf('manager', ['node', 'requests']),
  /** All of its daemons are restarted: nobody is connected to a wazuh-remoted that begins. */
  managerRestarts: faultOf('manager', ['node']),
} as const

export type FaultKind = keyof typeof faultTable
export type Fault = {
  [K in FaultKind]: { readonly atMs: number; readonly kind: K } & Pick<FaultFields, (typeof faultTable)[K]['fields'][number]>
}[FaultKind]

/** Those of a class. */
export type FaultOf<C extends FaultClass> = Extract<
  Fault,
  { readonly kind: { [K in FaultKind]: (typeof faultTable)[K]['of'] extends C ? K : never }[FaultKind] }
>

/** In order of time. */
export type FaultPlan = readonly Fault[]

export const faultKinds = Object.keys(faultTable).filter((name): name is FaultKind => Object.hasOwn(faultTable, name))

export const fieldsOf = (kind: FaultKind): readonly (keyof FaultFields)[] => faultTable[kind].fields

export const isFaultKind = (text: unknown): text is FaultKind => typeof text === 'string' && Object.hasOwn(faultTable, text)

/** The kinds of `all`, `none`, or some classes or kinds with commas between: `network,crash` or `edits,kill`. A class goes before a kind. */
export const parseFaultKinds = (text: string): Result<readonly FaultKind[]> => {
  if (text === 'none') return ok([])
  const wanted = new Set<FaultKind>()
  for (const part of text.split(',')) {
    const ofClass = faultKinds.filter((kind) => part === 'all' || faultTable[kind].of === part)
    const kinds = ofClass.length === 0 && isFaultKind(part) ? [part] : ofClass
    if (kinds.length === 0)
      return refuse('configInvalid', {
        message: `There are no faults called '${part}': allowed are all, none, ${faultClasses.join(', ')}, and the kinds ${faultKinds.join(', ')}.`,
      })
    for (const kind of kinds) wanted.add(kind)
  }
  return ok(faultKinds.filter((kind) => wanted.has(kind)))
}

// ------------------------------------------------------------------------------------------------------------ fields

interface FieldRule {
  readonly says: string
  readonly allows: (value: unknown) => boolean
}

const wholeNumber = (min: number, max: number): FieldRule => ({
  says: `a whole number from ${min} to ${max}`,
  allows: (value) => typeof value === 'number' && Number.isInteger(value) && value >= min && value <= max,
})

const oneOf = (choices: readonly string[]): FieldRule => ({
  says: `one of ${choices.join(', ')}`,
  allows: (value) => typeof value === 'string' && choices.includes(value),
})

const nodeName: FieldRule = {
  says: "a node's name",
  allows: (value) => typeof value === 'string' && value.length > 0 && value.length <= limits.nodeNameCharsMax,
}

const isRelativePath = (value: unknown): boolean =>
  typeof value === 'string' &&
  Buffer.byteLength(value) <= limits.pathBytesMax &&
  !value.includes('\0') &&
  value.split('/').every((part) => part !== '' && part !== '.' && part !== '..')

const anyText: FieldRule = {
  says: 'a text without NUL',
  allows: (value) => typeof value === 'string' && value !== '' && !value.includes('\0'),
}

const day = 24 * 3_600_000

export const fieldRules: { readonly [F in keyof FaultFields | 'atMs']: FieldRule } = {
  atMs: wholeNumber(0, 366 * day),
  node: nodeName,
  by: nodeName,
  a: nodeName,
  b: nodeName,
  durationMs: wholeNumber(0, limits.timerMsMax),
  latencyMs: wholeNumber(0, 600_000),
  bytesPerSecond: wholeNumber(1, 2 ** 40),
  jumpMs: wholeNumber(-366 * day, 366 * day),
  operation: oneOf(diskOperations),
  errno: oneOf(diskErrnos),
  path: { says: 'a path below the home, without . and ..', allows: isRelativePath },
  target: anyText,
  contentSeed: wholeNumber(0, 2 ** 32 - 1),
  size: wholeNumber(0, 2 ** 32),
  mode: wholeNumber(0, 0o7777),
  agent: wholeNumber(0, limits.agentsMax),
  group: anyText,
  groups: anyText,
  damage: oneOf(keysDamages),
  validMs: wholeNumber(0, 366 * day),
  serverState: oneOf(serverStates),
  requests: wholeNumber(0, 1_000),
}

// -------------------------------------------------------------------------------------------------------------- text

const valuesOf = (fault: Fault): Readonly<Record<string, unknown>> => ({ ...fault })

/**
 * One line of JSON, each fault as an array of its values: `[[1500,"crash","w1",3000]]`. It has no apostrophe in it, so that it can stand
 * between two of them on any command line.
 */
export const renderPlan = (plan: FaultPlan): string => {
  const rows = plan.map((fault) => [fault.atMs, fault.kind, ...fieldsOf(fault.kind).map((field) => valuesOf(fault)[field])])
  return JSON.stringify(rows).replaceAll("'", '\\u0027')
}

/** Refuses with one sentence that names the fault, the field, the value and what is allowed. */
export const parsePlan = (text: string): Result<FaultPlan> => {
  let rows: unknown
  try {
    rows = JSON.parse(text)
  } catch (cause) {
    return refuse('configInvalid', {
      message: `The fault plan is not JSON: ${cause instanceof Error ? cause.message : String(cause)}.`,
      cause,
    })
  }
  if (!Array.isArray(rows)) return refuse('configInvalid', { message: 'The fault plan is not a list of faults.' })
  const plan: Fault[] = []
  for (const [index, row] of rows.entries()) {
    const fault = parseFault(row)
    if (!fault.ok) return refuse('configInvalid', { message: `Fault ${index + 1} of the plan: ${fault.error.message}` })
    plan.push(fault.value)
  }
  return ok(inOrder(plan))
}

export const inOrder = (plan: FaultPlan): FaultPlan => [...plan].sort((x, y) => x.atMs - y.atMs)

const parseFault = (row: unknown): Result<Fault> => {
  if (!Array.isArray(row)) return refuse('configInvalid', { message: 'it is not a list such as [1500, "crash", "w1", 3000].' })
  const [atMs, kind, ...values]: readonly unknown[] = row
  if (!isFaultKind(kind))
    return refuse('configInvalid', { message: `${shown(kind)} is not a kind of fault; allowed are ${faultKinds.join(', ')}.` })
  const fields = fieldsOf(kind)
  if (values.length !== fields.length)
    return refuse('configInvalid', { message: `'${kind}' takes ${fields.length} values (${fields.join(', ')}), not ${values.length}.` })
  const fault: Record<string, unknown> = { atMs, kind }
  fields.forEach((field, index) => {
    fault[field] = values[index]
  })
  for (const field of ['atMs' as const, ...fields])
    if (!fieldRules[field].allows(fault[field]))
      return refuse('configInvalid', {
        message: `'${field}' of '${kind}' is ${shown(fault[field])}; allowed is ${fieldRules[field].says}.`,
      })
  return isFault(fault) ? ok(fault) : refuse('configInvalid', { message: 'it is not a fault.' })
}

const shown = (value: unknown): string => (value === undefined ? 'missing' : JSON.stringify(value))

/** Has exactly the fields that its kind needs, each with an allowed value. */
export const isFault = (value: Readonly<Record<string, unknown>>): value is Readonly<Record<string, unknown>> & Fault => {
  const { kind } = value
  return isFaultKind(kind) && ['atMs' as const, ...fieldsOf(kind)].every((field) => fieldRules[field].allows(value[field]))
}
