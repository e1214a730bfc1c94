/** `get_health` of Wazuh's local clients: which nodes are asked for, and what cluster_control and the API print of them. */
import { Type } from 'typebox'
import { ok, type Result } from '../../base/errors.js'
import { parsedJson } from '../../base/json/parsedJson.js'
import { shapeOf } from '../../base/shapeOf.js'
import { healthItem } from '../../domain/api/clusterItems.js'
import type { NodeHealth } from '../../domain/queries/clusterAnswer.js'
import { namesOf } from './nodesRequest.js'

const shape = shapeOf(Type.Union([Type.Null(), Type.String(), Type.Array(Type.String())]), 64)

/** The names; undefined is all of them. Refuses with `malformed`. */
export const parseHealthRequest = (json: Uint8Array): Result<ReadonlySet<string> | undefined> => {
  if (json.byteLength === 0) return ok(undefined)
  const parsed = parsedJson(json, shape, 'The question for health')
  return parsed.ok ? ok(namesOf(parsed.value ?? [])) : parsed
}

export const healthJson = (nodes: Iterable<NodeHealth>, names: ReadonlySet<string> | undefined): string => {
  const shown = [...nodes].filter(({ name }) => !names || names.has(name))
  const workers = shown.filter(({ type }) => type === 'worker').length
  return JSON.stringify({ n_connected_nodes: workers, nodes: Object.fromEntries(shown.map((node) => [node.name, healthItem(node)])) })
}
