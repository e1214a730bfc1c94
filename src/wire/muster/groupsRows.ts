/** The groups of agents as they travel: JSON rows `[id, "group,group"]`, in order of the IDs. */
import { Type } from 'typebox'
import { ok, type Result, refuse } from '../../base/errors.js'
import { parsedJson } from '../../base/json/parsedJson.js'
import { limits } from '../../base/limits.js'
import { shapeOf } from '../../base/shapeOf.js'
import { type GroupsRow, isGroupName } from '../../domain/agents/groups.js'

const rowsShape = shapeOf(
  Type.Array(Type.Tuple([Type.Integer({ minimum: 1, maximum: limits.agentIdMax }), Type.String()]), {
    maxItems: limits.groupsPageRowsMax,
  }),
)

export const encodeGroupsRows = (rows: readonly GroupsRow[]): Uint8Array =>
  Buffer.from(JSON.stringify(rows.map(({ groups, id }) => [id, groups.join(',')])))

/** Refuses with `malformed`. */
export const decodeGroupsRows = (bytes: Uint8Array): Result<GroupsRow[]> => {
  const page = parsedJson(bytes, rowsShape, 'A page of groups')
  if (!page.ok) return page
  const rows = page.value.map(([id, groups]) => ({ id, groups: groups === '' ? [] : groups.split(',') }))
  if (rows.some(({ id }, index) => id <= (rows[index - 1]?.id ?? 0)))
    return refuse('malformed', { message: 'A page of groups is not in order' })
  const isRight = rows.every(({ groups }) => groups.length <= limits.groupsPerAgentMax && groups.every(isGroupName))
  return isRight ? ok(rows) : refuse('malformed', { message: 'A page of groups has an invalid group name' })
}
