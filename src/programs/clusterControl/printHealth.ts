/** `cluster_control -i` and `-i more`: what each node last did, to the letter as Wazuh prints it. */

import { escapeText, safeJson } from '../../base/escapeText.js'
import { momentText } from '../../base/momentText.js'
import type { AnswerLine } from '../../domain/queries/answerLine.js'
import type { NodeHealth } from '../../domain/queries/clusterAnswer.js'
import { type AbsentNode, masterFirst } from '../kit/answers.js'
import { secondsText, spanText } from '../kit/moment.js'

type WorkerHealth = NonNullable<NodeHealth['worker']>

interface Health {
  readonly cluster: string
  readonly nodes: readonly NodeHealth[]
  /** The reference counts the workers only. */
  readonly connected: number
  /** Drained and removed ones that are not connected. */
  readonly absent: readonly AbsentNode[]
}

/** Smaller skews are not worth an operator's time (the daemon warns from here on too). */
const clockSkewShownMs = 5_000

const noWorker: WorkerHealth = { integrityFree: true }

const healthOf = async (answer: AsyncIterable<AnswerLine>): Promise<Health> => {
  let cluster = ''
  const nodes: NodeHealth[] = []
  const absent: AbsentNode[] = []
  for await (const line of answer) {
    if (line.kind === 'cluster') cluster = line.name
    if (line.kind === 'health') nodes.push(line.node)
    if (line.kind === 'absent') absent.push({ name: line.node, state: line.state })
  }
  return { cluster, nodes: nodes.sort(masterFirst), connected: nodes.filter(({ type }) => type === 'worker').length, absent }
}

const title = ({ name, address }: NodeHealth): string => `    ${escapeText(name)} (${escapeText(address)})`

const lastTimes = (node: NodeHealth): string => {
  const worker = node.worker ?? noWorker
  const times = [
    `Integrity check: ${momentText(worker.integrityCheck?.endMs)}`,
    `Integrity sync: ${momentText(worker.integritySync?.endMs)}`,
    `Agents-info: ${momentText(worker.agentInfo?.endMs)}`,
    `Agent-groups: ${momentText(worker.agentGroups?.endMs)}`,
    `Agent-groups full: ${momentText(worker.agentGroupsFull?.endMs)}`,
    `Last keep alive: ${momentText(worker.lastKeepAliveMs)}`,
  ]
  return `${title(node)}: ${times.join(' | ')}.\n`
}

export async function* printHealth(answer: AsyncIterable<AnswerLine>): AsyncGenerator<string, void, undefined> {
  const { cluster, nodes, connected } = await healthOf(answer)
  yield `Cluster name: ${escapeText(cluster)}\n\nLast completed synchronization for connected nodes (${connected}):\n`
  for (const node of nodes) if (node.type === 'worker') yield lastTimes(node)
  // The reference ends with an empty line here.
  yield '\n'
}

const bool = (value: boolean): string => (value ? 'True' : 'False')

const skewLines = (skewMs: number | undefined): readonly string[] => {
  if (skewMs === undefined || Math.abs(skewMs) <= clockSkewShownMs) return []
  return [`Clock skew: ${secondsText(Math.abs(skewMs))} ${skewMs > 0 ? 'behind' : 'ahead of'} the master.`]
}

const statusLines = (worker: WorkerHealth): readonly string[] => {
  const section = (heading: string, lines: readonly string[]): readonly string[] => [
    `            ${heading}:`,
    ...lines.map((line) => `                ${line}`),
  ]
  const { shared, missing, extra } = worker.integritySync ?? { shared: 0, missing: 0, extra: 0 }
  const chunks = (done: { readonly chunks: number } | undefined): string => `Number of synchronized chunks: ${done?.chunks ?? 0}.`
  return [
    '        Status:',
    ...section('Last keep Alive', [`Last received: ${momentText(worker.lastKeepAliveMs)}.`, ...skewLines(worker.clockSkewMs)]),
    ...section('Integrity check', [
      `Last integrity check: ${spanText(worker.integrityCheck)}.`,
      `Permission to check integrity: ${bool(worker.integrityFree)}.`,
    ]),
    ...section('Integrity sync', [
      `Last integrity synchronization: ${spanText(worker.integritySync)}.`,
      `Synchronized files: Shared: ${shared} | Missing: ${missing} | Extra: ${extra}.`,
    ]),
    ...section('Agents-info', [
      `Last synchronization: ${spanText(worker.agentInfo)}.`,
      chunks(worker.agentInfo),
      `Permission to synchronize agent-info: ${bool(worker.agentInfoFree ?? true)}.`,
    ]),
    ...section('Agents-groups', [`Last synchronization: ${spanText(worker.agentGroups)}.`, chunks(worker.agentGroups)]),
    ...section('Agents-groups full', [`Last synchronization: ${spanText(worker.agentGroupsFull)}.`, chunks(worker.agentGroupsFull)]),
  ]
}

/** What a worker chose by itself, from what it measured. */
const choiceLines = ({ compressed, diskWrites }: WorkerHealth): readonly string[] => [
  ...(compressed === undefined ? [] : [`        Content: ${compressed ? 'compressed' : 'uncompressed'}`]),
  ...(diskWrites === undefined ? [] : [`        Disk writes: ${escapeText(diskWrites)}`]),
]

