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

/** Fails on a worker, and when there is no such group: neither a directory nor agents that have it. */
export const assertThere = async (group: string, ask: Ask): Promise<void> => {
  for await (const line of ask({ kind: 'agents', group, tool })) if (line.kind === 'agentsShape') return
}

/** Fails as the removal of the group would. */
export const assertRemovable = async (group: string, ask: Ask): Promise<void> => {
  await assertThere(group, ask)
  if (group === defaultGroup) throw invalid(`The group '${group}' cannot be removed`)
}

/** Whether it makes no difference to an agent with these groups. */
export const changesNothing = (groups: readonly string[], change: GroupsChange): boolean =>
  changedGroups(groups, change).join() === groups.join()

const isMissing = (group: string, thrown: unknown): boolean =>
  isGroupName(group) && thrown instanceof ClusterError && thrown.code === 'groupInvalid'
