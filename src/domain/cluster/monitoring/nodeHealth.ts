/**
 * Whether a node does its work, and whether its cluster is well: from its figures alone. A node is ready by what it can say of itself; a master's
 * workers are the cluster's matter. Whether a process should be restarted does not depend on any of this.
 */
import { counted } from '../../../base/counted.js'
import { daysLeft, expiryStage } from '../../certificates/expiry.js'
import { clockSkewWarningMs } from '../heartbeat.js'
import type { CertificateFigures, NodeFigures, WorkerFigures } from '../nodeFigures.js'

/** From good to bad; the position is the exit code of cluster_control --check. */
export const severities = ['ok', 'warning', 'critical'] as const
export type Severity = (typeof severities)[number]

export interface Finding {
  /** What was checked. */
  readonly check: string
  readonly severity: Severity
  /** A sentence without its full stop. */
  readonly says: string
}

export interface Checked {
  readonly node: string
  readonly findings: readonly Finding[]
  /** What monitoring systems draw. */
  readonly counts: Readonly<Record<string, number>>
}

/** A worker that was not in sync for as many intervals as this, and for as long, is behind. */
const syncIntervalsMax = 10
const behindMsMin = 60_000
/** Names and sentences of a finding beyond these are only counted. */
const namedMax = 3

const severityRank = (severity: Severity): number => severities.indexOf(severity)

export const worstOf = (findings: readonly Finding[]): Severity =>
  findings.reduce<Severity>((worst, { severity }) => (severityRank(severity) > severityRank(worst) ? severity : worst), 'ok')

/** The worst first, otherwise in their order. */
export const worstFirst = <F extends Finding>(findings: readonly F[]): readonly F[] =>
  [...findings].sort((a, b) => severityRank(b.severity) - severityRank(a.severity))

export const behindMsMax = ({ syncIntervalMs }: Pick<NodeFigures, 'syncIntervalMs'>): number =>
  Math.max(behindMsMin, syncIntervalsMax * syncIntervalMs)

const finding = (check: string, severity: Severity, says: string): Finding => ({ check, severity, says })

const secondsText = (ms: number): string => `${Math.round(ms / 1_000)} s`

/** What a node says of itself. */
export const ownFindings = (figures: NodeFigures): readonly Finding[] => [
  ...(figures.type === 'master' ? [listening(figures)] : [connected(figures), synced(figures)]),
  figures.hasScanned
    ? finding('scan', 'ok', `${counted(figures.syncedFiles, 'file')} to keep the same`)
    : finding('scan', 'critical', 'The synced files have not been scanned yet'),
  ...(figures.diskFull ? [finding('disk', 'critical', 'The disk is full: files of the master could not be written')] : []),
  ...figures.certificates.flatMap((certificate) => certificateFinding(certificate, figures.nowMs)),
  ...(figures.usesPreviousKey ? [finding('key', 'warning', 'The previous cluster key is in use')] : []),
]

/** Does the node do its work? */
export const isReady = (findings: readonly Finding[]): boolean => worstOf(findings) !== 'critical'

const listening = ({ isListening }: NodeFigures): Finding =>
  isListening ? finding('listening', 'ok', 'It takes workers in') : finding('listening', 'critical', 'It does not take workers in yet')

const connected = ({ master, nowMs }: NodeFigures): Finding => {
  if (master?.isConnected) return finding('master', 'ok', `Connected to the master for ${secondsText(nowMs - master.sinceMs)}`)
  return finding('master', 'critical', `Not connected to the master${master?.error === undefined ? '' : `: ${master.error}`}`)
}

const synced = (figures: NodeFigures): Finding => {
  const { inSyncMs, nowMs } = figures
  if (inSyncMs === undefined) return finding('sync', 'critical', 'Its files have not been those of the master since it started')
  const agoMs = nowMs - inSyncMs
  if (agoMs <= behindMsMax(figures)) return finding('sync', 'ok', 'In sync with the master')
  return finding('sync', 'critical', `Its files were those of the master ${secondsText(agoMs)} ago, and are not seen to be since`)
}

/** Of authorities one may have been replaced, and without the API a node does its work: only its own certificate must not have ended. */
const certificateFinding = ({ endsMs, kind, name }: CertificateFigures, nowMs: number): readonly Finding[] => {
  const whose = `The certificate ${kind === 'ca' ? 'of the authority ' : kind === 'api' ? 'of the API ' : ''}'${name}'`
  const stage = expiryStage(endsMs, nowMs)
  if (stage === undefined) return []
  if (stage === 0) return [finding('certificate', kind === 'node' ? 'critical' : 'warning', `${whose} has expired`)]
  return [finding('certificate', 'warning', `${whose} expires in ${counted(daysLeft(endsMs, nowMs), 'day')}`)]
}