/** What agents do at this node: those that are connected now, and events and refusals since its listener began. */
const listenerLines = ({ listener }: NodeHealth): readonly string[] =>
  listener
    ? [
        ...(listener.places === undefined ? [] : [`        Agents report to: ${escapeText(listener.places)}`]),
        `        Connected agents: ${listener.connected}`,
        `        Events: ${listener.eventsTaken} taken, ${listener.eventsDropped} dropped`,
        `        Refused messages and connections: ${listener.refused}`,
      ]
    : []

export async function* printHealthMore(answer: AsyncIterable<AnswerLine>): AsyncGenerator<string, void, undefined> {
  const { absent, cluster, nodes, connected } = await healthOf(answer)
  yield `Cluster name: ${escapeText(cluster)}\n\nConnected nodes (${connected}):\n`
  for (const node of nodes) {
    const lines = [
      title(node),
      `        Version: ${escapeText(node.version)}`,
      ...(node.muster === undefined ? [] : [`        Muster version: ${escapeText(node.muster)}`]),
      `        Type: ${node.type}`,
      ...(node.state === undefined || node.state === 'ready' ? [] : [`        State: ${node.state}`]),
      `        Active agents: ${node.activeAgents}`,
      ...listenerLines(node),
      ...(node.worker?.key === undefined ? [] : [`        Cluster key: ${node.worker.key}`]),
      ...(node.worker?.certificateEndsMs === undefined ? [] : [`        Certificate: ends ${momentText(node.worker.certificateEndsMs)}`]),
      ...(node.worker?.integrity === undefined ? [] : [`        Integrity: ${escapeText(node.worker.integrity)}`]),
      ...choiceLines(node.worker ?? noWorker),
      ...(node.type === 'worker' ? statusLines(node.worker ?? noWorker) : []),
    ]
    yield `\n${lines.join('\n')}\n`
  }
  if (absent.length > 0)
    yield `\nNot connected (${absent.length}):\n\n${absent.map(({ name, state }) => `    ${escapeText(name)}: ${state}\n`).join('')}`
  yield '\n'
}

const statusJson = (worker: WorkerHealth): object => {
  const onMaster = (span: WorkerHealth['integrityCheck']) => ({
    date_start_master: momentText(span?.startMs),
    date_end_master: momentText(span?.endMs),
  })
  const groups = (span: WorkerHealth['agentGroups']) => ({
    date_start: momentText(span?.startMs),
    date_end: momentText(span?.endMs),
    n_synced_chunks: span?.chunks ?? 0,
  })
  const { shared, missing, extra } = worker.integritySync ?? { shared: 0, missing: 0, extra: 0 }
  return {
    last_keep_alive: momentText(worker.lastKeepAliveMs),
    clock_skew_seconds: worker.clockSkewMs === undefined ? null : Math.round(worker.clockSkewMs) / 1_000,
    integrity: worker.integrity ?? null,
    content_compressed: worker.compressed ?? null,
    disk_writes: worker.diskWrites ?? null,
    sync_integrity_free: worker.integrityFree,
    last_check_integrity: onMaster(worker.integrityCheck),
    last_sync_integrity: { ...onMaster(worker.integritySync), total_files: { missing, shared, extra } },
    sync_agent_info_free: worker.agentInfoFree ?? true,
    unknown_agent_reports: worker.unknownAgentReports ?? null,
    last_sync_agentinfo: { ...onMaster(worker.agentInfo), n_synced_chunks: worker.agentInfo?.chunks ?? 0 },
    last_sync_agentgroup: groups(worker.agentGroups),
    last_sync_full_agentgroup: groups(worker.agentGroupsFull),
  }
}

const listenerJson = (listener: NodeHealth['listener']): object =>
  listener
    ? {
        listener: {
          connected_agents: listener.connected,
          events_taken: listener.eventsTaken,
          events_dropped: listener.eventsDropped,
          refused: listener.refused,
          places: listener.places,
        },
      }
    : {}

const nodeJson = ({ name, type, version, muster, address, activeAgents, listener, state, worker }: NodeHealth): object => {
  const info = { name, type, version, muster_version: muster, ip: address, state, n_active_agents: activeAgents, ...listenerJson(listener) }
  if (type === 'master') return { info }
  const { certificateEndsMs, key = null } = worker ?? noWorker
  const certificate = certificateEndsMs === undefined ? {} : { certificate_end: momentText(certificateEndsMs) }
  return { info: { ...info, cluster_key: key, ...certificate }, status: statusJson(worker ?? noWorker) }
}

/** The shape of Wazuh's health: `{"cluster", "n_connected_nodes", "nodes": {NAME: {"info", "status"}}, "not_connected"}`; a master has no status. */
export async function* printHealthJson(answer: AsyncIterable<AnswerLine>): AsyncGenerator<string, void, undefined> {
  const { absent, cluster, nodes, connected } = await healthOf(answer)
  const byName = Object.fromEntries(nodes.map((node) => [node.name, nodeJson(node)]))
  const others = absent.length > 0 && { not_connected: absent }
  yield `${safeJson({ cluster, n_connected_nodes: connected, nodes: byName, ...others }, 2)}\n`
}
