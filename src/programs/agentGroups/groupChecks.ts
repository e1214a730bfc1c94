/** Whether a change of groups is possible, as far as that is known before it is made: a question to the operator is then not in vain. */

import { ClusterError, errorTable } from '../../base/errors.js'
import { defaultGroup } from '../../domain/agents/groups.js'
import { mergedName } from '../../domain/agents/mergedFile.js'
import type { Conversation } from '../kit/controlProgram.js'

type Ask = Conversation['ask']

const tool = 'agent_groups'

/** Fails as the creation of the group would. */
export const assertCreatable = async (group: string, ask: Ask): Promise<void> => {
  try {
    let isThere = false
    // With no other file it is a creation that was interrupted, and can be made again.
    for await (const line of ask({ kind: 'groupFiles', group, tool }))
      if (line.kind === 'groupFiles') isThere ||= line.files.some(({ name }) => name !== mergedName)
    if (!isThere) return
  } catch (thrown) {
    if (thrown instanceof ClusterError && thrown.code === 'groupMissing') return
    throw thrown
  }
  throw new ClusterError('groupExists', { message: `${errorTable.groupExists.says}: ${group}` })
}

/** Fails when there is no such group: neither a directory nor agents that have it. */
export const assertThere = async (group: string, ask: Ask): Promise<void> => {
  for await (const line of ask({ kind: 'agents', group, tool })) if (line.kind === 'agentsShape') return
}

/** Fails as the removal of the group would. */
export const assertRemovable = async (group: string, ask: Ask): Promise<void> => {
  await assertThere(group, ask)
  if (group === defaultGroup) throw new ClusterError('groupKept')
}
