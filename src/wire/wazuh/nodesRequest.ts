/**
 * `get_nodes` of Wazuh's local clients: which nodes are asked for, and the JSON of the list. The order of the fields is the order of the
 * columns that cluster_control prints.
 */
import { type TSchema, Type } from 'typebox'
import { ok, type Result, refuse } from '../../base/errors.js'
import { parsedJson } from '../../base/json/parsedJson.js'
import { shapeOf } from '../../base/shapeOf.js'
import { ListPager } from '../../domain/api/listPager.js'
import type { Item, ListRequest } from '../../domain/api/listRequest.js'
import type { NodeView } from '../../domain/queries/clusterAnswer.js'

const texts = Type.Array(Type.String())
/** Clients of several versions leave fields out, or say null. */
const optional = <S extends TSchema>(schema: S) => Type.Optional(Type.Union([schema, Type.Null()]))
const shape = shapeOf(
  Type.Object({
    filter_node: optional(Type.Union([Type.String(), texts])),
    filter_type: optional(Type.Enum(['all', 'worker', 'master'])),
    offset: optional(Type.Integer({ minimum: 0 })),
    limit: optional(Type.Integer({ minimum: 1 })),
    sort: optional(Type.Object({ fields: optional(texts), order: optional(Type.Enum(['asc', 'desc'])) })),
    search: optional(Type.Object({ value: Type.String(), negation: optional(Type.Union([Type.Boolean(), Type.Integer()])) })),
    select: optional(Type.Union([texts, Type.Object({ fields: texts })])),
    distinct: optional(Type.Boolean()),
  }),
  64,
)

export interface NodesRequest {
  /** Undefined: of any name. */
  readonly names: ReadonlySet<string> | undefined
  readonly type: 'all' | 'worker' | 'master'
  readonly list: ListRequest
}

const fieldNames = ['name', 'type', 'version', 'ip']

/** Refuses with `malformed` and `argumentsInvalid`. */
export const parseNodesRequest = (json: Uint8Array): Result<NodesRequest> => {
  const parsed = parsedJson(json, shape, 'The question for nodes')
  if (!parsed.ok) return parsed
  const { distinct, filter_node: names, filter_type: type, limit, offset, search, select, sort } = parsed.value
  const shown = Array.isArray(select) ? select : select?.fields
  const sorted = sort?.fields ?? (sort ? ['name'] : undefined)
  for (const field of [...(shown ?? []), ...(sorted ?? [])])
    if (!fieldNames.includes(field))
      return refuse('argumentsInvalid', { message: `Nodes have no field '${field}': the fields are ${fieldNames.join(', ')}` })
  return ok({
    names: namesOf(names ?? []),
    type: type ?? 'all',
    list: {
      offset: offset ?? 0,
      limit: limit ?? Number.MAX_SAFE_INTEGER,
      select: shown,
      sort: sorted && { fields: sorted, isDescending: sort?.order === 'desc' },
      search: search ? { text: search.value.toLowerCase(), isNegated: Boolean(search.negation) } : undefined,
      query: undefined,
      isDistinct: distinct ?? false,
    },
  })
}

/** No names are all names: cluster_control sends an empty list for `-fn` alone. */
export const namesOf = (names: string | readonly string[]): ReadonlySet<string> | undefined => {
  const all = typeof names === 'string' ? [names] : names
  return all.length === 0 ? undefined : new Set(all)
}

export const nodesJson = (nodes: Iterable<NodeView>, { list, names, type: wanted }: NodesRequest): string => {
  const pager = new ListPager(list)
  const items: Item[] = []
  for (const { address, name, type, version } of nodes) {
    if (names && !names.has(name)) continue
    if (wanted !== 'all' && wanted !== type) continue
    const item = pager.next({ name, type, version, ip: address })
    if (item) items.push(item)
  }
  items.push(...pager.rest())
  return JSON.stringify({ items, totalItems: pager.total })
}
