/** The groups of agents as they travel: JSON rows `[id, "group,group"]`, in order of the IDs. */
import Type from 'typebox'
import { Compile } from 'typebox/compile'
import { bufferOver } from '../../base/bytes.js'
import { ok, type Result, refuse } from '../../base/errors.js'
import { limits } from '../../base/limits.js'
import { type GroupsRow, isGroupName } from '../../domain/agents/groups.js'

const rowsShape = Compile(
  Type.Array(Type.Tuple([Type.Integer({ minimum: 1, maximum: limits.agentIdMax }), Type.String()]), {
    maxItems: limits.groupsPageRowsMax,
  }),
)

export const encodeGroupsRows = (rows: readonly GroupsRow[]): Uint8Array =>
  Buffer.from(JSON.stringify(rows.map(({ groups, id }) => [id, groups.join(',')])))

/** Refuses with `malformed`. */
export const decodeGroupsRows = (bytes: Uint8Array): Result<GroupsRow[]> => {
  let value: unknown
  try {
    value = JSON.parse(bufferOver(bytes).toString())
  } catch {
    return refuse('malformed', { message: 'A page of groups is not JSON' })
  }
  if (!rowsShape.Check(value)) return refuse('malformed', { message: 'A page of groups has a wrong shape' })
  const rows = value.map(([id, groups]) => ({ id, groups: groups === '' ? [] : groups.split(',') }))
  if (rows.some(({ id }, index) => id <= (rows[index - 1]?.id ?? 0)))
    return refuse('malformed', { message: 'A page of groups is not in order' })
  const isRight = rows.every(({ groups }) => groups.length <= limits.groupsPerAgentMax && groups.every(isGroupName))
  return isRight ? ok(rows) : refuse('malformed', { message: 'A page of groups has an invalid group name' })
}
