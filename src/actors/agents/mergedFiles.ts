/**
 * Merged files: keeps merged.mg of every group, and of every list of groups that some agent has, in line with the groups'
 * files. Once, on the master; the workers get them as they get every synced file.
 */
import { fullStop } from '../../base/fullStop.js'
import type { Clock, Log } from '../../ports/machine.js'
import type { LocalTree } from '../files/localTree.js'
import { changesGatherMs, periodicThread } from '../kit/periodicThread.js'
import { ChangedInputs } from './changedInputs.js'
import { MissingGroups } from './missingGroups.js'
import type { LocalAgents } from './nodeAgents.js'

export interface MergedFilesOptions {
  readonly agents: LocalAgents
  readonly tree: LocalTree
  readonly clock: Pick<Clock, 'monotonicMs'>
  readonly intervalMs: number
  readonly log: Log
}

interface Building {
  readonly missing: MissingGroups
  readonly changed: ChangedInputs
  /** Problems of the build before: the log has them. */
  logged: ReadonlySet<string>
}

export const mergedFiles = ({ agents, clock, intervalMs, log, tree }: MergedFilesOptions) =>
  periodicThread({
    id: 'mergedFiles',
    clock,
    everyMs: intervalMs,
    gatherMs: changesGatherMs,
    begin: (): Building => ({
      missing: new MissingGroups({ agents, clock, intervalMs, log }),
      changed: new ChangedInputs(),
      logged: new Set(),
    }),
    wakes: ({ changed }, wake) => [
      tree.onContent((paths) => {
        if (changed.add(paths)) wake()
      }),
      agents.groups.changes.add(wake),
    ],
    initial: 'building',
    steps: {
      building: async (building, { signal }) => {
        await agents.table.ready(signal)
        const made = await building.missing.check(signal)
        const multigroups = await agents.store.multigroups()
        const { problems, removed, written } = await building.changed.handle((paths) =>
          agents.files.buildMerged(multigroups, paths, signal),
        )
        const touched = [...made, ...written, ...removed]
        if (touched.length > 0) tree.hint(touched)
        for (const problem of problems) if (!building.logged.has(problem)) log.warning(problem)
        for (const path of written) log.info(`Built '${path}'.`)
        for (const path of removed) log.info(`Removed '${path}': no agent has these groups.`)
        building.logged = new Set(problems)
        return 'done'
      },
    },
    onFailure: (_, { message }) => log.error(`The merged files could not be built: ${fullStop(message)} Retrying.`),
  })
