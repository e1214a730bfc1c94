/** Whether a change of groups is possible, as far as it can be told before it is made: who is asked about it is not asked in vain. */
import { changedGroups, defaultGroup, type GroupsChange, isGroupName } from '../domain/agentGroups.js'
import { mergedName } from '../domain/mergedFile.js'
import { ClusterError } from '../errors.js'
import type { Conversation } from './controlProgram.js'

type Ask = Conversation['ask']

const tool = 'agent_groups'

const invalid = (message: string): ClusterError => new ClusterError('groupInvalid', { message })

/** Fails as the creation of the group would. */
export const assertCreatable = async (group: string, ask: Ask): Promise<void> => {
  try {
    let isThere = false
    // With no other file it is a creation that was interrupted, and can be made again.
    for await (const line of ask({ kind: 'groupFiles', group, tool }))
      if (line.kind === 'groupFiles') isThere ||= line.files.some(({ name }) => name !== mergedName)
    if (!isThere) return
  } catch (thrown) {
    if (isMissing(group, thrown)) return
    throw thrown
  }
  throw invalid(`The group '${group}' already exists.`)
}

/** Fails when there is no such group. */
export const assertThere = async (group: string, ask: Ask): Promise<void> => {
  await agentsIn(group, ask, { tool })
}

/** Fails as the removal of the group would. One without a directory can be removed as long as agents have it. */
export const assertRemovable = async (group: string, ask: Ask): Promise<void> => {
  try {
    await assertThere(group, ask)
  } catch (thrown) {
    if (!isMissing(group, thrown) || (await agentsIn(group, ask, {})) === 0) throw thrown
  }
  if (group === defaultGroup) throw invalid(`The group '${group}' cannot be removed`)
}

/** Whether it makes no difference to an agent with these groups. */
export const changesNothing = (groups: readonly string[], change: GroupsChange): boolean =>
  changedGroups(groups, change).join() === groups.join()

const isMissing = (group: string, thrown: unknown): boolean =>
  isGroupName(group) && thrown instanceof ClusterError && thrown.code === 'groupInvalid'

/** How many they are. With the tool's name it fails on a worker, and when the group has no directory. */
const agentsIn = async (group: string, ask: Ask, asker: { readonly tool?: typeof tool }): Promise<number> => {
  for await (const line of ask({ kind: 'agents', group, ...asker })) if (line.kind === 'agentsShape') return line.shape.count
  return 0
}