/** What a master says of its workers; nothing on a worker. Removed ones are not missed. */
export const clusterFindings = (figures: NodeFigures): readonly Finding[] => {
  if (figures.type !== 'master') return []
  const workers = figures.workers.filter(({ state }) => state !== 'removed')
  const present = workers.filter(({ isConnected }) => isConnected)
  const away = workers.filter(({ isConnected }) => !isConnected)
  const stopped = away.filter(({ leftFor }) => leftFor?.code === 'peerStopping')
  const lost = away.filter(({ leftFor }) => leftFor?.code !== 'peerStopping')
  const behind = present.filter((worker) => isBehind(worker, figures))
  const failing = present.filter(({ filesFailed }) => filesFailed > 0)
  const skewed = present.filter(({ clockSkewMs = 0 }) => Math.abs(clockSkewMs) > clockSkewWarningMs)
  return [
    finding('workers', 'ok', `${present.length} of ${counted(workers.length, 'worker')} connected`),
    ...aboutThem(lost, 'workers', 'critical', ({ leftFor, name }) => `worker ${name} is lost: ${leftFor?.message ?? 'unknown'}`),
    ...aboutThem(stopped, 'workers', 'warning', ({ name }) => `worker ${name} was stopped`),
    ...aboutThem(behind, 'sync', 'critical', ({ name }) => `worker ${name} is not in sync`),
    ...aboutThem(failing, 'files', 'warning', ({ filesFailed, name }) => `worker ${name} cannot sync ${counted(filesFailed, 'file')}`),
    ...aboutThem(
      skewed,
      'clock',
      'warning',
      ({ clockSkewMs = 0, name }) => `the clock of worker ${name} is ${secondsText(Math.abs(clockSkewMs))} off`,
    ),
  ]
}

/** Files that cannot be synced are said by their own finding. */
const isBehind = ({ filesFailed, inSync, inSyncMs, sinceMs }: WorkerFigures, figures: NodeFigures): boolean =>
  !inSync && filesFailed === 0 && figures.nowMs - Math.max(inSyncMs ?? 0, sinceMs) > behindMsMax(figures)

const aboutThem = (
  workers: readonly WorkerFigures[],
  check: string,
  severity: Severity,
  says: (worker: WorkerFigures) => string,
): readonly Finding[] => {
  if (workers.length === 0) return []
  const named = workers.slice(0, namedMax).map(says)
  const more = workers.length > namedMax ? [`and ${workers.length - namedMax} more`] : []
  return [finding(check, severity, [...named, ...more].join('; '))]
}

/** All that a node finds, and the numbers that monitoring systems draw. */
export const checkedNode = (figures: NodeFigures): Checked => {
  const { agents, node, syncedFiles, workers } = figures
  const known = workers.filter(({ state }) => state !== 'removed')
  const sum = (of: (worker: WorkerFigures) => number): number => known.reduce((total, worker) => total + of(worker), 0)
  const active = agents.reduce((total, { count, status }) => total + (status === 'active' ? count : 0), 0)
  const ofMaster = figures.type === 'master' && {
    workers_known: known.length,
    workers_connected: sum(({ isConnected }) => (isConnected ? 1 : 0)),
    files_pending: sum(({ filesPending, isConnected }) => (isConnected ? filesPending : 0)),
    files_failed: sum(({ filesFailed, isConnected }) => (isConnected ? filesFailed : 0)),
  }
  return {
    node,
    findings: [...ownFindings(figures), ...clusterFindings(figures)],
    counts: { ...ofMaster, files: syncedFiles, agents_active: active },
  }
}

/** What the HTTP service answers to who asks whether the node is ready; why not, to those who may know. */
export const readinessAnswer = (
  figures: NodeFigures,
  withDetails: boolean,
): {
  readonly code: 200 | 503
  readonly body: { readonly status: 'ok' | 'degraded'; readonly checks?: Readonly<Record<string, string>> }
} => {
  const findings = ownFindings(figures)
  const status = isReady(findings) ? 'ok' : 'degraded'
  // Of several findings of one kind the worst one counts.
  const checks = Object.fromEntries([...worstFirst(findings)].reverse().map(({ check, says }) => [check, says]))
  return { code: status === 'ok' ? 200 : 503, body: { status, ...(withDetails && { checks }) } }
}
