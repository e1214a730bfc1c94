/** `get_health` of Wazuh's local clients: which nodes are asked for, and what cluster_control and the API print of them. */
import Type from 'typebox'
import { ok, type Result } from '../../base/errors.js'
import { parsedJson } from '../../base/json/parsedJson.js'
import { momentText } from '../../base/momentText.js'
import { shapeOf } from '../../base/shapeOf.js'
import type { NodeHealth, SpanView } from '../../domain/queries/clusterAnswer.js'
import { namesOf } from './nodesRequest.js'

const shape = shapeOf(Type.Union([Type.Null(), Type.String(), Type.Array(Type.String())]), 64)

/** The names; undefined is all of them. Refuses with `malformed`. */
export const parseHealthRequest = (json: Uint8Array): Result<ReadonlySet<string> | undefined> => {
  if (json.byteLength === 0) return ok(undefined)
  const parsed = parsedJson(json, shape, 'The question for health')
  return parsed.ok ? ok(namesOf(parsed.value ?? [])) : parsed
}

const onMaster = (span: SpanView | undefined) => ({
  date_start_master: momentText(span?.startMs),
  date_end_master: momentText(span?.endMs),
})

type Chunked = NonNullable<NonNullable<NodeHealth['worker']>['agentGroups']>

const groups = (span: Chunked | undefined) => ({
  date_start: momentText(span?.startMs),
  date_end: momentText(span?.endMs),
  n_synced_chunks: span?.chunks ?? 0,
})

const statusOf = (worker: NonNullable<NodeHealth['worker']>) => {
  const { extra, missing, shared } = worker.integritySync ?? { extra: 0, missing: 0, shared: 0 }
  return {
    sync_integrity_free: worker.integrityFree,
    last_check_integrity: onMaster(worker.integrityCheck),
    last_sync_integrity: {
      ...onMaster(worker.integritySync),
      total_extra_valid: 0,
      total_files: { missing, shared, extra, extra_valid: 0 },
    },
    sync_agent_info_free: worker.agentInfoFree ?? true,
    last_sync_agentinfo: { ...onMaster(worker.agentInfo), n_synced_chunks: worker.agentInfo?.chunks ?? 0 },
    last_sync_agentgroup: groups(worker.agentGroups),
    last_sync_full_agentgroup: groups(worker.agentGroupsFull),
    last_keep_alive: momentText(worker.lastKeepAliveMs),
  }
}

/** A master has no status. */
export const healthJson = (nodes: Iterable<NodeHealth>, names: ReadonlySet<string> | undefined): string => {
  const shown: [string, object][] = []
  let workers = 0
  for (const { activeAgents, address, name, type, version, worker } of nodes) {
    if (names && !names.has(name)) continue
    if (type === 'worker') workers += 1
    const info = { name, type, version, ip: address, n_active_agents: activeAgents }
    shown.push([name, { info, ...(worker && { status: statusOf(worker) }) }])
  }
  return JSON.stringify({ n_connected_nodes: workers, nodes: Object.fromEntries(shown) })
}
